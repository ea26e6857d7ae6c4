/** The proof that bytes are a part of an item, docs/formats/bag.md "A part of an item". */
import { type Bytes, ensure, same } from '../codec/bytes.ts'
import { bytes, field, h32, map, maybe, read, text, uint } from '../codec/schema.ts'
import { LEAF, node } from '../codec/tree.ts'
import { type Hashed } from './files.ts'

const TYPE = 'application/custody-range+cbor'
const proof = map({
  type: field(0, text(1, 64)), id: field(1, h32), first: field(2, uint()), last: field(3, uint()), before: field(4, bytes(0, LEAF - 1)),
  after: field(5, bytes(0, LEAF - 1)), hashes: field(6, bytes(0, 128 * 32)), item: maybe(7, bytes(1, 4096)),
})
export type PartProof = ReturnType<typeof proof>

export function readPartProof(from: Bytes): PartProof {
  const p = read(proof, 'part', from)
  ensure(p.type === TYPE, 'NEWER_FORMAT', `part: its type is not ${TYPE}`)
  ensure(p.first <= p.last && p.hashes.length % 32 === 0, 'MALFORMED', 'part: it ends before it begins, or a hash is cut off')
  return p
}

/** `hashed`: of before ‖ the part ‖ after, its leaves numbered from `leafOf(first)`; `size` of the part alone. */
export const leafOf = (byte: bigint): number => Number(byte / BigInt(LEAF))

export function verifyPart(p: PartProof, hashed: Hashed, item: { size: bigint, root: Bytes }): void {
  const leaf = BigInt(LEAF), { first, last } = p, lastLeafEnd = (last / leaf + 1n) * leaf, end = lastLeafEnd < item.size ? lastLeafEnd : item.size
  ensure(first <= last && last < item.size && BigInt(hashed.size) === last - first + 1n, 'MALFORMED', 'part: it is not of so many bytes')
  ensure(BigInt(p.before.length) === first % leaf && BigInt(p.after.length) === end - last - 1n, 'MALFORMED', 'part: what stands around it has another length')
  const from = leafOf(first), to = leafOf(last) + 1, leaves = Number((item.size + leaf - 1n) / leaf)
  const known = new Map(hashed.subtrees.map((s) => [`${s.lo} ${s.hi}`, s.hash])), rest = Array.from({ length: p.hashes.length / 32 }, (_, i) => p.hashes.subarray(32 * i, 32 * i + 32))
  const walk = (lo: number, hi: number): Bytes => {
    const have = known.get(`${lo} ${hi}`)
    if (have) return have
    if (hi <= from || lo >= to) {
      const next = rest.shift()
      ensure(next !== undefined, 'MALFORMED', 'part: a hash is missing')
      return next
    }
    ensure(hi - lo > 1, 'MALFORMED', 'part: a leaf is missing')
    let half = 1
    while (half * 2 < hi - lo) half *= 2
    const left = walk(lo, lo + half)
    return node(left, walk(lo + half, hi))
  }
  const root = walk(0, leaves)
  ensure(rest.length === 0, 'MALFORMED', 'part: hashes are left over')
  ensure(same(root, item.root), 'BAD_PROOF', 'part: these bytes are not those of the item')
}
