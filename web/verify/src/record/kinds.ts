/** The kinds of entry, docs/formats/entry.md: one table of fields each, and the rules beside it. */
import { type Bytes, MAX63, compare, ensure, hex, join, toUtf8, unhex } from '../codec/bytes.ts'
import { cborBytes, cborText, head } from '../codec/cbor.ts'
import { type Field, type Read, bytes, constant, field, h16, h32, h64, list, map, maybe, small, text, time, tuple, uint } from '../codec/schema.ts'
import { TreeBuilder, leafHash } from '../codec/tree.ts'

const ENTRY_MAX = 16384, PARTIES_MAX = 64, KEYS_MAX = 256, HELD_MAX = 64
const party = uint(1, PARTIES_MAX), quorum = uint(0, PARTIES_MAX)
const seen = tuple({ position: uint(), leaf: h32 })
const nested = bytes(1, ENTRY_MAX)
const reason = uint(1, 9)

export const DEPOSITOR = 1, PROVIDER = 2, ORGANISATION = 4, READER = 8, AUDITOR = 16, OPERATOR = 32, ADMINISTRATOR = 64, NODE = 128
export const ITEM = 1n, FOLDER = 2n, EQUIVOCATION = 2n

/** How a provider's store holds something: what of it is locked, until when, in which versions. */
const heldObject = tuple({ name: h32, version: text(1, 127) })
const held = tuple({ mode: uint(0, 2), until: time, n: uint(1), root: h32, objects: list(heldObject, 1, HELD_MAX) })
export type Held = ReturnType<typeof held>
export const FREE = 0n, COMPLIANCE = 2n

/** Keys that a party gets, with proof that somebody holds them, and keys that no longer act. */
const given = tuple({ purpose: small(1), negAlg: small(1), key: bytes(1, 64), proof: h64 }), revoked = tuple({ kid: h32, since: uint() })
/** What a proposal asks for. */
export const JOIN = 1n, CHANGE_KEYS = 2n, LEAVE = 3n, POLICY = 4n

const partyKey = tuple({ purpose: small(1), negAlg: small(1), key: bytes(1, 64) })

const fields = {
  genesis: {
    type: field(0, constant('application/custody-genesis+cbor')), origin: field(1, text(1, 128)), nonce: field(2, h16), suite: field(3, small(1)),
    rules: field(4, small(1)), engine: field(5, small(1)), time: field(6, time),
    parties: field(7, list(tuple({ id: party, role: small(1), organisation: party, keys: list(partyKey, 0, KEYS_MAX) }), 1, PARTIES_MAX)),
    policy: field(8, map({
      cosigners: field(1, quorum), copies: field(2, quorum), mandatory: field(3, list(uint(0, (1n << 64n) - 1n), 0, PARTIES_MAX)),
      acceptanceAge: field(4, time), openBundles: field(5, uint(0, 1)), retention: maybe(6, uint(1, 36500)),
      seal: maybe(7, list(tuple({ profile: text(1, 32), two: uint(0, 1) }), 1, 8)) })),
    commitment: field(9, h32),
  },
  block: {
    type: field(0, constant('application/custody-block+cbor')), height: field(1, uint(1)), opened: field(2, time), closed: field(3, time),
    first: field(4, uint()), count: field(5, small(1)), root: field(6, h32), digest: field(7, h32),
  },
  confirm: { party: field(1, party), time: field(2, time), keys: field(3, list(tuple({ kid: h32, signature: h64 }), 1, KEYS_MAX)) },
  case: { case: field(1, h16), time: field(2, time), seen: field(3, seen), commitment: field(4, h32) },
  claim: {
    serial: field(1, uint(1)), case: field(2, h16), content: field(3, uint(ITEM, FOLDER)), size: field(4, uint()), root: field(5, h32),
    time: field(6, time), seen: field(7, seen), commitment: field(8, h32),
    folder: maybe(9, tuple({ items: uint(0, 16777216), bytes: uint(), root: h32 })), sealed: maybe(10, list(h32, 1, 64)), notice: maybe(11, h32), second: maybe(12, list(h32, 1, 64)),
  },
  deposit: { claim: field(1, nested), time: field(2, time), seen: field(3, seen), held: maybe(4, held) },
  refusal: { claim: field(1, nested), time: field(2, time), seen: field(3, seen), reason: field(4, reason) },
  void: { serial: field(1, uint(1)), time: field(2, time), seen: field(3, seen), reason: field(4, reason), commitment: field(5, h32), claim: maybe(6, h32) },
  stored: { time: field(1, time), seen: field(2, seen), ranges: field(3, list(tuple({ first: uint(), last: uint() }), 1, 512)), held: maybe(4, held) },
  incident: {
    time: field(1, time), seen: field(2, seen), type: field(3, uint(1, 4)), count: field(4, uint()), root: field(5, h32), commitment: field(6, h32),
    claim: maybe(7, nested),
  },
  correction: { time: field(1, time), seen: field(2, seen), target: field(3, h32), commitment: field(4, h32) },
  access: { time: field(1, time), seen: field(2, seen), count: field(3, uint(1)), root: field(4, h32), commitment: field(5, h32) },
  inventory: {
    time: field(1, time), seen: field(2, seen), case: maybe(3, h16), kid: maybe(4, h32), n: field(5, uint()), root: field(6, h32), last: maybe(7, h32),
    open: field(8, list(tuple({ kid: h32, numbers: list(uint(0, (1n << 64n) - 1n), 1, 1024) }), 0, 64)),
  },
  disclosure: { time: field(1, time), seen: field(2, seen), targets: field(3, list(h32, 1, 400)), commitment: field(4, h32) },
  member: {
    time: field(1, time), seen: field(2, seen), party: field(3, party), role: field(4, small(1)),
    keys: field(5, list(given, 0, 16)), revoked: field(6, list(revoked, 0, 16)), commitment: field(7, h32),
  },
  propose: {
    time: field(1, time), seen: field(2, seen), change: field(3, uint(JOIN, POLICY)), party: field(4, uint(0, PARTIES_MAX)),
    keys: field(5, list(given, 0, 5)), revoked: field(6, list(revoked, 0, 8)), until: field(7, time), commitment: field(8, h32),
    terms: maybe(9, tuple({ cosigners: quorum, copies: quorum, mandatory: list(uint(0, (1n << 64n) - 1n), 0, PARTIES_MAX) })),
    rules: maybe(10, tuple({ version: small(2), height: uint(1) })),
  },
  approve: { time: field(1, time), seen: field(2, seen), proposal: field(3, h32) },
  timeout: { time: field(1, time), seen: field(2, seen), claim: maybe(3, nested), notice: maybe(4, h32) },
  notice: { time: field(1, time), seen: field(2, seen), provider: field(3, party), case: field(4, h16), deadline: field(5, time), commitment: field(6, h32) },
  acknowledge: { time: field(1, time), seen: field(2, seen), notice: field(3, h32) },
  grant: { time: field(1, time), seen: field(2, seen), target: field(3, h32), readers: field(4, list(h32, 1, 16)), commitment: field(5, h32) },
  answer: {
    time: field(1, time), seen: field(2, seen), notice: field(3, h32), n: field(4, uint()), root: field(5, h32), reason: maybe(6, reason),
    commitment: field(7, h32),
  },
} satisfies Record<string, Record<string, Field<any>>>

export type Kind = keyof typeof fields
export type Payload<K extends Kind> = ReturnType<ReturnType<typeof readerOf<K>>>
const readerOf = <K extends Kind>(kind: K) => map(fields[kind])
export const payloadFields: Record<Kind, Record<string, Field<any>>> = fields

export type AnyPayload = { [K in Kind]: { kind: K, payload: Payload<K> } }[Kind]
export type PartyKey = Payload<'genesis'>['parties'][number]['keys'][number]
export type Seen = Payload<'case'>['seen']

const bad = (ok: boolean, what: string): void => ensure(ok, 'MALFORMED', what)
/** Strictly, from above 32 zero bytes. */
const rising = (of: Bytes[]): boolean => of.every((x, i) => compare(of[i - 1] ?? new Uint8Array(32), x) < 0)

/** Where all of them are listed the root is theirs. */
function checkHeld(of: Held | undefined): void {
  if (!of) return
  const listed = of.n < BigInt(HELD_MAX) ? of.n : BigInt(HELD_MAX), tree = new TreeBuilder()
  bad((of.mode === FREE) === (of.until === 0n), 'held: a time until when goes with what is locked')
  bad(BigInt(of.objects.length) === listed && of.objects.every((o, i, all) => i === 0 || compare(all[i - 1]!.name, o.name) < 0), 'held: the objects ascend, and are as many as it says')
  for (const o of of.objects) tree.add(leafHash(join(head(4, 2), cborBytes(o.name), cborText(o.version))))
  bad(of.n > listed || hex(tree.root()) === hex(of.root), 'held: the root is not that of the objects that it lists')
}

/** What a table of fields cannot say. */
const rules: { [K in Kind]?: (p: Payload<K>) => void } = {
  genesis: (g) => {
    const slash = g.origin.length - 33, nonce = g.origin.slice(slash + 1)
    bad(slash > 0 && g.origin[slash] === '/' && toUtf8(g.origin).length === g.origin.length, 'genesis: the origin is not "<name>/<32 hex digits>"')
    bad(/^[!-*,-~]+$/.test(g.origin.slice(0, slash)), 'genesis: the name in the origin is printable ASCII without space and +')
    bad(hex(unhex(nonce, 16)) === hex(g.nonce), 'genesis: the origin does not end with the nonce')
    bad(g.policy.mandatory.every((id, i, all) => id > (i === 0 ? 0n : all[i - 1]!)), 'genesis: the mandatory organisations ascend')
    bad((g.policy.seal ?? []).every((s, i, all) => i === 0 || compare(toUtf8(all[i - 1]!.profile), toUtf8(s.profile)) < 0), 'genesis: the profiles that must be sealed ascend')
  },
  block: (b) => {
    bad(b.first + b.count <= MAX63, 'block: its records end beyond any log')
    bad(b.opened <= b.closed, 'block: closed before it was opened')
  },
  confirm: (c) => bad(rising(c.keys.map((k) => k.kid)), 'confirm: the key ids ascend'),
  claim: (c) => {
    bad((c.folder !== undefined) === (c.content === FOLDER), 'claim: the folder field goes with a folder')
    bad(c.sealed === undefined || (c.folder === undefined && rising(c.sealed)), 'claim: an item is sealed for keys that ascend')
    bad(c.second === undefined || (c.sealed !== undefined && rising(c.second)), 'claim: what is sealed within is sealed without, for keys that ascend')
    bad(c.second === undefined || c.second.every((kid) => c.sealed!.every((other) => compare(kid, other) !== 0)), 'claim: one key alone would open what needs two')
  },
  deposit: (d) => checkHeld(d.held),
  stored: (s) => {
    bad(s.ranges.every((r, i) => r.first <= r.last && (i === 0 || s.ranges[i - 1]!.last < r.first)), 'stored: ranges ascend and do not overlap')
    checkHeld(s.held)
  },
  incident: (i) => bad((i.claim !== undefined) === (i.type === EQUIVOCATION), 'incident: a claim goes with an equivocation'),
  inventory: (v) => {
    bad((v.case === undefined) !== (v.kid === undefined), 'inventory: of a case or of a key')
    bad((v.last !== undefined) === v.n > 0n, 'inventory: the last id stands there if there is one')
    bad(rising(v.open.map((o) => o.kid)), 'inventory: the keys ascend')
    bad(v.kid === undefined || v.open.every((o) => hex(o.kid) === hex(v.kid!)), 'inventory: open numbers of another key')
    bad(v.open.every((o) => o.numbers.every((n, i, all) => n > (i === 0 ? 0n : all[i - 1]!))), 'inventory: open numbers ascend from 1')
    ensure(v.open.reduce((n, o) => n + o.numbers.length, 0) <= 1024, 'TOO_LARGE', 'inventory: more than 1,024 open numbers')
  },
  disclosure: (d) => bad(rising(d.targets), 'disclosure: the ids ascend'),
  grant: (g) => bad(rising(g.readers), 'grant: the key ids ascend'),
  member: (m) => {
    bad(m.keys.length + m.revoked.length > 0, 'member: it neither gives nor revokes a key')
    bad(rising(m.revoked.map((r) => r.kid)), 'member: the ids of revoked keys ascend')
  },
  propose: (p) => {
    const keys = p.change === CHANGE_KEYS, mandatory = p.terms?.mandatory ?? []
    bad((p.party === 0n) === (p.change === POLICY), 'propose: it names an organisation if it is about one')
    bad(p.change !== POLICY || p.terms !== undefined || p.rules !== undefined, 'propose: it changes nothing')
    bad((p.keys.length > 0) === (p.change === JOIN) || keys, 'propose: keys belong to who joins or changes them')
    bad(keys ? p.keys.length + p.revoked.length > 0 : p.revoked.length === 0, 'propose: keys change if one is given or revoked')
    bad(mandatory.every((id, i) => id > (mandatory[i - 1] ?? 0n) && id <= 64n), 'propose: who must hold a copy ascends')
    bad(mandatory.length <= Number(p.terms?.copies ?? 0n), 'propose: more must hold a copy than copies are asked for')
    bad(p.keys.every((k, i) => k.purpose > (p.keys[i - 1]?.purpose ?? 0n) && k.purpose <= 5n), 'propose: the purposes ascend')
    bad(rising(p.revoked.map((r) => r.kid)), 'propose: the ids of revoked keys ascend')
  },
  timeout: (t) => bad((t.claim !== undefined) !== (t.notice !== undefined), 'timeout: of a claim, or of a notice'),
  answer: (a) => bad((a.reason !== undefined) === (a.n === 0n), 'answer: deposits, or a reason why there are none'),
}

const readers = new Map(Object.entries(fields).map(([kind, f]) => [kind, map(f) as Read<any>]))

export function readPayload<K extends Kind>(kind: K, item: Parameters<Read<any>>[0]): Payload<K> {
  const payload = readers.get(kind)!(item, kind) as Payload<K>
  rules[kind]?.(payload)
  return payload
}

/** How a kind stands in the log, who may sign it. */
interface Row { form: 'plain' | 'signed' | 'nested', roles: number }
export const kinds: Record<Kind, Row> = {
  genesis: { form: 'plain', roles: 0 }, block: { form: 'plain', roles: 0 },
  confirm: { form: 'signed', roles: ORGANISATION }, case: { form: 'signed', roles: DEPOSITOR | ORGANISATION },
  claim: { form: 'nested', roles: DEPOSITOR }, deposit: { form: 'signed', roles: PROVIDER }, refusal: { form: 'signed', roles: PROVIDER },
  void: { form: 'signed', roles: DEPOSITOR }, stored: { form: 'signed', roles: ORGANISATION | NODE }, incident: { form: 'signed', roles: ORGANISATION | NODE },
  correction: { form: 'signed', roles: DEPOSITOR | ORGANISATION }, access: { form: 'signed', roles: ORGANISATION | NODE },
  inventory: { form: 'signed', roles: DEPOSITOR | ORGANISATION | AUDITOR }, disclosure: { form: 'signed', roles: DEPOSITOR | ORGANISATION },
  member: { form: 'signed', roles: ORGANISATION | ADMINISTRATOR }, timeout: { form: 'signed', roles: ORGANISATION | NODE },
  grant: { form: 'signed', roles: DEPOSITOR | ORGANISATION }, notice: { form: 'signed', roles: DEPOSITOR | ORGANISATION },
  propose: { form: 'signed', roles: ORGANISATION }, approve: { form: 'signed', roles: ORGANISATION }, acknowledge: { form: 'signed', roles: PROVIDER }, answer: { form: 'signed', roles: PROVIDER },
}
/** Who says anew how it is held. */
export const HOLDS_ANEW = PROVIDER
/** The roles of a claim that answers a notice, and of its outcome. */
export const answering: Partial<Record<Kind, number>> = { claim: PROVIDER, deposit: DEPOSITOR | ORGANISATION, refusal: DEPOSITOR | ORGANISATION }
/** By role: who may enrol parties of it, and give and revoke their keys. */
export const enrollers: Record<number, number> = {
  [ORGANISATION]: ORGANISATION, [ADMINISTRATOR]: ORGANISATION,
  ...Object.fromEntries([DEPOSITOR, PROVIDER, READER, AUDITOR, OPERATOR, NODE].map((role) => [role, ORGANISATION | ADMINISTRATOR])),
}

const typeOf = (kind: Kind): string => `application/custody-${kind}+${kinds[kind].form === 'plain' ? 'cbor' : 'cose'}`
const byType = new Map((Object.keys(kinds) as Kind[]).map((kind) => [typeOf(kind), kind]))
export const kindOf = (type: string): Kind | undefined => byType.get(type)
