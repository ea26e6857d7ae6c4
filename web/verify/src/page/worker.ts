/** Hashing beside the page. Two of these work together: one reads and computes the flat SHA-256, and hands each piece on to the other for
 *  the content tree; few pieces are under way at any time, so that no file fills memory. */
import { type Bytes, Refused } from '../codec/bytes.ts'
import { Flat, Lanes, Tree } from '../hashing/engine.ts'
import { type FileRef, type Hashed } from '../package/files.ts'
import { pieces } from '../package/stream.ts'

export interface Job { id: number, file: FileRef, around: { before: Bytes, after: Bytes, from: number } | undefined }
export type ToReader = { do: 'partner', port: MessagePort } | { do: 'hash', job: Job }
export type FromReader = { id: number, at: number } | { id: number, hashed: Hashed } | { id: number, failed: string, status: string }
type ToTree = { begin: number } | { piece: Uint8Array } | 'end'

const UNDER_WAY = 3, SMALL = 2 << 20
const lanes = Lanes.make()
const scope = self as unknown as { postMessage(m: unknown): void, onmessage: ((e: MessageEvent) => void) | null }

/* ---- the one that computes trees ---- */

function serveTrees(port: MessagePort): void {
  let tree = new Tree(lanes)
  port.onmessage = ({ data }: MessageEvent<ToTree>) => {
    if (data === 'end') port.postMessage({ root: tree.root(), subtrees: tree.subtrees() })
    else if ('begin' in data) tree = new Tree(lanes, data.begin)
    else tree.add(data.piece), port.postMessage('taken')
  }
}

/* ---- the one that reads ---- */

type TreeResult = Pick<Hashed, 'root' | 'subtrees'>

/** The tree by the other worker, or for what is small at once. */
class TreeElsewhere {
  private credit = UNDER_WAY
  private wake: (() => void) | undefined
  private result: ((r: TreeResult) => void) | undefined
  constructor(private readonly port: MessagePort) {
    port.onmessage = ({ data }: MessageEvent<'taken' | TreeResult>) => {
      if (data === 'taken') this.credit++, this.wake?.()
      else this.result!(data)
    }
  }
  begin(from: number): void { this.port.postMessage({ begin: from }) }
  async add(piece: Uint8Array): Promise<void> {
    while (this.credit === 0) await new Promise<void>((wake) => { this.wake = wake })
    this.credit--
    this.port.postMessage({ piece }, [piece.buffer as ArrayBuffer])
  }
  end(): Promise<TreeResult> {
    return new Promise((result) => { this.result = result; this.port.postMessage('end') })
  }
}

let elsewhere: TreeElsewhere | undefined

async function hash({ id, file, around }: Job): Promise<Hashed> {
  const flat = new Flat(lanes), from = around?.from ?? 0, here = elsewhere === undefined || file.size <= SMALL ? new Tree(lanes, from) : undefined
  const toTree = async (piece: Uint8Array): Promise<void> => here ? here.add(piece) : elsewhere!.add(piece)
  if (!here) elsewhere!.begin(from)
  if (around?.before.length) await toTree(around.before.slice())
  let at = 0
  for await (const piece of pieces(file)) {
    flat.add(piece)
    at += piece.length
    await toTree(piece)
    scope.postMessage({ id, at } satisfies FromReader)
  }
  if (around?.after.length) await toTree(around.after.slice())
  const tree = here ? { root: here.root(), subtrees: here.subtrees() } : await elsewhere!.end()
  return { size: at, sha256: flat.digest(), ...tree }
}

scope.onmessage = async ({ data }: MessageEvent<ToReader | { do: 'trees', port: MessagePort }>) => {
  if (data.do === 'trees') return serveTrees(data.port)
  if (data.do === 'partner') return void (elsewhere = new TreeElsewhere(data.port))
  const { id } = data.job
  try {
    scope.postMessage({ id, hashed: await hash(data.job) } satisfies FromReader)
  } catch (e) {
    scope.postMessage({ id, failed: e instanceof Error ? e.message : String(e), status: e instanceof Refused ? e.status : 'IO' } satisfies FromReader)
  }
}
