/** The bytes of a file in pieces of 4 MiB, whatever it lies in. */
import { Inflate } from 'fflate'
import { type Bytes, Refused } from '../codec/bytes.ts'
import { type FileRef } from './files.ts'

export const PIECE = 4 << 20

/** Filled by the browser where it can (a third of the processor time of slices), else sliced. */
async function* whole(blob: Blob, spare: ArrayBuffer[]): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let from: ReadableStreamBYOBReader
  try {
    from = blob.stream().getReader({ mode: 'byob' })
  } catch {
    return yield* slices(blob)
  }
  try {
    for (let at = 0; at < blob.size;) {
      const size = Math.min(PIECE, blob.size - at)
      let buffer = (size === PIECE && spare.pop()) || new ArrayBuffer(size)
      for (let n = 0; n < size;) {
        const { done, value } = await from.read(new Uint8Array(buffer, n))
        if (done) throw new Error(`the file ended after ${at + n} of ${blob.size} bytes`)
        buffer = value.buffer, n += value.length
      }
      yield new Uint8Array(buffer)
      at += size
    }
  } finally {
    await from.cancel().catch(() => undefined)
  }
}

async function* slices(blob: Blob): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for (let at = 0; at < blob.size; at += PIECE) yield new Uint8Array(await blob.slice(at, at + PIECE).arrayBuffer())
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

/** `spare`: buffers of whole pieces that nobody needs any more. */
export const pieces = (file: FileRef, spare: ArrayBuffer[] = []): AsyncGenerator<Uint8Array<ArrayBuffer>> => file.deflated ? inflated(file) : whole(file.blob, spare)

export async function readAll(file: FileRef): Promise<Bytes> {
  const out = new Uint8Array(file.size)
  let at = 0
  for await (const piece of pieces(file)) out.set(piece, at), at += piece.length
  return out
}
