/** A record, docs/formats/entry.md "Records": an entry with what is attached to it. */
import { type Bytes, ensure, same } from '../codec/bytes.ts'
import { type Item, readCbor } from '../codec/cbor.ts'
import { sha256 } from '../codec/hash.ts'
import { contentRoot } from '../codec/tree.ts'
import { type Entry, commitmentOf } from './entry.ts'

export const INLINE_MAX = 32768n
export interface Record { entry: Bytes, salt: Bytes | undefined, details: Bytes | undefined, content: Bytes | undefined }

function part(item: Item, min: number, max: number, what: string): Bytes | undefined {
  if (item.is === 'simple' && item.value === null) return undefined
  ensure(item.is === 'bytes' && item.value.length >= min && item.value.length <= max, 'MALFORMED', `record: the ${what} is no byte string of ${min} to ${max}`)
  return item.value
}

export function readRecord(bytes: Bytes): Record {
  ensure(bytes.length <= 65536, 'TOO_LARGE', 'record: more than 65,536 bytes')
  const whole = readCbor(bytes)
  ensure(whole.is === 'array' && whole.items.length === 4, 'MALFORMED', 'record: not an array of four')
  const [e, s, d, c] = whole.items, entry = part(e!, 1, 16384, 'entry')
  ensure(entry !== undefined, 'MALFORMED', 'record: without an entry')
  const out = { entry, salt: part(s!, 32, 32, 'salt'), details: part(d!, 1, 24576, 'details'), content: part(c!, 0, Number(INLINE_MAX), 'content') }
  ensure((out.salt === undefined) === (out.details === undefined), 'MALFORMED', 'record: salt and details come together')
  return out
}

export const commitment = (salt: Bytes, details: Bytes): Bytes => sha256(salt, details)

/** "Attachments match". */
export function checkAttachments(r: Record, e: Entry): void {
  const promised = commitmentOf(e), bad = (ok: boolean, text: string): void => ensure(ok, 'BAD_ATTACHMENT', text)
  bad((promised !== undefined) === (r.details !== undefined), promised ? 'the details are missing' : `a ${e.kind} has no details, but some are attached`)
  bad(promised === undefined || same(commitment(r.salt!, r.details!), promised), 'the details are not those that were signed')
  const claim = e.kind === 'deposit' ? e.inner!.payload : undefined, inline = claim !== undefined && claim.size <= INLINE_MAX
  bad(inline === (r.content !== undefined), inline ? 'the content is missing' : 'content is attached where none belongs')
  if (!inline || r.content === undefined) return
  bad(BigInt(r.content.length) === claim.size, 'the content has another size than was signed')
  bad(same(contentRoot(r.content), claim.root), 'the content is not what was signed')
}
