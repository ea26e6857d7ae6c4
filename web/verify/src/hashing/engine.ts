/** SHA-256 and content trees over what comes in pieces, by the module of wasm.ts or, where a browser has no vectors, by @noble/hashes. */
import { sha256 as noble } from '@noble/hashes/sha2'
import { type Bytes } from '../codec/bytes.ts'
import { LEAF, leafHash, node } from '../codec/tree.ts'
import { BUFFER, DIGESTS, INITIAL, STATE, STRIDE, moduleBytes } from './wasm.ts'

const CHUNK_LEAVES = 256, PIECE = 1 << 20
const NODES = BUFFER + 4 * STRIDE, FLAT = 2 * BUFFER
const PAGES = (FLAT + PIECE) / 65536

interface Exports { memory: WebAssembly.Memory, flat(at: number, blocks: number): void, lanes(at: number, blocks: number): void }

/** The module with its memory; undefined where it cannot be had. */
export class Lanes {
  private readonly bytes: Uint8Array
  private readonly words: Uint32Array

  static make(): Lanes | undefined {
    try {
      return new Lanes(new WebAssembly.Instance(new WebAssembly.Module(moduleBytes(PAGES))).exports as unknown as Exports)
    } catch {
      return undefined
    }
  }

  private constructor(private readonly e: Exports) {
    this.bytes = new Uint8Array(e.memory.buffer)
    this.words = new Uint32Array(e.memory.buffer)
    for (let m = 0; m < 4; m++) { // what frames a whole leaf, and a node, once for all
      this.pad(BUFFER + m * STRIDE, 0, 1 + LEAF, STRIDE)
      this.pad(NODES + m * STRIDE, 1, 65, 128)
    }
  }

  private pad(at: number, first: number, length: number, end: number): void {
    this.bytes[at] = first
    this.bytes[at + length] = 0x80
    new DataView(this.bytes.buffer).setUint32(at + end - 4, 8 * length)
  }

  private digests(n: number, out: Uint8Array, at: number): void {
    const view = new DataView(out.buffer, out.byteOffset)
    for (let m = 0; m < n; m++) for (let i = 0; i < 8; i++) view.setUint32(at + 32 * m + 4 * i, this.words[DIGESTS / 4 + 4 * i + m]!)
  }

  /** Leaf hashes of so many whole leaves, 32 bytes each. */
  leaves(data: Bytes, n: number): Bytes {
    const out = new Uint8Array(32 * n)
    for (let i = 0; i < n; i += 4) {
      for (let m = 0; m < 4 && i + m < n; m++) this.bytes.set(data.subarray((i + m) * LEAF, (i + m + 1) * LEAF), BUFFER + m * STRIDE + 1)
      this.e.lanes(BUFFER, STRIDE / 64)
      this.digests(Math.min(4, n - i), out, 32 * i)
    }
    return out
  }

  /** The root over 2^k hashes. */
  root(hashes: Bytes): Bytes {
    for (let n = hashes.length / 64; n >= 1; n /= 2) {
      const above = new Uint8Array(32 * n)
      for (let i = 0; i < n; i += 4) {
        for (let m = 0; m < 4 && i + m < n; m++) this.bytes.set(hashes.subarray((i + m) * 64, (i + m + 1) * 64), NODES + m * STRIDE + 1)
        this.e.lanes(NODES, 2)
        this.digests(Math.min(4, n - i), above, 32 * i)
      }
      hashes = above
    }
    return hashes
  }

  begin(): Uint32Array { return Uint32Array.from(INITIAL) }

  /** Whole blocks onto a state. */
  blocks(state: Uint32Array, data: Bytes): void {
    this.words.set(state, STATE / 4)
    for (let at = 0; at < data.length; at += PIECE) {
      const piece = data.subarray(at, at + PIECE)
      this.bytes.set(piece, FLAT)
      this.e.flat(FLAT, piece.length / 64)
    }
    state.set(this.words.subarray(STATE / 4, STATE / 4 + 8))
  }
}

/** SHA-256 of a stream. */
export class Flat {
  private readonly state: Uint32Array | undefined
  private readonly slow = noble.create()
  private rest = new Uint8Array(0)
  private total = 0

  constructor(private readonly lanes: Lanes | undefined) { this.state = lanes?.begin() }

  add(data: Bytes): void {
    if (!this.state) return void this.slow.update(data)
    this.total += data.length
    if (this.rest.length > 0) {
      const fill = data.subarray(0, 64 - this.rest.length)
      const joined = new Uint8Array(this.rest.length + fill.length)
      joined.set(this.rest), joined.set(fill, this.rest.length)
      data = data.subarray(fill.length)
      if (joined.length < 64) return void (this.rest = joined)
      this.lanes!.blocks(this.state, joined)
    }
    const whole = data.length - data.length % 64
    this.lanes!.blocks(this.state, data.subarray(0, whole))
    this.rest = data.slice(whole)
  }

  digest(): Bytes {
    if (!this.state) return this.slow.digest()
    const end = new Uint8Array(this.rest.length < 56 ? 64 : 128), view = new DataView(end.buffer)
    end.set(this.rest)
    end[this.rest.length] = 0x80
    view.setUint32(end.length - 8, Math.floor(this.total / 0x20000000))
    view.setUint32(end.length - 4, this.total * 8 % 0x100000000)
    this.lanes!.blocks(this.state, end)
    const out = new Uint8Array(32)
    this.state.forEach((w, i) => new DataView(out.buffer).setUint32(4 * i, w))
    return out
  }
}

/** Complete subtrees over leaves [lo, hi), as few as cover what was added. */
export interface Subtree { lo: number, hi: number, hash: Bytes }

/** The content tree of a stream, whose first leaf is number `from` of an object. */
export class Tree {
  private readonly trees: Subtree[] = []
  private rest = new Uint8Array(0)
  private at: number

  constructor(private readonly lanes: Lanes | undefined, from = 0) { this.at = from }

  /** Pieces of whole leaves but for the last; what is left over waits for the next. */
  add(data: Bytes): void {
    if (this.rest.length > 0) {
      const joined = new Uint8Array(this.rest.length + data.length)
      joined.set(this.rest), joined.set(data, this.rest.length)
      data = joined
    }
    let at = 0
    for (; data.length - at >= LEAF; ) {
      const whole = Math.floor((data.length - at) / LEAF), n = this.at % CHUNK_LEAVES === 0 && whole >= CHUNK_LEAVES ? CHUNK_LEAVES : Math.min(whole, CHUNK_LEAVES - this.at % CHUNK_LEAVES)
      this.leaves(data.subarray(at, at + n * LEAF), n)
      at += n * LEAF
    }
    this.rest = data.slice(at)
  }

  private leaves(data: Bytes, n: number): void {
    if (!this.lanes) {
      for (let i = 0; i < n; i++) this.push(1, leafHash(data.subarray(i * LEAF, (i + 1) * LEAF)))
      return
    }
    const hashes = this.lanes.leaves(data, n)
    if (n === CHUNK_LEAVES) return this.push(n, this.lanes.root(hashes))
    for (let i = 0; i < n; i++) this.push(1, hashes.slice(32 * i, 32 * i + 32))
  }

  private push(n: number, hash: Bytes): void {
    let tree: Subtree = { lo: this.at, hi: this.at + n, hash }
    this.at += n
    for (let last = this.trees.at(-1); last && last.hi - last.lo === tree.hi - tree.lo && last.lo % (2 * (last.hi - last.lo)) === 0; last = this.trees.at(-1)) {
      this.trees.pop()
      tree = { lo: last.lo, hi: tree.hi, hash: node(last.hash, tree.hash) }
    }
    this.trees.push(tree)
  }

  /** After this nothing is added. */
  subtrees(): Subtree[] {
    if (this.rest.length > 0) this.push(1, leafHash(this.rest))
    this.rest = new Uint8Array(0)
    return this.trees
  }

  root(): Bytes {
    const trees = this.subtrees()
    return trees.length ? trees.map((t) => t.hash).reduceRight((right, left) => node(left, right)) : noble(new Uint8Array())
  }
}
