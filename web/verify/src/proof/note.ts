/** Signed notes and checkpoints, docs/formats/checkpoint.md. Reading trusts nobody: who signed is for a policy to say. */
import { type Bytes, be, decimal, ensure, fromLatin1, hex, join, same, toUtf8, unbase64, unhex, utf8 } from '../codec/bytes.ts'
import { EMPTY, sha256 } from '../codec/hash.ts'
import { ED25519, type PublicKey, verify } from '../codec/keys.ts'

const NOTE_MAX = 16384, LINES_MAX = 64
const DASH = '\u2014 '
const LOG = 1, COSIGNATURE = 4

/** A line as it stands; `blob` is what follows the key id. */
export interface SignatureLine { name: string, id: string, blob: Bytes }
export interface Note { text: string, lines: SignatureLine[] }

/** Unicode's White_Space, and the control characters. */
// eslint-disable-next-line no-control-regex
const NAME = /^[^\u0000-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000+]+$/u

export function readNote(bytes: Bytes): Note {
  ensure(bytes.length <= NOTE_MAX, 'TOO_LARGE', 'a note has at most 16,384 bytes')
  const all = utf8(bytes)
  // eslint-disable-next-line no-control-regex
  ensure(all !== undefined && !/[\u0000-\u0009\u000b-\u001f]/.test(all), 'MALFORMED', 'a note is UTF-8 without control characters')
  const cut = all.lastIndexOf('\n\n')
  ensure(cut >= 0, 'MALFORMED', 'a note has an empty line between text and signatures')
  const signatures = all.slice(cut + 2)
  ensure(signatures.length > 0, 'MALFORMED', 'a note has at least one signature line')
  const lines = signatures.split('\n'), last = lines.pop()
  const out = lines.map((line, i) => {
    ensure(i < LINES_MAX, 'TOO_LARGE', 'a note has at most 64 signature lines')
    return readLine(line)
  })
  ensure(last === '', 'MALFORMED', 'the last line of a note ends in a line feed')
  return { text: all.slice(0, cut + 1), lines: out }
}

function readLine(line: string): SignatureLine {
  const [name, spelt, ...more] = line.startsWith(DASH) ? line.slice(DASH.length).split(' ') : []
  ensure(name !== undefined && spelt !== undefined && more.length === 0 && NAME.test(name), 'MALFORMED', 'a signature line is a dash, a key name, base64')
  const all = unbase64(spelt)
  ensure(all.length > 4, 'MALFORMED', 'a signature line holds a key id and more')
  return { name, id: hex(all.subarray(0, 4)), blob: all.subarray(4) }
}

export interface Checkpoint { origin: string, size: bigint, root: Bytes }

export function readCheckpoint(text: string): Checkpoint {
  const [origin, size, root, end, ...more] = text.split('\n')
  ensure(origin !== undefined && size !== undefined && root !== undefined && end === '' && more.length === 0, 'MALFORMED', 'a checkpoint has three lines')
  const n = toUtf8(origin).length
  ensure(n >= 1 && n <= 128, 'MALFORMED', 'an origin has 1 to 128 bytes')
  const out = { origin, size: decimal(size), root: unbase64(root, 32) }
  ensure(out.size > 0n || same(out.root, EMPTY), 'MALFORMED', 'the empty log has the root SHA-256("")')
  return out
}

/* ---- verifier keys ---- */

export interface VerifierKey { name: string, id: string, cosigns: boolean, key: PublicKey }

/** `name+id+base64(type ‖ key)`; `text` has one character a byte. */
export function readVerifierKey(text: string): VerifierKey {
  const [first, id, ...rest] = text.split('+')
  const name = first === undefined ? undefined : utf8(fromLatin1(first))
  ensure(name !== undefined && NAME.test(name) && id !== undefined && rest.length > 0, 'MALFORMED', 'a verifier key is name+id+key')
  unhex(id, 4)
  const typed = unbase64(rest.join('+'), 33), type = typed[0]
  ensure(type === LOG || type === COSIGNATURE, 'MALFORMED', 'a key of this type is not used here')
  ensure(hex(sha256(toUtf8(name), Uint8Array.of(10), typed).subarray(0, 4)) === id, 'MALFORMED', 'the id is not that of name and key')
  return { name, id, cosigns: type === COSIGNATURE, key: { alg: ED25519, bytes: typed.subarray(1) } }
}

export const isBy = (line: SignatureLine, key: VerifierKey): boolean => line.id === key.id && line.name === key.name

/** The time of a cosignature in seconds, 0 for a log's signature; refused when it does not verify. */
export function verifyLine(note: Note, line: SignatureLine, by: VerifierKey): bigint {
  const stamp = by.cosigns ? 8 : 0, at = be(line.blob.subarray(0, stamp))
  ensure(line.blob.length === stamp + 64 && at < 1n << 63n, 'MALFORMED', 'the signature has another length than its key makes')
  const text = toUtf8(note.text)
  verify(by.key, by.cosigns ? join(toUtf8(`cosignature/v1\ntime ${at}\n`), text) : text, line.blob.subarray(stamp))
  return at
}

