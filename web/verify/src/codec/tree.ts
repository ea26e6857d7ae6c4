/** RFC 6962 trees: the log's, and those over content. Positions and sizes are bigints: a log may have 2^63 − 1 entries. */
import { type Bytes, ensure, same } from './bytes.ts'
import { EMPTY, sha256 } from './hash.ts'

const ZERO = Uint8Array.of(0), ONE = Uint8Array.of(1)
export const leafHash = (leaf: Bytes): Bytes => sha256(ZERO, leaf)
export const node = (left: Bytes, right: Bytes): Bytes => sha256(ONE, left, right)
export const LEAF = 4096

/** The root over leaves that come one at a time: complete subtrees, smaller and smaller, as in a binary counter. */
export class TreeBuilder {
  private readonly peaks: { size: number, hash: Bytes }[] = []
  count = 0

  add(hash: Bytes): void {
    this.count++
    let peak = { size: 1, hash }
    for (let last = this.peaks.at(-1); last && last.size === peak.size; last = this.peaks.at(-1)) {
      this.peaks.pop()
      peak = { size: 2 * peak.size, hash: node(last.hash, peak.hash) }
    }
    this.peaks.push(peak)
  }

  root(): Bytes {
    return this.peaks.length ? this.peaks.map((p) => p.hash).reduceRight((right, left) => node(left, right)) : EMPTY
  }
}

export function rootOf(hashes: Bytes[]): Bytes {
  const t = new TreeBuilder()
  for (const h of hashes) t.add(h)
  return t.root()
}

/** docs/formats/content.md */
export function contentRoot(content: Bytes): Bytes {
  const t = new TreeBuilder()
  for (let at = 0; at < content.length; at += LEAF) t.add(leafHash(content.subarray(at, at + LEAF)))
  return t.root()
}

/** The largest power of two below n, for n > 1. */
function split(n: bigint): bigint {
  let k = 1n
  while (k << 1n < n) k <<= 1n
  return k
}

/** The siblings of leaf `at` in a tree of `size`, nearest first, as ranges [first, end). */
export function siblings(at: bigint, size: bigint): [bigint, bigint][] {
  const out: [bigint, bigint][] = []
  for (let lo = 0n, hi = size; hi - lo > 1n;) {
    const middle = lo + split(hi - lo)
    if (at < middle) out.unshift([middle, hi]), hi = middle
    else out.unshift([lo, middle]), lo = middle
  }
  return out
}

export function rootFromPath(leaf: Bytes, at: bigint, size: bigint, path: Bytes[]): Bytes {
  ensure(at < size, 'MALFORMED', `position ${at} in a log of ${size}`)
  const ranges = siblings(at, size)
  ensure(ranges.length === path.length, 'MALFORMED', `${path.length} hashes where ${ranges.length} belong`)
  return path.reduce((hash, sibling, i) => ranges[i]![0] > at ? node(hash, sibling) : node(sibling, hash), leaf)
}

/** RFC 9162, 2.1.3.2. */
export function verifyInclusion(leaf: Bytes, at: bigint, size: bigint, path: Bytes[], root: Bytes): void {
  ensure(same(rootFromPath(leaf, at, size, path), root), 'BAD_PROOF', `entry ${at} is not under this root of ${size} entries`)
}

/** docs/formats/receipt.md "The multiproof": leaves at ascending positions; `known` answers for ranges that are at hand elsewhere. */
export function verifyMultiproof(leaves: { at: bigint, hash: Bytes }[], size: bigint, known: (lo: bigint, hi: bigint) => Bytes | undefined,
  hashes: Bytes[], root: Bytes): void {
  ensure(leaves.length > 0 && leaves.at(-1)!.at < size, 'MALFORMED', 'no leaves, or beyond the log')
  ensure(leaves.every((l, i) => i === 0 || leaves[i - 1]!.at < l.at), 'MALFORMED', 'positions out of order')
  let used = 0
  const walk = (lo: bigint, hi: bigint, within: { at: bigint, hash: Bytes }[]): Bytes => {
    if (within.length === 0) {
      const have = known(lo, hi) ?? hashes[used++]
      ensure(have !== undefined, 'MALFORMED', `a hash is missing for entries ${lo} to ${hi - 1n}`)
      return have
    }
    if (hi - lo === 1n) return within[0]!.hash
    const middle = lo + split(hi - lo), left = walk(lo, middle, within.filter((l) => l.at < middle))
    return node(left, walk(middle, hi, within.filter((l) => l.at >= middle)))
  }
  const found = walk(0n, size, leaves)
  ensure(used === hashes.length, 'MALFORMED', `${hashes.length - used} hashes are left over`)
  ensure(same(found, root), 'BAD_PROOF', `the entries are not under this root of ${size} entries`)
}
