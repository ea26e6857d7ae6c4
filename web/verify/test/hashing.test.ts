import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { contentRoot, leafHash, node } from '../src/codec/tree.ts'
import { Flat, Lanes, Tree } from '../src/hashing/engine.ts'
import { INITIAL, K } from '../src/hashing/wasm.ts'

const lanes = Lanes.make()
const some = (n: number): Uint8Array => Uint8Array.from({ length: n }, (_, i) => (i * 2654435761 >>> 13) & 255)
const pieces = function* (data: Uint8Array, n: number) { for (let at = 0; at < data.length; at += n) yield data.subarray(at, at + n) }

test('the constants of SHA-256 are roots of primes', () => {
  assert.deepEqual([K[0], K[63], INITIAL[0], INITIAL[7]], [0x428a2f98, 0xc67178f2, 0x6a09e667, 0x5be0cd19])
})

for (const [how, engine] of [['by the module', lanes], ['by the library', undefined]] as const) {
  test(`SHA-256 of streams, ${how}`, () => {
    assert.ok(how === 'by the library' || engine, 'node has vectors')
    for (const n of [0, 1, 55, 56, 63, 64, 65, 119, 120, 127, 128, 4097, 100003, 3 << 20]) for (const step of [1 << 20, 4093, 64, ...(n < 5000 ? [1, 7] : [])]) {
      const data = some(n), h = new Flat(engine)
      for (const p of pieces(data, step)) h.add(p)
      assert.equal(Buffer.from(h.digest()).toString('hex'), createHash('sha256').update(data).digest('hex'), `${n} bytes by ${step}`)
    }
  })

  test(`content trees of streams, ${how}`, () => {
    for (const n of [0, 1, 4095, 4096, 4097, 5 * 4096, 255 * 4096 + 1, 1 << 20, (1 << 20) + 1, (5 << 20) + 12345]) for (const step of [4 << 20, 1 << 20, 100000]) {
      const data = some(n), t = new Tree(engine)
      for (const p of pieces(data, step)) t.add(p)
      assert.deepEqual(t.root(), contentRoot(data), `${n} bytes by ${step}`)
    }
  })
}

test('the subtrees of a part from the middle are those of the whole', () => {
  const data = some(9 * 4096 + 5), t = new Tree(lanes, 3)
  t.add(data.subarray(3 * 4096))
  const leaf = (i: number) => leafHash(data.subarray(i * 4096, (i + 1) * 4096)), two = (i: number) => node(leaf(i), leaf(i + 1))
  assert.deepEqual(t.subtrees().map((s) => [s.lo, s.hi, s.hash]), [[3, 4, leaf(3)], [4, 8, node(two(4), two(6))], [8, 10, two(8)]])
})
