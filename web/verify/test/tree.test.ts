import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attempt, hex } from '../src/codec/bytes.ts'
import { contentRoot, leafHash, node, rootOf, siblings, verifyInclusion, verifyMultiproof } from '../src/codec/tree.ts'
import { blob, rows } from './vectors.ts'

test('roots are those of the Certificate Transparency suites', () => {
  const leaves: Uint8Array[] = []
  for (const [leaf, root] of rows('merkle_roots.txt')) {
    leaves.push(leafHash(blob(leaf!)))
    assert.equal(hex(rootOf(leaves)), root)
  }
})

test('inclusion proofs are good and bad as merkle_inclusion.txt says', () => {
  const all = rows('merkle_inclusion.txt')
  assert.ok(all.length > 50)
  for (const [verdict, at, size, leaf, root, proof] of all) {
    const path = (blob(proof!).length ? proof!.match(/.{64}/g)! : []).map(blob)
    const found = attempt(() => verifyInclusion(blob(leaf!), BigInt(at!), BigInt(size!), path, blob(root!)))
    assert.equal(found.status === 'OK', verdict === 'ok', `${at} in ${size}`)
  }
})

test('the worked example of content.md', () => {
  assert.equal(hex(contentRoot(new Uint8Array(4097))), '1a334171955b2fdb714a54d6e1a6beb6e3d7c0410d65f31561ec40c2ddc04b21')
})

const root = (lo: number, hi: number, leaves: Uint8Array[]): Uint8Array => rootOf(leaves.slice(lo, hi))

test('a multiproof of any leaves leads to the root, and to no other', () => {
  for (let size = 1; size <= 17; size++) {
    const leaves = Array.from({ length: size }, (_, i) => leafHash(Uint8Array.of(i))), whole = rootOf(leaves)
    for (let pick = 1; pick < 1 << size; pick += size < 9 ? 1 : 97) {
      const at = leaves.flatMap((hash, i) => pick >> i & 1 ? [{ at: BigInt(i), hash }] : [])
      const hashes: Uint8Array[] = []
      const walk = (lo: number, hi: number): void => {
        if (!at.some((l) => l.at >= lo && l.at < hi)) return void hashes.push(root(lo, hi, leaves))
        if (hi - lo === 1) return
        const middle = lo + 2 ** Math.ceil(Math.log2(hi - lo) - 1)
        walk(lo, middle), walk(middle, hi)
      }
      walk(0, size)
      verifyMultiproof(at, BigInt(size), () => undefined, hashes, whole)
      assert.throws(() => verifyMultiproof(at, BigInt(size), () => undefined, [...hashes, whole], whole), { status: 'MALFORMED' })
      assert.throws(() => verifyMultiproof(at, BigInt(size), () => undefined, hashes, node(whole, whole)), { status: 'BAD_PROOF' })
      if (hashes.length) assert.throws(() => verifyMultiproof(at, BigInt(size), () => undefined, hashes.slice(1), whole), { status: 'MALFORMED' })
    }
  }
})

test('the siblings on the path of a leaf cover the tree with it', () => {
  for (let size = 1n; size < 70n; size++) for (let at = 0n; at < size; at++)
    assert.equal(siblings(at, size).reduce((n, [lo, hi]) => n + hi - lo, 1n), size)
})
