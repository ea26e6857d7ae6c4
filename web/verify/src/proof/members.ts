/** Parties and keys, from the genesis and the confirms behind it: may this key say that, there? docs/formats/entry.md, "Enrolment". */
import { type Bytes, ensure, hex, join, same, toUtf8 } from '../codec/bytes.ts'
import { ED25519, ES256, type PublicKey, checkKey, keyId, publicLength, verify } from '../codec/keys.ts'
import { type Statement } from '../record/entry.ts'
import { DEPOSITOR, ORGANISATION, PROVIDER, type PartyKey, type Payload, kinds } from '../record/kinds.ts'

export interface Party { id: bigint, role: number, organisation: bigint, confirmed: boolean }
export interface MemberKey { kid: Bytes, key: PublicKey, party: Party, purpose: number, from: bigint | undefined }

const STATEMENT = 1, LOG = 2
const ANYONE = DEPOSITOR | PROVIDER | ORGANISATION
/** By purpose: who may hold such a key. */
const HOLDERS: Record<number, number> = { [STATEMENT]: ANYONE, [LOG]: ORGANISATION, 3: ORGANISATION, 4: ORGANISATION, 5: ORGANISATION }
const malformed = (ok: boolean, text: string): void => ensure(ok, 'MALFORMED', `genesis: ${text}`)

export class Members {
  readonly parties: Party[] = []
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

  private isOrganisation(id: bigint): boolean { return this.parties[Number(id) - 1]?.role === ORGANISATION }

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

  get organisations(): Party[] { return this.parties.filter((p) => p.role === ORGANISATION) }
  key(kid: Bytes): MemberKey | undefined { return this.byKid.get(hex(kid)) }
  organisationOf(kid: Bytes): bigint | undefined { return this.key(kid)?.party.organisation }

  /** The key that made a statement, if it may make it at this position. */
  signer(st: Statement, position: bigint): MemberKey {
    ensure(same(st.network, this.network), 'WRONG_NETWORK', 'it was signed for another ledger')
    const key = this.may(st, position)
    ensure(st.alg === key.key.alg, 'BAD_KEY', 'its header names another algorithm than the key\'s')
    return key
  }

  private may(st: Statement, position: bigint): MemberKey {
    const key = this.key(st.kid)
    ensure(key !== undefined, 'UNKNOWN_KEY', 'the signing key is not enrolled in this ledger')
    ensure((kinds[st.kind].roles & key.party.role) !== 0 && key.purpose === STATEMENT, 'WRONG_ROLE', `a key of party ${key.party.id} may not sign a ${st.kind}`)
    ensure(st.kind === 'confirm' || (key.from !== undefined && position >= key.from), 'NOT_CONFIRMED', `organisation ${key.party.organisation} has not confirmed its keys yet`)
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
      verify(key.key, join(toUtf8('custody/possession/v1\n'), this.network, Uint8Array.of(key.purpose), key.key.bytes), signature)
    }
    const own = [...this.byKid.values()].filter((k) => k.party.organisation === party)
    ensure(keys.length === own.length, 'MISSING_SIGNATURE', `confirm: ${keys.length} of ${own.length} keys have signed`)
    for (const k of own) k.from = position + 1n
    signer.party.confirmed = true
  }
}

