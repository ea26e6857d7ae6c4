/** Reading a zip file without unpacking it: stored and deflated entries, zip64. Refused whole when anything in it could deceive:
 *  docs/formats/bag.md, last section. */
import { type Bytes, ensure, utf8 } from '../codec/bytes.ts'
import { type FileRef } from './files.ts'

const END = 0x06054b50, END64 = 0x06064b50, LOCATOR64 = 0x07064b50, CENTRAL = 0x02014b50, LOCAL = 0x04034b50
const END_SIZE = 22, ENTRIES_MAX = 16777216, DIRECTORY_MAX = 1 << 30, EXPANSION_MAX = 1000
const bad = (ok: boolean, text: string): void => ensure(ok, 'MALFORMED', `zip: ${text}`)

async function part(zip: Blob, at: number, n: number): Promise<DataView> {
  bad(at >= 0 && at + n <= zip.size, 'it ends too early')
  return new DataView(await zip.slice(at, at + n).arrayBuffer())
}
const u64 = (v: DataView, at: number): number => {
  const n = Number(v.getBigUint64(at, true))
  bad(Number.isSafeInteger(n), 'a number beyond any file')
  return n
}

/** Where the central directory lies, and how many entries it has. */
async function directory(zip: Blob): Promise<{ at: number, size: number, n: number, end: number }> {
  const tail = Math.min(zip.size, END_SIZE + 65535), from = zip.size - tail, v = await part(zip, from, tail)
  let i = tail - END_SIZE
  while (i >= 0 && !(v.getUint32(i, true) === END && i + END_SIZE + v.getUint16(i + 20, true) === tail)) i--
  bad(i >= 0, 'no end of a directory: it is no zip file')
  const narrow = { n: v.getUint16(i + 10, true), size: v.getUint32(i + 12, true), at: v.getUint32(i + 16, true), end: from + i }
  bad(v.getUint16(i + 4, true) === 0 && v.getUint16(i + 6, true) === 0 && v.getUint16(i + 8, true) === narrow.n, 'it has several volumes')
  if (narrow.n !== 0xffff && narrow.size !== 0xffffffff && narrow.at !== 0xffffffff) return narrow
  const locator = await part(zip, from + i - 20, 20)
  if (locator.getUint32(0, true) !== LOCATOR64) return narrow
  const end64 = u64(locator, 8), w = await part(zip, end64, 56)
  bad(w.getUint32(0, true) === END64, 'its zip64 end is not where it says')
  return { n: u64(w, 32), size: u64(w, 40), at: u64(w, 48), end: end64 }
}

interface Entry { path: string, method: number, packed: number, size: number, at: number, folder: boolean }

function readEntry(v: DataView, at: number): { entry: Entry, next: number } {
  bad(at + 46 <= v.byteLength && v.getUint32(at, true) === CENTRAL, 'its directory is damaged')
  const [flags, method] = [v.getUint16(at + 8, true), v.getUint16(at + 10, true)]
  const [nameN, extraN, commentN] = [v.getUint16(at + 28, true), v.getUint16(at + 30, true), v.getUint16(at + 32, true)], next = at + 46 + nameN + extraN + commentN
  bad(next <= v.byteLength, 'its directory is damaged')
  const path = utf8(new Uint8Array(v.buffer, v.byteOffset + at + 46, nameN))
  ensure(path !== undefined, 'MALFORMED', 'zip: a name that is not UTF-8')
  const wide = zip64(v, at + 46 + nameN, extraN), take = (n: number, none: number): number => n === none ? wide.shift() ?? n : n
  const size = take(v.getUint32(at + 24, true), 0xffffffff), packed = take(v.getUint32(at + 20, true), 0xffffffff), local = take(v.getUint32(at + 42, true), 0xffffffff)
  bad((flags & 1) === 0, `${path} is encrypted`)
  bad((v.getUint32(at + 38, true) >>> 28) !== 0xa, `${path} is a link`)
  bad(method === 0 || method === 8, `${path} is packed by a method that is not read here`)
  bad(method === 8 ? size <= packed * EXPANSION_MAX + 4096 : size === packed, `${path} unpacks to more than it says, or expands beyond measure`)
  return { entry: { path, method, packed, size, at: local, folder: path.endsWith('/') }, next }
}

/** The numbers of the zip64 field, in order: size, packed size, place. */
function zip64(v: DataView, at: number, n: number): number[] {
  for (let i = at; i + 4 <= at + n;) {
    const id = v.getUint16(i, true), length = v.getUint16(i + 2, true)
    if (id === 1 && i + 4 + length <= at + n) return Array.from({ length: Math.min(3, Math.floor(length / 8)) }, (_, k) => u64(v, i + 4 + 8 * k))
    i += 4 + length
  }
  return []
}

// eslint-disable-next-line no-control-regex
const HARMFUL = /[\\\u0000-\u001f\u007f]/
function checkNames(entries: Entry[]): void {
  const seen = new Set<string>()
  for (const { path, folder } of entries) {
    const parts = (folder ? path.slice(0, -1) : path).split('/')
    bad(!HARMFUL.test(path) && !/^[A-Za-z]:/.test(path) && parts.every((p) => p !== '' && p !== '.' && p !== '..'), `a name that could deceive: ${JSON.stringify(path)}`)
    const folded = parts.join('/').toLowerCase()
    bad(!seen.has(folded), `${path} stands there twice`)
    seen.add(folded)
  }
  bad(new Set(entries.map((e) => e.path.split('/', 1)[0])).size === 1 && entries.every((e) => e.path.includes('/')), 'there is no one folder around everything')
}

/** Its files, without the folder around them. */
export async function readZip(zip: Blob): Promise<FileRef[]> {
  const { at, size, n, end } = await directory(zip)
  bad(n <= ENTRIES_MAX && size <= DIRECTORY_MAX && at + size === end, 'its directory is not where it says')
  const v = await part(zip, at, size), entries: Entry[] = []
  let next = 0
  while (entries.length < n) {
    const read = readEntry(v, next)
    entries.push(read.entry)
    next = read.next
  }
  bad(next === size, 'its directory holds more than it says')
  checkNames(entries)
  return Promise.all(entries.filter((e) => !e.folder).map((e) => refTo(zip, e, at)))
}

async function refTo(zip: Blob, e: Entry, directoryAt: number): Promise<FileRef> {
  const local = await part(zip, e.at, 30)
  bad(local.getUint32(0, true) === LOCAL, `${e.path} is not where the directory says`)
  const from = e.at + 30 + local.getUint16(26, true) + local.getUint16(28, true)
  bad(from + e.packed <= directoryAt, `${e.path} reaches beyond the files`)
  return { path: e.path.slice(e.path.indexOf('/') + 1), size: e.size, blob: zip.slice(from, from + e.packed), deflated: e.method === 8 }
}

export const isZip = (begin: Bytes): boolean => begin[0] === 0x50 && begin[1] === 0x4b && ((begin[2] === 3 && begin[3] === 4) || (begin[2] === 5 && begin[3] === 6))
