/** Hashing beside the page. Two of these work together: one reads and computes the content tree, and hands each piece on to the other, whose
 *  SHA-256 of the whole is the longest work of all; few pieces are under way at any time, so that no file fills memory. */
import { type Bytes, Refused } from '../codec/bytes.ts'
import { Flat, Lanes, Tree } from '../hashing/engine.ts'
import { type FileRef, type Hashed } from '../package/files.ts'
import { PIECE, pieces } from '../package/stream.ts'

export interface Job { id: number, file: FileRef, around: { before: Bytes, after: Bytes, from: number } | undefined }
export type ToReader = { do: 'partner', port: MessagePort } | { do: 'hash', job: Job }
export type FromReader = { id: number, at: number } | { id: number, hashed: Hashed } | { id: number, failed: string, status: string }
type ToFlat = { piece: Uint8Array<ArrayBuffer> } | 'end'

const UNDER_WAY = 3, SMALL = 2 << 20
const lanes = Lanes.make()
const scope = self as unknown as { postMessage(m: unknown): void, onmessage: ((e: MessageEvent) => void) | null }

/* ---- the one that computes the SHA-256 of the whole ---- */

function serveFlat(port: MessagePort): void {
  let flat = new Flat(lanes)
  port.onmessage = ({ data }: MessageEvent<ToFlat>) => {
    if (data === 'end') port.postMessage(flat.digest()), flat = new Flat(lanes)
    else flat.add(data.piece), port.postMessage({ taken: data.piece.buffer }, [data.piece.buffer])
  }
}

/* ---- the one that reads ---- */

/** SHA-256 by the other worker. */
class FlatElsewhere {
  readonly spare: ArrayBuffer[] = [] // what it has done with, for the next pieces: garbage would wait for its collector
  private credit = UNDER_WAY
  private wake: (() => void) | undefined
  private result: ((sha256: Bytes) => void) | undefined
  constructor(private readonly port: MessagePort) {
    port.onmessage = ({ data }: MessageEvent<{ taken: ArrayBuffer } | Bytes>) => {
      if ('taken' in data) {
        if (data.taken.byteLength === PIECE) this.spare.push(data.taken)
        this.credit++, this.wake?.()
      }
      else this.result!(data)
    }
  }
  async add(piece: Uint8Array<ArrayBuffer>): Promise<void> {
    while (this.credit === 0) await new Promise<void>((wake) => { this.wake = wake })
    this.credit--
    this.port.postMessage({ piece }, [piece.buffer])
  }
  digest(): Promise<Bytes> {
    return new Promise((result) => { this.result = result; this.port.postMessage('end') })
  }
}

let elsewhere: FlatElsewhere | undefined

async function hash({ id, file, around }: Job): Promise<Hashed> {
  const tree = new Tree(lanes, around?.from ?? 0), flat = elsewhere && file.size > SMALL ? elsewhere : new Flat(lanes)
  if (around?.before.length) tree.add(around.before)
  let at = 0
  try {
    for await (const piece of pieces(file, elsewhere?.spare)) {
      at += piece.length
      tree.add(piece)
      await flat.add(piece) // after this the piece is the other's
      scope.postMessage({ id, at } satisfies FromReader)
    }
  } catch (e) {
    await flat.digest() // of half a file: so that the next one begins anew
    throw e
  }
  if (around?.after.length) tree.add(around.after)
  return { size: at, sha256: await flat.digest(), root: tree.root(), subtrees: tree.subtrees() }
}

scope.onmessage = async ({ data }: MessageEvent<ToReader | { do: 'flat', port: MessagePort }>) => {
  if (data.do === 'flat') return serveFlat(data.port)
  if (data.do === 'partner') return void (elsewhere = new FlatElsewhere(data.port))
  const { id } = data.job
  try {
    scope.postMessage({ id, hashed: await hash(data.job) } satisfies FromReader)
  } catch (e) {
    scope.postMessage({ id, failed: e instanceof Error ? e.message : String(e), status: e instanceof Refused ? e.status : 'IO' } satisfies FromReader)
  }
}
