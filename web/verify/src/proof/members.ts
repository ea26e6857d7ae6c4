/** Parties and keys, from the genesis, the confirms and the member entries behind it: may this key say that, there? docs/formats/entry.md, "Enrolment". */
import { type Bytes, ensure, hex, join, same, toUtf8 } from '../codec/bytes.ts'
import { ED25519, ES256, type PublicKey, X25519, checkKey, keyId, publicLength, verify } from '../codec/keys.ts'
import { type Statement } from '../record/entry.ts'
import { CHANGE_KEYS, DEPOSITOR, HOLDS_ANEW, JOIN, LEAVE, ORGANISATION, PROVIDER, type PartyKey, type Payload, answering, enrollers, kinds } from '../record/kinds.ts'

/** Of an organisation: `later`, genesis does not have it; `joined`, and it was approved. */
export interface Party { id: bigint, role: number, organisation: bigint, confirmed: boolean, later?: boolean, joined?: boolean, left?: boolean }
export interface Terms { cosigners: bigint, copies: bigint, mandatory: bigint[] }
export interface Proposal { id: Bytes, position: bigint, organisation: bigint, said: Payload<'propose'>, approvals: Set<bigint>, keys: MemberKey[] }
export interface MemberKey { kid: Bytes, key: PublicKey, party: Party, purpose: number, from: bigint | undefined, until?: bigint, since?: bigint }

const STATEMENT = 1, LOG = 2, SEALING = 7, PROPOSALS_MAX = 16
const NOBODY = (1n << 63n) - 1n // has the key, says a revocation
const ANYONE = DEPOSITOR | PROVIDER | ORGANISATION
/** By purpose: who may hold such a key. */
const HOLDERS: Record<number, number> = { [STATEMENT]: ANYONE, [LOG]: ORGANISATION, 3: ORGANISATION, 4: ORGANISATION, 5: ORGANISATION }
const malformed = (ok: boolean, text: string): void => ensure(ok, 'MALFORMED', `genesis: ${text}`)

export class Members {
  readonly parties: Party[] = []
  private proposals: Proposal[] = []
  private readonly byKid = new Map<string, MemberKey>()

  constructor(genesis: Payload<'genesis'>, readonly network: Bytes) {
    ensure(genesis.suite === 1n && genesis.rules <= 1n && genesis.engine <= 2n, 'NEWER_FORMAT', 'genesis: a suite, rules or an engine that is not known here')
    for (const p of genesis.parties) {
      malformed(p.id === BigInt(this.parties.length + 1), 'party ids are 1, 2, 3 …')
      malformed([DEPOSITOR, PROVIDER, ORGANISATION].includes(Number(p.role)), `party ${p.id} has an unknown role`)
      const party = { id: p.id, role: Number(p.role), organisation: p.organisation, confirmed: false }
      this.parties.push(party)
      for (const k of p.keys) this.enter(party, k)
    }
    for (const p of this.parties) this.checkParty(p)
    this.checkPolicy(genesis.policy)
  }

  private enter(party: Party, from: PartyKey): void {
    const purpose = Number(from.purpose), holders = HOLDERS[purpose]
    malformed(holders !== undefined && (holders & party.role) !== 0, `party ${party.id} may not have a key of purpose ${purpose}`)
    const key: PublicKey = { alg: purpose === STATEMENT ? ES256 : ED25519, bytes: from.key }
    ensure(from.negAlg === BigInt(-key.alg) && from.key.length === publicLength(key.alg), 'BAD_KEY', `genesis: a key of party ${party.id} is of another algorithm`)
    checkKey(key)
    const kid = keyId(key)
    ensure(!this.byKid.has(hex(kid)), 'BAD_KEY', 'genesis: a public key is listed twice')
    ensure(this.byKid.size < 256, 'TOO_LARGE', 'genesis: more than 256 keys')
    this.byKid.set(hex(kid), { kid, key, party, purpose, from: undefined })
  }

  private has(party: Party, purpose: number): boolean {
    return [...this.byKid.values()].some((k) => k.party === party && k.purpose === purpose)
  }

  /** As the receipt brings the entries of some parties only, ids may have gaps. */
  party(id: bigint): Party | undefined { return this.parties.find((p) => p.id === id) }

  private isOrganisation(id: bigint): boolean { return this.party(id)?.role === ORGANISATION }

  private checkParty(p: Party): void {
    malformed(this.has(p, STATEMENT), `party ${p.id} has no statement key`)
    malformed(this.isOrganisation(p.organisation), `party ${p.id} is run by no organisation`)
    malformed(p.role !== ORGANISATION || (p.organisation === p.id && this.has(p, LOG)), `organisation ${p.id} is run by another, or has no log key`)
  }

  private checkPolicy(policy: Payload<'genesis'>['policy']): void {
    const n = BigInt(this.organisations.length)
    malformed(policy.cosigners <= n && policy.copies <= n, 'the policy asks for more organisations than there are')
    malformed(BigInt(policy.mandatory.length) <= policy.copies, 'more organisations must hold a copy than copies are asked for')
    malformed(policy.mandatory.every((id) => this.isOrganisation(id)), 'a party that must hold a copy is no organisation')
  }

  /** Those that count: of genesis, or confirmed; and they have not left. */
  get organisations(): Party[] { return this.parties.filter((p) => p.role === ORGANISATION && !p.left && (p.confirmed || !p.later)) }
  key(kid: Bytes): MemberKey | undefined { return this.byKid.get(hex(kid)) }
  organisationOf(kid: Bytes): bigint | undefined { return this.key(kid)?.party.organisation }

  /** The key that made a statement, if it may make it at this position. */
  signer(st: Statement, position: bigint, claim?: Payload<'claim'>): MemberKey {
    ensure(same(st.network, this.network), 'WRONG_NETWORK', 'it was signed for another ledger')
    const anew = st.kind === 'stored' && st.payload.held !== undefined ? HOLDS_ANEW : undefined
    const key = this.may(st, position, anew ?? (claim?.notice && answering[st.kind]) ?? kinds[st.kind].roles)
    ensure(st.alg === key.key.alg, 'BAD_KEY', 'its header names another algorithm than the key\'s')
    return key
  }

  private may(st: Statement, position: bigint, roles: number): MemberKey {
    const key = this.key(st.kid)
    ensure(key !== undefined, 'UNKNOWN_KEY', 'the signing key is not enrolled in this ledger')
    ensure((roles & key.party.role) !== 0 && key.purpose === STATEMENT, 'WRONG_ROLE', `a key of party ${key.party.id} may not sign a ${st.kind}`)
    ensure(st.kind === 'confirm' || (key.from !== undefined && position >= key.from), 'NOT_CONFIRMED', `the key of party ${key.party.id} does not act yet`)
    ensure(key.until === undefined || position < key.until, 'REVOKED', `the key of party ${key.party.id} was revoked at position ${key.until}`)
    return key
  }

  /** An organisation proves that it holds all its keys; they act from the next position on. */
  confirm(st: Statement & { kind: 'confirm' }, position: bigint): void {
    const signer = this.signer(st, position), { party, keys } = st.payload
    verify(signer.key, st.signed, st.signature)
    ensure(signer.party.id === party, 'WRONG_ROLE', 'confirm: one organisation cannot confirm for another')
    ensure(!signer.party.confirmed, 'DUPLICATE', `confirm: organisation ${party} has confirmed already`)
    for (const { kid, signature } of keys) {
      const key = this.key(kid)
      ensure(key !== undefined && key.party.organisation === party, 'UNKNOWN_KEY', `confirm: it lists a key that is not organisation ${party}'s`)
      verify(key.key, this.possession(key), signature)
    }
    const own = [...this.byKid.values()].filter((k) => k.party.organisation === party && k.until === undefined)
    ensure(keys.length === own.length, 'MISSING_SIGNATURE', `confirm: ${keys.length} of ${own.length} keys have signed`)
    for (const k of own) k.from = position + 1n
    signer.party.confirmed = true
  }

  private possession(k: MemberKey): Bytes { return join(toUtf8('custody/possession/v1\n'), this.network, Uint8Array.of(k.purpose), k.key.bytes) }

  /** The statement key of a party that was given last, of those that act. */
  private speaker(id: bigint): MemberKey | undefined {
    return [...this.byKid.values()].reverse().find((k) => k.party.id === id && k.purpose === STATEMENT && k.until === undefined)
  }

  /** Parties and keys that come later, and keys that go: all of it, or nothing. */
  enrol(st: Statement & { kind: 'member' }, position: bigint): void {
    const signer = this.signer(st, position), { payload } = st
    verify(signer.key, st.signed, st.signature)
    this.wholly(() => {
      const party = this.take(payload, signer.party)
      for (const r of payload.revoked) this.alone(party, this.key(r.kid)?.purpose), this.revoke(party, r, position)
      for (const k of payload.keys) this.alone(party, Number(k.purpose)), this.give(party, k, position)
      ensure(this.speaker(party.organisation) !== undefined, 'NOT_ALLOWED', `member: organisation ${party.organisation} would be left without a statement key`)
    })
  }

  /** What goes wrong, or was only tried, changes nothing. */
  private wholly(change: () => void, tried = false): void {
    const kept = [...this.byKid].map(([kid, k]) => [kid, { ...k }] as const), parties = this.parties.map((p) => [p, { ...p }] as const), proposals = [...this.proposals]
    const back = (): void => {
      this.byKid.clear()
      for (const [kid, k] of kept) this.byKid.set(kid, k)
      this.parties.splice(0, this.parties.length, ...parties.map(([p, was]) => Object.assign(p, { later: false, joined: false, left: false, ...was })))
      this.proposals = proposals
    }
    try {
      change()
    } catch (e) {
      back()
      throw e
    }
    if (tried) back()
  }

  /** One of several does not change its own statement keys: the others approve of that. */
  private alone(party: Party, purpose: number | undefined): void {
    ensure(party.role !== ORGANISATION || this.organisations.length < 2 || purpose !== STATEMENT, 'NOT_ALLOWED', 'member: the statement keys of one of several organisations change by a proposal')
  }

  /* ---- what the organisations decide: entry.md, "Changes" ---- */

  propose(st: Statement & { kind: 'propose' }, position: bigint): void {
    const signer = this.signer(st, position), said = st.payload
    verify(signer.key, st.signed, st.signature)
    const keys = said.keys.map((k) => this.proposed(said.party, k))
    const p = { id: st.id, position, organisation: signer.party.id, said, approvals: new Set<bigint>(), keys }
    this.wholly(() => {
      this.reserve(said)
      this.enact(p, position)
    }, true)
    this.reserve(said)
    this.forget(p.organisation)
    if (this.proposals.length === PROPOSALS_MAX) {
      const first = this.proposals.reduce((a, b) => b.said.until < a.said.until || (b.said.until === a.said.until && b.position < a.position) ? b : a)
      this.forget(first.organisation)
    }
    this.proposals.push(p)
  }

  private proposed(party: bigint, from: Payload<'propose'>['keys'][number]): MemberKey {
    const purpose = Number(from.purpose), key: PublicKey = { alg: purpose === STATEMENT ? ES256 : ED25519, bytes: from.key }
    ensure(from.negAlg === BigInt(-key.alg) && from.key.length === publicLength(key.alg), 'BAD_KEY', 'propose: a key is of another algorithm than its purpose takes')
    checkKey(key)
    const given: MemberKey = { kid: keyId(key), key, party: { id: party, role: ORGANISATION, organisation: party, confirmed: false }, purpose, from: undefined }
    this.unlisted(given)
    verify(key, this.possession(given), from.proof)
    return given
  }

  private unlisted(k: MemberKey): void {
    ensure(!this.byKid.has(hex(k.kid)), 'BAD_KEY', 'propose: a key is listed already')
    ensure(this.byKid.size < 256, 'TOO_LARGE', 'propose: more than 256 keys')
  }

  private reserve(said: Payload<'propose'>): void {
    if (said.change === JOIN && !this.party(said.party))
      this.parties.push({ id: said.party, role: ORGANISATION, organisation: said.party, confirmed: false, later: true })
  }

  private forget(organisation: bigint): void { this.proposals = this.proposals.filter((p) => p.organisation !== organisation) }

  /** The one with which more than two thirds approve takes effect, unless more are known to follow. What then holds is returned. */
  approve(st: Statement & { kind: 'approve' }, position: bigint, more: boolean): Proposal | undefined {
    const signer = this.signer(st, position)
    verify(signer.key, st.signed, st.signature)
    const p = this.proposals.find((p) => same(p.id, st.payload.proposal)), by = signer.party.id
    ensure(p !== undefined, 'UNKNOWN_TARGET', 'approve: no such proposal is open')
    ensure(!p.approvals.has(by), 'DUPLICATE', `approve: organisation ${by} has approved of it already`)
    const { organisations } = this, approving = organisations.filter((o) => o.id === by || p.approvals.has(o.id)).length
    if (3 * approving <= 2 * organisations.length || more) {
      p.approvals.add(by)
      return undefined
    }
    this.wholly(() => {
      this.forget(p.organisation)
      this.enact(p, position)
    })
    return p
  }

  private enact({ said, keys }: Proposal, position: bigint): void {
    const party = this.party(said.party)
    if (said.change === CHANGE_KEYS || said.change === LEAVE)
      ensure(party?.role === ORGANISATION && !party.left && (!party.later || !!party.joined), 'WRONG_ROLE', `propose: party ${said.party} is no organisation of this ledger`)
    if (said.change === JOIN) {
      ensure(party?.role === ORGANISATION && !!party.later && !party.joined, 'OUT_OF_ORDER', `propose: party ${said.party} is there already`)
      party.joined = true
      this.giveAll(party, keys, undefined, position)
    }
    if (said.change === CHANGE_KEYS) this.changeKeys(party!, said, keys, position)
    if (said.change === LEAVE) {
      party!.left = true
      for (const k of this.byKid.values()) if (k.party.organisation === said.party) k.until ??= position
      this.forget(said.party)
    }
  }

  private changeKeys(party: Party, said: Payload<'propose'>, keys: MemberKey[], position: bigint): void {
    ensure(party.confirmed, 'NOT_CONFIRMED', `propose: organisation ${party.id} has not confirmed the keys that it has`)
    for (const { kid, since } of said.revoked) {
      const key = this.key(kid)
      ensure(key !== undefined && key.party.id === party.id, 'UNKNOWN_KEY', `propose: organisation ${party.id} has no such key to revoke`)
      ensure(key.purpose === STATEMENT, 'WRONG_ROLE', 'propose: a key of another purpose ends when another takes its place')
      ensure(key.until === undefined, 'DUPLICATE', `propose: the key was revoked at position ${key.until}`)
      ensure(since < position || since === NOBODY, 'OUT_OF_ORDER', 'propose: a key is compromised since a position before its revocation, or not at all')
      key.until = position
      if (since !== NOBODY) key.since = since
    }
    this.giveAll(party, keys, position + 1n, position)
    ensure(this.speaker(party.id) !== undefined, 'NOT_ALLOWED', `propose: organisation ${party.id} would be left without a statement key`)
  }

  private giveAll(party: Party, keys: MemberKey[], from: bigint | undefined, position: bigint): void {
    for (const k of keys) {
      this.unlisted(k)
      if (k.purpose !== STATEMENT) for (const old of this.byKid.values()) if (old.party.id === party.id && old.purpose === k.purpose) old.until ??= position
      this.byKid.set(hex(k.kid), { ...k, party, from })
    }
  }

  private take(p: Payload<'member'>, by: Party): Party {
    const known = this.party(p.party), role = Number(p.role)
    if (known) {
      ensure(known.organisation === by.organisation, 'WRONG_ROLE', `member: party ${p.party} is run by another organisation`)
      ensure(known.role === role, 'WRONG_ROLE', `member: party ${p.party} has another role`)
    } else ensure(role !== ORGANISATION, 'WRONG_ROLE', 'member: an organisation joins by a proposal')
    ensure(((enrollers[role] ?? 0) & by.role) !== 0, 'WRONG_ROLE', `member: party ${by.id} may not enrol a party of role ${role}`)
    if (known) return known
    const party = { id: p.party, role, organisation: by.organisation, confirmed: false }
    this.parties.push(party)
    return party
  }

  private revoke(party: Party, { kid, since }: Payload<'member'>['revoked'][number], position: bigint): void {
    const key = this.key(kid)
    ensure(key !== undefined && key.party.id === party.id, 'UNKNOWN_KEY', `member: party ${party.id} has no such key to revoke`)
    ensure(key.purpose === STATEMENT || key.purpose === SEALING, 'WRONG_ROLE', `member: a key of purpose ${key.purpose} is not revoked this way`)
    ensure(key.until === undefined, 'DUPLICATE', `member: the key was revoked at position ${key.until}`)
    ensure(since < position || since === NOBODY, 'OUT_OF_ORDER', 'member: a key is compromised since a position before its revocation, or not at all')
    key.until = position
    if (since !== NOBODY) key.since = since
  }

  private give(party: Party, from: Payload<'member'>['keys'][number], position: bigint): void {
    const purpose = Number(from.purpose)
    ensure(purpose === STATEMENT || purpose === SEALING, 'WRONG_ROLE', `member: a key of purpose ${purpose} is not given this way`)
    const key: PublicKey = { alg: purpose === SEALING ? X25519 : ES256, bytes: from.key }
    ensure(from.negAlg === BigInt(-key.alg) && from.key.length === publicLength(key.alg), 'BAD_KEY', 'member: a key of that purpose is of another algorithm')
    checkKey(key)
    const kid = keyId(key), given: MemberKey = { kid, key, party, purpose, from: position + 1n }
    ensure(!this.byKid.has(hex(kid)), 'BAD_KEY', 'member: the key is listed already')
    ensure(this.byKid.size < 256, 'TOO_LARGE', 'member: more than 256 keys')
    const voucher = purpose === STATEMENT ? given : this.speaker(party.id) ?? this.speaker(party.organisation)
    ensure(voucher !== undefined, 'UNKNOWN_KEY', 'member: there is no statement key to vouch for the sealing key')
    verify(voucher.key, this.possession(given), from.proof)
    this.byKid.set(hex(kid), given)
  }
}

