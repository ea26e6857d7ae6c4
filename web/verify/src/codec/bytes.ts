/** Bytes and their few spellings, each read strictly: one text a value, one value a text. */
import type { Status } from '../status.ts'

export type Bytes = Uint8Array

/** What was read is not valid, or what was checked is not so. `status` is a name that docs/formats knows. */
export class Refused extends Error {
  constructor(readonly status: Status, text: string) { super(text) }
}

export function ensure(ok: boolean, status: Status, text: string): asserts ok {
  if (!ok) throw new Refused(status, text)
}

/** The status of an attempt: what it was refused with, or OK and its value. Anything but a refusal is a bug and passes through. */
export function attempt<T>(go: () => T): { status: 'OK', value: T } | { status: Exclude<Status, 'OK'>, text: string } {
  try {
    return { status: 'OK', value: go() }
  } catch (e) {
    if (e instanceof Refused && e.status !== 'OK') return { status: e.status, text: e.message }
    throw e
  }
}

export function same(a: Bytes, b: Bytes): boolean {
  return a.length === b.length && a.every((x, i) => x === b[i])
}

/** Bytewise, the shorter first when it begins the longer. */
export function compare(a: Bytes, b: Bytes): number {
  for (let i = 0; i < a.length && i < b.length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!
  return a.length - b.length
}

export function join(...parts: Bytes[]): Bytes {
  const all = new Uint8Array(parts.reduce((n, p) => n + p.length, 0))
  let at = 0
  for (const p of parts) all.set(p, at), at += p.length
  return all
}

export function hex(bytes: Bytes): string {
  let s = ''
  for (const b of bytes) s += (b < 16 ? '0' : '') + b.toString(16)
  return s
}

/** Lower case only. */
export function unhex(text: string, length?: number): Bytes {
  ensure(/^(?:[0-9a-f]{2})*$/.test(text) && (length === undefined || text.length === 2 * length), 'MALFORMED', 'not lower-case hex of this length')
  return Uint8Array.from(text.match(/../g) ?? [], (two) => parseInt(two, 16))
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const VALUE = new Map([...ALPHABET].map((c, i) => [c.charCodeAt(0), i]))

/** RFC 4648, section 4: padded, trailing bits zero, no other character. */
export function unbase64(text: string, length?: number): Bytes {
  const bad = () => new Refused('MALFORMED', 'not strict base64')
  if (text.length % 4 !== 0) throw bad()
  const pad = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  const out = new Uint8Array(text.length / 4 * 3 - pad)
  let bits = 0, held = 0, at = 0
  for (let i = 0; i < text.length - pad; i++) {
    const v = VALUE.get(text.charCodeAt(i))
    if (v === undefined) throw bad()
    held = held << 6 | v, bits += 6
    if (bits >= 8) bits -= 8, out[at++] = held >> bits & 0xff, held &= (1 << bits) - 1
  }
  if (held !== 0 || at !== out.length) throw bad()
  ensure(length === undefined || out.length === length, 'MALFORMED', `not base64 of ${length} bytes`)
  return out
}

export function base64(bytes: Bytes): string {
  let s = ''
  for (let i = 0; i < bytes.length; i += 3) {
    const n = bytes[i]! << 16 | (bytes[i + 1] ?? 0) << 8 | (bytes[i + 2] ?? 0), have = bytes.length - i
    s += ALPHABET[n >> 18]! + ALPHABET[n >> 12 & 63]! + (have > 1 ? ALPHABET[n >> 6 & 63]! : '=') + (have > 2 ? ALPHABET[n & 63]! : '=')
  }
  return s
}

const utf8Reader = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const utf8Writer = new TextEncoder()

/** RFC 3629, or undefined. */
export function utf8(bytes: Bytes): string | undefined {
  try {
    return utf8Reader.decode(bytes)
  } catch {
    return undefined
  }
}

export const toUtf8 = (text: string): Bytes => utf8Writer.encode(text)

/** One character a byte, so that bytes in no character set can be cut at lines and compared like texts. */
export function latin1(bytes: Bytes): string {
  let s = ''
  for (let i = 0; i < bytes.length; i += 4096) s += String.fromCharCode(...bytes.subarray(i, i + 4096))
  return s
}
export const fromLatin1 = (text: string): Bytes => Uint8Array.from(text, (c) => c.charCodeAt(0))

export const MAX63 = (1n << 63n) - 1n

/** Decimal, no sign, no leading zero. */
export function decimal(text: string, max: bigint = MAX63): bigint {
  ensure(/^(?:0|[1-9][0-9]{0,19})$/.test(text) && BigInt(text) <= max, 'MALFORMED', `not a decimal up to ${max} without sign and leading zeros`)
  return BigInt(text)
}

export function be(bytes: Bytes): bigint {
  let n = 0n
  for (const b of bytes) n = n << 8n | BigInt(b)
  return n
}
