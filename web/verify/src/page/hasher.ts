/** Files to digests, by two workers made from a text that the page carries; whatever is asked waits its turn. */
import WORKER from 'worker-source'
import { type Bytes, Refused } from '../codec/bytes.ts'
import { type FileRef, type Hashed, type Reading, tooLarge } from '../package/files.ts'
import { readAll } from '../package/stream.ts'
import { type FromReader } from './worker.ts'

export class Cancelled extends Error {}
interface Waiting { resolve(h: Hashed): void, reject(e: Error): void, onBytes: (n: number) => void, at: number }

export class Hasher implements Reading {
  private readonly url = URL.createObjectURL(new Blob([WORKER], { type: 'text/javascript' }))
  private workers: Worker[] = []
  private readonly waiting = new Map<number, Waiting>()
  private line: Promise<unknown> = Promise.resolve()
  private id = 0
  /** Told of each piece that was read. */
  onBytes: (n: number) => void = () => undefined

  private start(): Worker {
    if (this.workers.length === 0) {
      const [reader, flat] = [new Worker(this.url), new Worker(this.url)], channel = new MessageChannel()
      reader.postMessage({ do: 'partner', port: channel.port1 }, [channel.port1])
      flat.postMessage({ do: 'flat', port: channel.port2 }, [channel.port2])
      reader.onmessage = ({ data }: MessageEvent<FromReader>) => this.told(data)
      reader.onerror = flat.onerror = (e) => this.end(new Error(e.message))
      this.workers = [reader, flat]
    }
    return this.workers[0]!
  }

  private told(m: FromReader): void {
    const w = this.waiting.get(m.id)
    if (!w) return
    if ('at' in m) {
      w.onBytes(m.at - w.at)
      w.at = m.at
      return
    }
    this.waiting.delete(m.id)
    if ('hashed' in m) w.resolve(m.hashed)
    else w.reject(m.status === 'IO' ? new Error(m.failed) : new Refused(m.status as 'MALFORMED', m.failed))
  }

  hash(file: FileRef, around?: { before: Bytes, after: Bytes, from: number }): Promise<Hashed> {
    const run = (): Promise<Hashed> => new Promise((resolve, reject) => {
      const id = ++this.id
      this.waiting.set(id, { resolve, reject, onBytes: (n) => this.onBytes(n), at: 0 })
      this.start().postMessage({ do: 'hash', job: { id, file, around } })
    })
    const turn = this.line.then(run)
    this.line = turn.catch(() => undefined)
    return turn
  }

  bytes(file: FileRef, max: number): Promise<Bytes> {
    tooLarge(file, max)
    return readAll(file)
  }

  private end(why: Error): void {
    for (const w of this.workers) w.terminate()
    this.workers = []
    for (const w of this.waiting.values()) w.reject(why)
    this.waiting.clear()
  }

  cancel(): void { this.end(new Cancelled('cancelled')) }
}
