/** The manifest of a folder, docs/formats/manifest.md: a header and rows, read one after another. */
import { type Bytes, MAX63, compare, ensure, hex, latin1, same } from '../codec/bytes.ts'
import { readCborAt } from '../codec/cbor.ts'
import { EMPTY } from '../codec/hash.ts'
import { bytes, constant, field, h32, map, maybe, uint } from '../codec/schema.ts'
import { TreeBuilder, leafHash } from '../codec/tree.ts'

export const FILE = 1n, DIRECTORY = 2n, SYMLINK = 3n, HARDLINK = 4n
const headerOf = map({ type: field(1, constant('application/custody-manifest+cbor')), items: field(2, uint(0, 16777216)), bytes: field(3, uint()) })
const rowOf = map({
  path: field(1, bytes(1, 4096)), type: field(2, uint(1, 5)), size: field(3, uint()), root: maybe(4, h32), sha256: maybe(5, h32), target: maybe(6, bytes(1, 4096)),
  mode: field(7, uint(0, 0o7777)), seconds: field(8, uint(0, (1n << 64n) - 1n)), nanoseconds: field(9, uint(0, 999999999)),
})
export type Row = ReturnType<typeof rowOf>
export interface Manifest { items: bigint, bytes: bigint, rows: Row[], root: Bytes }

const bad = (ok: boolean, text: string): void => ensure(ok, 'MALFORMED', `manifest: ${text}`)

function checkPath(path: Bytes, what: string): void {
  const parts = latin1(path).split('/')
  bad(!path.includes(0) && parts.length <= 128 && parts.every((p) => p !== '' && p !== '.' && p !== '..'), `${what} is not a path`)
}

/** Tree order: bytewise, `/` before every other byte. NUL, which no path has, stands in for it. */
const treeOrder = (path: Bytes): Bytes => path.map((b) => b === 0x2f ? 0 : b)

function checkRow(row: Row): void {
  const file = row.type === FILE
  checkPath(row.path, 'a name')
  bad((row.root !== undefined) === file && (row.sha256 !== undefined) === file, 'a file has both digests, nothing else has one')
  bad(!file ? row.size === 0n : row.size === 0n ? same(row.root!, EMPTY) && same(row.sha256!, EMPTY) : !same(row.root!, EMPTY) && !same(row.sha256!, EMPTY),
    'the size does not fit the type or the digests')
  bad((row.target !== undefined) === (row.type === SYMLINK || row.type === HARDLINK), 'a link has a target, nothing else has one')
  bad(row.target === undefined || !row.target.includes(0), 'a NUL in a target')
  if (row.type !== HARDLINK) return
  checkPath(row.target!, 'a target')
  bad(compare(treeOrder(row.target!), treeOrder(row.path)) < 0, 'a hard link to what does not stand before it')
}

const parentOf = (path: Bytes): string | undefined => {
  const at = path.lastIndexOf(0x2f)
  return at < 0 ? undefined : hex(path.subarray(0, at))
}

export function readManifest(from: Bytes): Manifest {
  const first = readCborAt(from, 0), header = headerOf(first, 'manifest')
  const rows: Row[] = [], tree = new TreeBuilder(), folders = new Set<string>()
  let total = 0n, last: Bytes | undefined
  for (let at = first.end; at < from.length;) {
    const item = readCborAt(from, at), row = rowOf(item, 'manifest row')
    bad(item.end - at <= 12288, 'a row of more than 12,288 bytes')
    checkRow(row)
    const order = treeOrder(row.path), parent = parentOf(row.path)
    bad(last === undefined || compare(last, order) < 0, 'rows out of order')
    bad(parent === undefined || folders.has(parent), 'an item whose folder has no row')
    if (row.type === DIRECTORY) folders.add(hex(row.path))
    tree.add(leafHash(from.subarray(at, item.end)))
    total += row.size
    last = order
    rows.push(row)
    at = item.end
  }
  bad(BigInt(rows.length) === header.items, 'another number of rows than the header says')
  bad(total === header.bytes && total <= MAX63, 'another number of bytes than the header says')
  return { items: header.items, bytes: header.bytes, rows, root: tree.root() }
}
