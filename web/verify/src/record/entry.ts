/** Entries of the log and the statements in them, docs/formats/entry.md: by their form alone. */
import { type Bytes, ensure, join, same } from '../codec/bytes.ts'
import { type Item, cborBytes, cborText, head, readCbor } from '../codec/cbor.ts'
import { sha256 } from '../codec/hash.ts'
import { publicLength } from '../codec/keys.ts'
import { field, h32, int, map, text } from '../codec/schema.ts'
import { leafHash } from '../codec/tree.ts'
import { type AnyPayload, type Kind, type Payload, type Seen, kindOf, kinds, readPayload } from './kinds.ts'

const ENTRY_MAX = 16384, CLAIM_MAX = 4096, PROTECTED_MAX = 160
const SIGN1 = 18n

export const headerFields = {
  alg: field(1, int(-(1n << 31n), (1n << 31n) - 1n)), kid: field(4, h32), typ: field(16, text(1, 64)), network: field(-65537, h32),
}
const header = map(headerFields)

export type Statement = AnyPayload & { alg: number, kid: Bytes, network: Bytes, signed: Bytes, signature: Bytes, id: Bytes }

/** A leaf of the log. `outer` is its own statement or, of a plain entry, its map; `inner` the claim that it nests. */
export interface Entry {
  kind: Kind
  bytes: Bytes
  leaf: Bytes
  outer: AnyPayload
  statement: Statement | undefined
  inner: (Statement & { kind: 'claim' }) | undefined
}

/** ["Signature1", protected, h'', payload] */
function sigStructure(protectedHeader: Bytes, payload: Bytes): Bytes {
  return join(head(4, 4), cborText('Signature1'), cborBytes(protectedHeader), cborBytes(new Uint8Array()), cborBytes(payload))
}

const mustBe = (ok: boolean, what: string): void => ensure(ok, 'MALFORMED', `statement: ${what}`)

function bytesOf(item: Item | undefined, max: number, what: string): Bytes {
  ensure(item?.is === 'bytes' && item.value.length <= max, 'MALFORMED', `statement: ${what} is no byte string of at most ${max}`)
  return item.value
}

export function readStatement(bytes: Bytes): Statement {
  ensure(bytes.length <= ENTRY_MAX, 'TOO_LARGE', 'statement: more than 16,384 bytes')
  const whole = readCbor(bytes)
  ensure(whole.is === 'tag' && whole.tag === SIGN1 && whole.item.is === 'array' && whole.item.items.length === 4, 'MALFORMED', 'statement: not a COSE_Sign1 under tag 18')
  const [first, unprotected, third, fourth] = whole.item.items
  const protectedHeader = bytesOf(first, PROTECTED_MAX, 'the protected header')
  mustBe(unprotected!.is === 'map', 'the unprotected header is not a map')
  const payload = bytesOf(third, ENTRY_MAX, 'the payload'), signature = bytesOf(fourth, 64, 'the signature')
  ensure(unprotected!.is === 'map' && unprotected!.pairs.length === 0, 'UNPROTECTED_HEADER', 'statement: something stands in its unprotected header')
  ensure(signature.length > 0, 'MISSING_SIGNATURE', 'statement: its signature is missing')
  mustBe(signature.length === 64, 'a signature has 64 bytes')

  const { alg, kid, typ, network } = header(readCbor(protectedHeader), 'protected header'), kind = kindOf(typ)
  ensure(kind !== undefined && kinds[kind].form !== 'plain', 'WRONG_KIND', `statement: "${typ}" is not the type of a statement`)
  mustBe(publicLength(Number(alg)) !== undefined, `algorithm ${alg} is not known`)
  ensure(kind !== 'claim' || bytes.length <= CLAIM_MAX, 'TOO_LARGE', 'claim: more than 4,096 bytes')
  const signed = sigStructure(protectedHeader, payload)
  return { kind, payload: readPayload(kind, readCbor(payload)), alg: Number(alg), kid, network, signed, signature, id: sha256(signed) } as Statement
}

export function readNestedClaim(bytes: Bytes, network: Bytes): Statement & { kind: 'claim' } {
  const claim = readStatement(bytes)
  ensure(claim.kind === 'claim', 'WRONG_KIND', `a ${claim.kind} stands where the claim should`)
  ensure(same(claim.network, network), 'WRONG_NETWORK', 'the claim in it was signed for another ledger')
  return claim
}

export function readEntry(bytes: Bytes): Entry {
  ensure(bytes.length <= ENTRY_MAX, 'TOO_LARGE', 'entry: more than 16,384 bytes')
  return bytes.length > 0 && bytes[0]! >> 5 === 5 ? readPlain(bytes) : readSigned(bytes)
}

function readPlain(bytes: Bytes): Entry {
  const item = readCbor(bytes), [key, value] = item.is === 'map' ? item.pairs[0] ?? [] : []
  ensure(key?.is === 'int' && key.value === 0n && value?.is === 'text' && value.end - value.from >= 1 && value.end - value.from <= 64,
    'MALFORMED', 'entry: a map that does not begin with its type')
  const kind = kindOf(value.value)
  ensure(kind !== undefined && kinds[kind].form === 'plain', 'WRONG_KIND', `entry: "${value.value}" is not the type of a plain entry`)
  return { kind, bytes, leaf: leafHash(bytes), outer: { kind, payload: readPayload(kind, item) } as AnyPayload, statement: undefined, inner: undefined }
}

function readSigned(bytes: Bytes): Entry {
  const statement = readStatement(bytes), { kind } = statement
  ensure(kinds[kind].form === 'signed', 'MISSING_SIGNATURE', `a ${kind} stands alone: the other party has not signed`)
  const inner = kind === 'deposit' || kind === 'refusal' ? readNestedClaim(statement.payload.claim, statement.network) : undefined
  evidenceOf(statement)
  return { kind, bytes, leaf: leafHash(bytes), outer: statement, statement, inner }
}

/** A claim that an entry holds whole beside its own signatures: an incident's second one, or the one that a timeout is about. */
export function evidenceOf(st: Statement): Statement & { kind: 'claim' } | undefined {
  const claim = st.kind === 'incident' || st.kind === 'timeout' ? st.payload.claim : undefined
  return claim && readNestedClaim(claim, st.network)
}
/** The notice that an entry is about, by its id. */
export function noticeOf({ inner, outer }: Entry): Bytes | undefined {
  if (inner) return inner.payload.notice
  return outer.kind === 'timeout' || outer.kind === 'acknowledge' || outer.kind === 'answer' ? outer.payload.notice : undefined
}

/** The depositor's own statement where two are nested. */
export const innermost = (e: Entry): AnyPayload => e.inner ?? e.outer
export const idOf = (e: Entry): Bytes => e.inner?.id ?? e.statement?.id ?? e.leaf

export function commitmentOf(e: Entry): Bytes | undefined {
  const { payload } = innermost(e)
  return 'commitment' in payload ? payload.commitment : undefined
}
export function seenOf(payload: Payload<Kind>): Seen | undefined { return 'seen' in payload ? payload.seen : undefined }
export function timeOf(e: Entry): bigint {
  const { payload } = innermost(e)
  return 'time' in payload ? payload.time : (payload as Payload<'block'>).closed
}
