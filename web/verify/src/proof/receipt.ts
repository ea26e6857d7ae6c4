/** What lies in a receipt, docs/formats/receipt.md: the file, its checkpoint, and `extra`. */
import { type Bytes, ensure, unbase64 } from '../codec/bytes.ts'
import { bytes, field, h32, list, map, maybe, read, text, uint } from '../codec/schema.ts'
import { type Entry, readEntry } from '../record/entry.ts'
import { type Record, readRecord } from '../record/record.ts'
import { type Checkpoint, type Note, readCheckpoint, readNote } from './note.ts'
import { type ProofFile, readProofFile } from './proof_file.ts'

const TYPE = 'application/custody-receipt+cbor'
const supportFields = { seq: field(1, uint()), entry: field(2, bytes(1, 16384)), salt: maybe(3, h32), details: maybe(4, bytes(1, 24576)) }
const extra = map({
  type: field(0, text(1, 64)), record: field(1, bytes(1, 65536)), support: field(2, list(map(supportFields), 0, 64)),
  hashes: field(3, bytes(0, 65 * 63 * 32)),
})

/** An entry of the receipt in its place; `used` once a check has asked for it. */
export interface Placed { position: bigint, entry: Entry, salt: Bytes | undefined, details: Bytes | undefined, used: boolean }

export interface Receipt {
  file: ProofFile
  note: Note
  checkpoint: Checkpoint
  extra: Bytes
  record: Record
  placed: Placed[]
  own: Placed
  hashes: Bytes[]
}

export function readReceipt(from: Bytes): Receipt {
  const file = readProofFile(from), note = readNote(file.checkpoint), checkpoint = readCheckpoint(note.text)
  ensure(file.extra !== undefined, 'MALFORMED', 'no extra line, so it is some other log\'s proof')
  const extraBytes = unbase64(file.extra), map = read(extra, 'receipt', extraBytes)
  ensure(map.type === TYPE, 'NEWER_FORMAT', `its type is not ${TYPE}`)
  ensure(map.hashes.length % 32 === 0, 'MALFORMED', 'hashes are 32 bytes each')
  const record = readRecord(map.record)
  const own: Placed = { position: file.index, entry: readEntry(record.entry), salt: record.salt, details: record.details, used: true }
  const support = map.support.map((s, i, all) => {
    ensure(s.seq !== file.index && (i === 0 || all[i - 1]!.seq < s.seq), 'MALFORMED', 'entries ascend, each once, and the record is not among them')
    ensure((s.salt === undefined) === (s.details === undefined), 'MALFORMED', 'salt and details come together')
    return { position: s.seq, entry: readEntry(s.entry), salt: s.salt, details: s.details, used: false }
  })
  const placed = [...support.filter((s) => s.position < file.index), own, ...support.filter((s) => s.position > file.index)]
  const hashes = Array.from({ length: map.hashes.length / 32 }, (_, i) => map.hashes.subarray(32 * i, 32 * i + 32))
  return { file, note, checkpoint, extra: extraBytes, record, placed, own, hashes }
}
