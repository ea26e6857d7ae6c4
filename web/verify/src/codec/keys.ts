/** Public keys, their ids and signatures: docs/formats/keys.md. The checks of form are ours, the curves are @noble's. */
import { ed25519, x25519 } from '@noble/curves/ed25519'
import { p256 } from '@noble/curves/nist'
import { sha512 as noble512 } from '@noble/hashes/sha2'
import { type Bytes, be, ensure, hex, join } from './bytes.ts'
import { sha256 } from './hash.ts'

export const ES256 = -7, ED25519 = -8, X25519 = -25
export type Alg = typeof ES256 | typeof ED25519 | typeof X25519
export interface PublicKey { alg: Alg, bytes: Bytes }

export const publicLength = (alg: number): number | undefined => alg === ES256 ? 64 : alg === ED25519 || alg === X25519 ? 32 : undefined

/* {1: 2, -1: 1, -2: x, -3: y}, {1: 1, -1: 6, -2: key} and, of X25519, {1: 1, -1: 4, -2: key}, RFC 9679 */
const ES256_HEAD = Uint8Array.of(0xa4, 1, 2, 0x20, 1, 0x21, 0x58, 32), ES256_MIDDLE = Uint8Array.of(0x22, 0x58, 32)
const ED25519_HEAD = Uint8Array.of(0xa3, 1, 1, 0x20, 6, 0x21, 0x58, 32)
const X25519_HEAD = Uint8Array.of(0xa3, 1, 1, 0x20, 4, 0x21, 0x58, 32)

export function keyId(key: PublicKey): Bytes {
  const { alg, bytes } = key
  return alg === ES256 ? sha256(ES256_HEAD, bytes.subarray(0, 32), ES256_MIDDLE, bytes.subarray(32)) : sha256(alg === ED25519 ? ED25519_HEAD : X25519_HEAD, bytes)
}

const P = (1n << 255n) - 19n
const L = (1n << 252n) + 27742317777372353535851937790883648493n
const N = p256.Point.CURVE().n, FIELD = p256.Point.CURVE().p
const reversed = (bytes: Bytes): bigint => be(Uint8Array.from(bytes).reverse())

/** The y of the points of order 1, 2, 4 and 8. */
const SMALL_ORDER = new Set([0n, 1n, P - 1n,
  0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n,
  0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n].map(String))

/** Canonical and not of small order, by the bytes alone: of a key and of a signature's R. */
function pointAllowed(bytes: Bytes): boolean {
  const y = Uint8Array.from(bytes)
  y[31]! &= 0x7f
  const n = reversed(y)
  return n < P && !SMALL_ORDER.has(String(n))
}

function onCurve(key: PublicKey): boolean {
  try {
    if (key.alg === X25519) return x25519.getSharedSecret(new Uint8Array(32).fill(1), key.bytes), true // throws when it agrees on zero
    if (key.alg === ED25519) return ed25519.Point.fromHex(hex(key.bytes)), true
    const x = be(key.bytes.subarray(0, 32)), y = be(key.bytes.subarray(32))
    return x < FIELD && y < FIELD && (p256.Point.fromAffine({ x, y }).assertValidity(), true)
  } catch {
    return false
  }
}

const checked = new Map<string, boolean>()

export function checkKey(key: PublicKey): void {
  const name = `${key.alg} ${hex(key.bytes)}`
  let good = checked.get(name)
  if (good === undefined) {
    good = key.bytes.length === publicLength(key.alg) && (key.alg !== ED25519 || pointAllowed(key.bytes)) && onCurve(key)
    checked.set(name, good)
  }
  ensure(good, 'BAD_KEY', 'not a valid public key')
}

const verified = new Map<string, boolean>()

/** In the order key, form, equation. Answers are kept: one receipt asks about a signature more than once. */
export function verify(key: PublicKey, message: Bytes, signature: Bytes): void {
  checkKey(key)
  if (key.alg === ES256) checkFormEs256(signature)
  else checkFormEd25519(signature)
  const question = hex(sha256(Uint8Array.of(-key.alg), key.bytes, signature, message))
  let good = verified.get(question)
  if (good === undefined) verified.set(question, good = equationHolds(key, message, signature))
  ensure(good, 'BAD_SIGNATURE', 'the signature does not verify')
}

function checkFormEs256(signature: Bytes): void {
  const r = be(signature.subarray(0, 32)), s = be(signature.subarray(32))
  ensure(signature.length === 64 && r >= 1n && r < N && s >= 1n && s < N, 'BAD_SIGNATURE', 'r or s is out of range')
  ensure(2n * s <= N, 'HIGH_S', 'the signature is not in its low-s form')
}

function checkFormEd25519(signature: Bytes): void {
  ensure(signature.length === 64 && reversed(signature.subarray(32)) < L && pointAllowed(signature.subarray(0, 32)), 'BAD_SIGNATURE', 'R or S is not in its one form')
}

/** Ed25519 without cofactor: the encoding of [S]B − [k]A is R. */
function equationHolds(key: PublicKey, message: Bytes, signature: Bytes): boolean {
  if (key.alg === ES256) return p256.verify(signature, message, join(Uint8Array.of(4), key.bytes), { prehash: true, lowS: true, format: 'compact' })
  const R = signature.subarray(0, 32), k = reversed(sha512(R, key.bytes, message)) % L
  const A = ed25519.Point.fromHex(hex(key.bytes)), s = reversed(signature.subarray(32))
  const sB = s === 0n ? ed25519.Point.ZERO : ed25519.Point.BASE.multiplyUnsafe(s)
  const kA = k === 0n ? ed25519.Point.ZERO : A.multiplyUnsafe(k)
  return hex(sB.subtract(kA).toBytes()) === hex(R)
}

function sha512(...parts: Bytes[]): Bytes {
  const h = noble512.create()
  for (const p of parts) h.update(p)
  return h.digest()
}

