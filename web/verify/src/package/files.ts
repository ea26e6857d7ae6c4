/** Files as they come: picked, dropped, or inside a zip. Nothing is read before it is asked for. */
import { type Bytes, ensure } from '../codec/bytes.ts'

/** `deflated`: the blob is a raw deflate stream of `size` bytes. */
export interface FileRef { path: string, size: number, blob: Blob, deflated: boolean }
export const refOf = (path: string, blob: Blob): FileRef => ({ path, size: blob.size, blob, deflated: false })

/** What was read of a file: by the worker, or in tests by node. `subtrees` of its content tree, whose first leaf is number `from`. */
export interface Hashed { size: number, sha256: Bytes, root: Bytes, subtrees: { lo: number, hi: number, hash: Bytes }[] }
export interface Reading {
  hash(file: FileRef, around?: { before: Bytes, after: Bytes, from: number }): Promise<Hashed>
  /** The whole file, of at most `max` bytes. */
  bytes(file: FileRef, max: number): Promise<Bytes>
}

/** The one folder around everything is taken off; undefined when there is none. */
export function withoutTop(files: FileRef[]): FileRef[] | undefined {
  const tops = new Set(files.map((f) => f.path.split('/', 1)[0]))
  if (tops.size !== 1 || files.some((f) => !f.path.includes('/'))) return undefined
  return files.map((f) => ({ ...f, path: f.path.slice(f.path.indexOf('/') + 1) }))
}

export function tooLarge(file: FileRef, max: number): void {
  ensure(file.size <= max, 'TOO_LARGE', `${file.path} is larger than ${max} bytes: it is not what it is taken for`)
}
