/** The bytes of a file in pieces of 4 MiB, whatever it lies in; the next piece is fetched while this one is used. */
import { Inflate } from 'fflate'
import { type Bytes, Refused } from '../codec/bytes.ts'
import { type FileRef } from './files.ts'

export const PIECE = 4 << 20

async function* slices(blob: Blob): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const fetch = (at: number): Promise<ArrayBuffer> | undefined => at < blob.size ? blob.slice(at, at + PIECE).arrayBuffer() : undefined
  for (let at = 0, next = fetch(0); next; at += PIECE) {
    const here = next
    next = fetch(at + PIECE)
    next?.catch(() => undefined) // it is awaited, and reported, in its turn
    yield new Uint8Array(await here)
  }
}

async function* inflated(file: FileRef): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let out: Uint8Array[] = [], waiting = 0, total = 0, ended = false
  const inflate = new Inflate((data, final) => { out.push(data.slice()); waiting += data.length; total += data.length; ended ||= final })
  const whole = (): Uint8Array<ArrayBuffer> => {
    const all = new Uint8Array(waiting)
    out.reduce((at, p) => (all.set(p, at), at + p.length), 0)
    out = [], waiting = 0
    return all
  }
  const refused = (text: string): Refused => new Refused('MALFORMED', `zip: ${file.path} ${text}`)
  for (let at = 0; at < file.blob.size; at += 1 << 18) {
    const packed = new Uint8Array(await file.blob.slice(at, at + (1 << 18)).arrayBuffer()), last = at + packed.length === file.blob.size
    try {
      inflate.push(packed, last)
    } catch {
      throw refused('does not unpack')
    }
    if (total > file.size) throw refused('unpacks to more than it says')
    if (waiting >= PIECE || last) yield whole()
  }
  if (total !== file.size || !ended) throw refused('unpacks to less than it says')
}

export const pieces = (file: FileRef): AsyncGenerator<Uint8Array<ArrayBuffer>> => file.deflated ? inflated(file) : slices(file.blob)

export async function readAll(file: FileRef): Promise<Bytes> {
  const out = new Uint8Array(file.size)
  let at = 0
  for await (const piece of pieces(file)) out.set(piece, at), at += piece.length
  return out
}
