/** Canonical CBOR, docs/formats/cbor.md: one byte string a value. Items keep where they stand, for the technical view. */
import { type Bytes, Refused, be, compare, join, toUtf8, utf8 } from './bytes.ts'

export type Item = { at: number, end: number } & (
  | { is: 'int', value: bigint }
  | { is: 'bytes', value: Bytes, from: number }
  | { is: 'text', value: string, from: number }
  | { is: 'array', items: Item[] }
  | { is: 'map', pairs: [Item, Item][] }
  | { is: 'tag', tag: bigint, item: Item }
  | { is: 'simple', value: boolean | null })

const DEPTH_MAX = 8

class Reader {
  constructor(readonly bytes: Bytes, public at: number) {}

  refuse(text: string): Refused { return new Refused('MALFORMED', `${text}, at byte ${this.at}`) }

  take(n: number): Bytes {
    if (n > this.bytes.length - this.at) throw this.refuse('the bytes end too early')
    return this.bytes.subarray(this.at, this.at += n)
  }

  /** Rules 2 and 3: the shortest head, a definite length. */
  head(): [major: number, argument: bigint] {
    const first = this.take(1)[0]!, low = first & 31
    if (low < 24) return [first >> 5, BigInt(low)]
    if (low > 27) throw this.refuse('an indefinite or reserved head')
    const width = 1 << (low - 24), argument = be(this.take(width))
    if (first >> 5 === 7) throw this.refuse('a float or another simple value')
    if (argument < (width === 1 ? 24n : 1n << BigInt(4 * width))) throw this.refuse('not the shortest head')
    return [first >> 5, argument]
  }

  /** A length or count beyond what remains is refused before anything is done with it; each element takes a byte or more. */
  count(argument: bigint, each: number): number {
    if (argument * BigInt(each) > BigInt(this.bytes.length - this.at)) throw this.refuse('a length beyond the bytes that remain')
    return Number(argument)
  }

  item(depth: number, tagged: boolean): Item {
    const at = this.at, [major, argument] = this.head()
    switch (major) {
      case 0: return { at, end: this.at, is: 'int', value: argument }
      case 1: return { at, end: this.at, is: 'int', value: -1n - argument }
      case 2: return this.bytesItem(at, this.count(argument, 1))
      case 3: return this.textItem(at, this.count(argument, 1))
      case 4: return this.arrayItem(at, this.count(argument, 1), depth + 1)
      case 5: return this.mapItem(at, this.count(argument, 2), depth + 1)
      case 6: return this.tagItem(at, argument, depth, tagged)
      default: return this.simpleItem(at, argument)
    }
  }

  bytesItem(at: number, n: number): Item {
    const from = this.at, value = this.take(n)
    return { at, end: this.at, is: 'bytes', value, from }
  }

  textItem(at: number, n: number): Item {
    const from = this.at, value = utf8(this.take(n))
    if (value === undefined) throw this.refuse('a text that is not UTF-8')
    return { at, end: this.at, is: 'text', value, from }
  }

  arrayItem(at: number, n: number, depth: number): Item {
    if (depth > DEPTH_MAX) throw this.refuse('nested too deep')
    const items: Item[] = []
    while (items.length < n) items.push(this.item(depth, false))
    return { at, end: this.at, is: 'array', items }
  }

  mapItem(at: number, n: number, depth: number): Item {
    if (depth > DEPTH_MAX) throw this.refuse('nested too deep')
    const pairs: [Item, Item][] = []
    let last: Bytes | undefined
    while (pairs.length < n) {
      const key = this.item(depth, false), spelt = this.bytes.subarray(key.at, key.end)
      if (key.is !== 'int' && key.is !== 'bytes' && key.is !== 'text') throw this.refuse('a key that is no number, byte string or text')
      if (last && compare(last, spelt) >= 0) throw this.refuse('keys out of order, or one twice')
      last = spelt
      pairs.push([key, this.item(depth, false)])
    }
    return { at, end: this.at, is: 'map', pairs }
  }

  tagItem(at: number, tag: bigint, depth: number, tagged: boolean): Item {
    if (tagged) throw this.refuse('a tag on a tag')
    const item = this.item(depth, true)
    return { at, end: this.at, is: 'tag', tag, item }
  }

  simpleItem(at: number, argument: bigint): Item {
    if (argument < 20n || argument > 22n) throw this.refuse('a simple value that is not false, true or null')
    return { at, end: this.at, is: 'simple', value: argument === 22n ? null : argument === 21n }
  }
}

/** Exactly one item, nothing after it. */
export function readCbor(bytes: Bytes): Item {
  const item = readCborAt(bytes, 0)
  if (item.end !== bytes.length) throw new Refused('MALFORMED', `something stands after the item, at byte ${item.end}`)
  return item
}

/** The item of a sequence (RFC 8742) that begins at `at`. */
export function readCborAt(bytes: Bytes, at: number): Item {
  return new Reader(bytes, at).item(0, false)
}

/* ---- the little that is written: what signatures and key ids are over ---- */

export function head(major: number, n: number): Bytes {
  if (n < 24) return Uint8Array.of(major << 5 | n)
  if (n < 256) return Uint8Array.of(major << 5 | 24, n)
  return Uint8Array.of(major << 5 | 25, n >> 8, n & 255) // 65,535 at most: nothing that is signed is larger
}
export const cborBytes = (bytes: Bytes): Bytes => join(head(2, bytes.length), bytes)
export const cborText = (text: string): Bytes => join(head(3, toUtf8(text).length), toUtf8(text))
