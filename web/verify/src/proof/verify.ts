/** Judging a receipt offline: the order of the checks, docs/formats/verification.md. What is not shown to be in the log is not interpreted;
 *  an entry that no check asked for is refused, and so is one that is missing. */
import { type Bytes, attempt, decimal, ensure, hex, same } from '../codec/bytes.ts'
import { sha256 } from '../codec/hash.ts'
import { keyId, verify as verifySignature } from '../codec/keys.ts'
import { siblings, verifyInclusion, verifyMultiproof } from '../codec/tree.ts'
import { profileOf, readDetails } from '../record/details.ts'
import { type Statement, commitmentOf, evidenceOf, idOf, noticeOf, seenOf, timeOf } from '../record/entry.ts'
import { CHANGE_KEYS, COMPLIANCE, FOLDER, FREE, type Held, ITEM, JOIN, type Kind, LEAVE, ORGANISATION, type Payload, type Seen } from '../record/kinds.ts'
import { type Manifest, readManifest } from '../record/manifest.ts'
import { INLINE_MAX, checkAttachments, commitment } from '../record/record.ts'
import { type Status } from '../status.ts'
import { type Two, alike, shownName, timeText, two } from '../words.ts'
import { Members, type Party, type Terms } from './members.ts'
import { type VerifierKey } from './note.ts'
import { type LineVerdict, type Policy, judgeLines, quorumMet } from './policy.ts'
import { type Placed, type Receipt, readReceipt } from './receipt.ts'
import { Report } from './report.ts'
import { sayAll, kindName } from './sentence.ts'
import { type Trust, epochOf } from './trust.ts'

/** What was read of a file that was given beside the receipt. */
export interface Evidence { size: bigint, root: Bytes, sha256: Bytes }
/** What the table of members is made of; enrolment judges them. */
const TAKEN: Kind[] = ['confirm', 'member', 'propose', 'approve']
const LAST_MS = 253402300799999n

/** `refused`: it is no receipt, and nothing more is asked of it. */
export interface Judgement { report: Report, receipt: Receipt | undefined, manifest: Manifest | undefined, refused: boolean }

export function judge(file: Bytes, trust: Trust | undefined, evidence?: Evidence): Judgement {
  const report = new Report(trust), form = attempt(() => readReceipt(file))
  if (form.status !== 'OK') {
    report.refuse('form', form.status, form.text)
    sayAll(report, undefined)
    return { report, receipt: undefined, manifest: undefined, refused: true }
  }
  const judge = new Judge(form.value, trust, report), receipt = form.value
  report.pass('form', alike(receipt.own.position), kindName(receipt.own.entry.kind), alike(receipt.placed.length - 1))
  const rest = attempt(() => judge.all(evidence))
  if (rest.status !== 'OK') report.refuse('complete', rest.status, rest.text)
  sayAll(report, receipt)
  return { report, receipt, manifest: judge.manifest, refused: rest.status !== 'OK' }
}

type Of<K extends Kind> = Placed & { payload: Payload<K> }

class Judge {
  private members: Members | undefined
  /** The policy at the record's position, as far as the receipt shows it, and the proposal that made it so. */
  private terms: Terms | undefined
  private termsBy: Bytes | undefined
  private genesis!: Payload<'genesis'>
  private names = new Map<bigint, string>()
  private policy: Policy | undefined
  private lines: LineVerdict[] = []
  private trusted = false
  manifest: Manifest | undefined

  constructor(readonly r: Receipt, readonly trust: Trust | undefined, readonly report: Report) {
    const e = r.own.entry
    report.facts = { kind: e.kind, position: r.own.position, size: r.checkpoint.size, root: r.checkpoint.root, id: idOf(e), leaf: e.leaf }
  }

  all(evidence: Evidence | undefined): void {
    this.inclusion()
    if (this.report.failed) {
      this.report.unproven('signer-unjudged', 'BAD_PROOF')
      this.report.unproven('time-unjudged', 'BAD_PROOF')
      return
    }
    this.checkpoint()
    this.network()
    this.attachments()
    this.enrolment()
    this.case()
    this.notice()
    this.copies()
    this.asked()
    this.signers()
    this.time()
    this.complete()
    this.evidence(evidence)
  }

  /* ---- what the checks share ---- */

  private of<K extends Kind>(kind: K): Of<K>[] {
    return this.r.placed.filter((p) => p.entry.kind === kind).map((p) => Object.assign(p, { payload: p.entry.outer.payload as Payload<K> }))
  }

  private use(p: Placed): void { p.used = true }

  private nameOf(party: bigint | undefined): Two { return alike(shownName(party === undefined ? '' : this.names.get(party) ?? '')) }

  private dating(position: bigint): Of<'block'> {
    const block = this.of('block').find(({ payload: b }) => b.first <= position && position - b.first < b.count)
    ensure(block !== undefined, 'MALFORMED', `the block entry that dates entry ${position} is missing`)
    this.use(block)
    return block
  }

  /* ---- in the log ---- */

  private inclusion(): void {
    const { own, checkpoint: { size, root }, file, placed, hashes } = this.r
    this.report.judged('inclusion', attempt(() => verifyInclusion(own.entry.leaf, own.position, size, file.path, root)), alike(own.position), alike(size))
    if (this.report.failed) return // a path that leads elsewhere says nothing of the others
    const known = new Map(siblings(own.position, size).map(([lo, hi], i) => [`${lo} ${hi}`, file.path[i]]))
    const leaves = placed.map((p) => ({ at: p.position, hash: p.entry.leaf }))
    this.report.judged('support', attempt(() => verifyMultiproof(leaves, size, (lo, hi) => known.get(`${lo} ${hi}`), hashes, root)), alike(placed.length - 1))
  }

  /* ---- whose log ---- */

  private checkpoint(): void {
    const { note, checkpoint } = this.r, size = alike(checkpoint.size)
    if (!this.trust) return this.report.unproven('trust', 'UNTRUSTED')
    const policy = epochOf(this.trust, checkpoint.size)?.policy
    if (!policy) return this.report.weighed('checkpoint', 'NOT PROVEN', 'UNTRUSTED', `the trust file names no keys for a log of ${checkpoint.size} entries`, size)
    this.policy = policy
    const lines = attempt(() => judgeLines(note, policy))
    if (lines.status !== 'OK') return this.report.weighed('checkpoint', 'FAIL', lines.status, lines.text, size)
    this.lines = lines.value
    this.lines.forEach((line, i) => this.tellLine(line, i))
    if (!this.lines.some((l) => l.is === 'log' && l.key.name === checkpoint.origin))
      return this.report.weighed('checkpoint', 'NOT PROVEN', 'UNTRUSTED', 'no log key that is trusted for this origin signed the checkpoint', size)
    if (!quorumMet(policy, (key) => this.lines.some((l) => l.is === 'cosigned' && l.key === key)))
      return this.report.weighed('checkpoint', 'NOT PROVEN', 'UNTRUSTED', 'the checkpoint lacks the cosignatures that the policy requires', size)
    this.trusted = true
    this.report.pass('checkpoint', size)
  }

  private tellLine(line: LineVerdict, i: number): void {
    const { name, id } = this.r.note.lines[i]!, who = alike(shownName(name))
    if (line.is === 'ignored') this.report.note('ignored', alike(i + 1), who, alike(id))
    else if (line.is === 'log') this.report.note('log-signature', who)
    else this.report.note('cosignature', who, alike(timeText(msOf(line.at))))
  }

  private network(): void {
    const first = this.r.placed[0]!, facts = this.report.facts!
    ensure(first.position === 0n && first.entry.kind === 'genesis', 'MALFORMED', 'entry 0, the genesis, is missing')
    this.use(first)
    this.genesis = first.entry.outer.payload as Payload<'genesis'>
    facts.network = first.entry.leaf
    facts.origin = this.genesis.origin
    const details = first.details && attempt(() => readDetails(first.details!, 'genesis'))
    if (details && details.status === 'OK' && details.value.profile === 'genesis') this.names = new Map(details.value.fields.parties.map((p) => [p.id, p.name]))
    if (this.genesis.origin !== this.r.checkpoint.origin) this.report.fail('origin', 'WRONG_NETWORK')
    const words = [alike(shownName(this.genesis.origin)), alike(hex(first.entry.leaf).slice(0, 16))]
    if (!this.trust) this.report.note('unpinned', ...words)
    else if (same(first.entry.leaf, this.trust.network)) this.report.pass('network', ...words)
    else this.report.fail('network', 'WRONG_NETWORK', ...words)
  }

  /* ---- what is attached ---- */

  private attachments(): void {
    const { record, own } = this.r, found = attempt(() => checkAttachments(record, own.entry))
    if (found.status !== 'OK' || record.details) this.report.judged('details', found)
    if (found.status === 'OK' && record.content) this.report.pass('content', alike(record.content.length))
    if (found.status === 'OK' && record.details) this.details(record.details)
    for (const p of this.r.placed) {
      if (!p.details || p === own) continue
      const promised = commitmentOf(p.entry)
      ensure(promised !== undefined, 'MALFORMED', `entry ${p.position} has no details, but some go with it`)
      if (!same(commitment(p.salt!, p.details), promised)) this.report.fail('support-details', 'BAD_ATTACHMENT', alike(p.position))
    }
  }

  private details(bytes: Bytes): void {
    const claim = this.r.own.entry.inner?.payload, facts = this.report.facts!
    if (claim?.sealed) {
      this.report.note('sealed', alike(claim.sealed.length))
      return claim.second && this.report.note('sealed-two', alike(claim.second.length))
    }
    const d = attempt(() => readDetails(bytes, this.r.own.entry.kind))
    if (d.status !== 'OK') return this.report.note('profile')
    if (d.value.profile !== 'plain' && d.value.profile !== 'police-collection') return
    const { name, label, digests } = d.value.fields
    facts.name = name
    if (label !== undefined) facts.label = label
    if (digests) facts.sha256 = digests[0]!.value
  }

  /* ---- parties ---- */

  private enrolment(): void {
    const members = attempt(() => new Members(this.genesis, this.report.facts!.network!))
    if (members.status !== 'OK') return this.report.judged('enrolment', members)
    this.members = members.value
    this.terms = this.genesis.policy
    for (const p of this.r.placed) this.nameMember(p)
    for (const p of this.r.placed) {
      const st = p.entry.statement, position = alike(p.position)
      if (st?.kind === 'propose' || st?.kind === 'approve') this.change(st, p.position, members.value)
      if (st?.kind === 'confirm') {
        const { party } = st.payload, found = attempt(() => members.value.confirm(st, p.position))
        this.report.judged('confirm', found, position, alike(party), this.nameOf(party))
      }
      if (st?.kind !== 'member') continue
      const { party } = st.payload, found = attempt(() => members.value.enrol(st, p.position)), by = members.value.key(st.kid)?.party.id
      this.report.judged('member', found, position, alike(party), this.nameOf(party), alike(by ?? 0), this.nameOf(by))
    }
  }

  private change(st: Statement & { kind: 'propose' | 'approve' }, position: bigint, members: Members): void {
    const by = (): bigint => members.key(st.kid)?.party.id ?? 0n, words = (): Two[] => [alike(position), alike(by()), this.nameOf(by())]
    if (st.kind === 'propose') {
      const found = attempt(() => members.propose(st, position))
      return this.report.judged('proposal', found, ...words())
    }
    const id = st.payload.proposal, behind = this.of('approve').some((a) => a.position > position && same(a.payload.proposal, id))
    const found = attempt(() => members.approve(st, position, behind))
    if (found.status === 'OK' && found.value?.said.terms && position < this.r.own.position) this.terms = found.value.said.terms, this.termsBy = found.value.id
    this.report.judged('approval', found, ...words(), alike(this.proposal(id)?.position ?? 0n))
  }

  private proposal(id: Bytes | undefined): Of<'propose'> | undefined { return id && this.of('propose').find((p) => same(p.entry.statement!.id, id)) }

  /** A party that came later bears the name of the first entry about it. */
  private nameMember({ details, entry: { statement: st } }: Placed): void {
    if (!st || (st.kind !== 'member' && (st.kind !== 'propose' || st.payload.change !== JOIN))) return
    const { kind, payload: { party } } = st, d = details && attempt(() => readDetails(details, kind))
    if (d && d.status === 'OK' && d.value.profile === 'member' && !this.names.has(party)) this.names.set(party, d.value.fields.name)
  }

  private case(): void {
    const { entry, details, position } = this.r.own, facts = this.report.facts!
    if (entry.kind === 'case') this.caseName(details)
    if (entry.kind === 'inventory') this.tellInventory(entry.outer.payload as Payload<'inventory'>)
    const id = entry.inner ? entry.inner.payload.case : entry.outer.kind === 'notice' ? entry.outer.payload.case : entry.kind === 'inventory' ? (entry.outer.payload as Payload<'inventory'>).case : undefined
    if (!id) return
    const at = this.of('case').find((p) => same(p.payload.case, id))
    ensure(at !== undefined, 'MALFORMED', 'the entry that opened the case is missing')
    this.use(at)
    this.caseName(at.details)
    if (at.position < position) this.report.pass('case', alike(at.position), alike(shownName(facts.caseName ?? '')))
    else this.report.fail('case', 'OUT_OF_ORDER')
  }

  private caseName(details: Bytes | undefined): void {
    const d = details && attempt(() => readDetails(details, 'case'))
    if (d && d.status === 'OK' && d.value.profile === 'case') this.report.facts!.caseName = d.value.fields.name
  }

  private tellInventory(inventory: Payload<'inventory'>): void {
    this.report.note('inventory', alike(inventory.seen.position), inventory.case ? two('case', '案件') : two('key', '密钥'), alike(inventory.n))
    if (inventory.open.length > 0) this.report.note('open-numbers', alike(inventory.open.length))
  }

  /* ---- the notice that the record is, answers or speaks of; of a timeout, whether it was late ---- */

  private notice(): void {
    const { entry } = this.r.own, { outer } = entry, id = outer.kind === 'notice' ? entry.statement!.id : noticeOf(entry)
    if (id) {
      const p = this.of('notice').find((p) => same(p.entry.statement!.id, id))
      ensure(p !== undefined, 'MALFORMED', 'the notice that it names is missing')
      this.tellNotice(p)
      if (outer.kind === 'timeout') this.deadline(p.payload.deadline)
    } else if (outer.kind === 'timeout') this.deadline(this.claimDue(evidenceOf(entry.statement!)!.payload))
  }

  private tellNotice(p: Of<'notice'>): void {
    const asks = this.members?.organisationOf(p.entry.statement!.kid) ?? 0n, { provider, deadline } = p.payload
    this.use(p)
    this.report.judged('notice', attempt(() => this.belongs(p)), alike(p.position), alike(asks), this.nameOf(asks), alike(provider), this.nameOf(provider))
    this.report.note('due', alike(timeText(deadline)))
  }

  /** Keys of nobody are told of where their signatures are judged. */
  private belongs(p: Of<'notice'>): void {
    const { entry, position } = this.r.own, party = (st: Statement) => this.members?.key(st.kid)?.party
    ensure(p.position <= position, 'OUT_OF_ORDER', 'it stands behind the record')
    if (entry.kind === 'notice' || entry.kind === 'timeout') return // any organisation says that time has passed
    const by = party(entry.inner ?? entry.statement!), accepts = party(entry.statement!), asks = party(p.entry.statement!)
    ensure(!by || by.id === p.payload.provider, 'WRONG_ROLE', 'it asks another party than the one that answers')
    if (!entry.inner) return
    ensure(!accepts || !asks || accepts.organisation === asks.organisation, 'WRONG_ROLE', 'it is of another organisation than the one that accepts')
    ensure(same(p.payload.case, entry.inner.payload.case), 'UNKNOWN_CASE', 'it is of another case')
  }

  /** Until when a claim may be accepted: by its own time or by the block that it saw, whichever is later. */
  private claimDue(claim: Payload<'claim'>): bigint {
    const saw = this.of('block').find((p) => p.position === claim.seen.position)?.payload.closed ?? 0n
    return (saw > claim.time ? saw : claim.time) + this.genesis.policy.acceptanceAge
  }

  private deadline(due: bigint): void {
    const { opened } = this.dating(this.r.own.position).payload, words = [alike(timeText(due < LAST_MS ? due : LAST_MS)), alike(timeText(opened))]
    if (opened > due) this.report.pass('deadline', ...words)
    else this.report.fail('deadline', 'UNTRUE', ...words)
  }

  /* ---- copies ---- */

  private copies(): void {
    const { own, record } = this.r, { members, report } = this
    if (own.entry.kind !== 'deposit' || !members) return
    const counted = new Set<bigint>()
    for (const p of this.of('stored')) this.countStored(p, counted, members)
    if (record.content && !own.entry.inner?.payload.folder && this.trusted) for (const line of this.lines) {
      const organisation = line.is === 'ignored' ? undefined : this.holder(line.key)
      if (organisation !== undefined) counted.add(organisation)
    }
    const { copies, mandatory } = this.terms!, enough = BigInt(counted.size) >= copies
    report.copies = counted.size
    report.copiesRequired = copies
    report.copiesOk = enough && mandatory.every((id) => counted.has(id))
    if (copies === 0n && report.copiesOk) return
    const n = [alike(counted.size), alike(copies)]
    if (report.copiesOk) report.pass('copies', ...n)
    else report.unproven('copies', 'COPIES_MISSING', ...n, enough ? two(', but a mandatory organisation is not among them', '，但缺少必须持有的机构') : two('', ''))
  }

  /* ---- what the policy asks of content ---- */

  private asked(): void {
    const { entry } = this.r.own, { details, salt } = this.r.record, { outer } = entry
    if (outer.kind === 'stored' && outer.payload.held) this.held(outer.payload.held), this.retention(outer.payload)
    if (outer.kind !== 'deposit') return
    const claim = entry.inner!.payload, apart = claim.size > INLINE_MAX || (claim.folder !== undefined && claim.folder.bytes > 0n)
    if (outer.payload.held) this.held(outer.payload.held)
    if (apart && !claim.notice) this.retention(outer.payload)
    const signed = details && !claim.sealed && same(commitment(salt!, details), claim.commitment), profile = signed ? profileOf(details) : undefined
    const must = profile === undefined ? undefined : this.genesis.policy.seal?.find((s) => s.profile === profile)
    if (must) this.report.fail('must-seal', 'NOT_ALLOWED', alike(shownName(must.profile)))
  }

  private held({ n, mode, until, objects }: Held): void {
    const when = timeText(until), words = mode === FREE ? two('not locked', '未锁定')
      : mode === COMPLIANCE ? two(`locked in compliance mode until ${when}`, `以合规模式锁定至${when}`) : two(`locked in governance mode until ${when}`, `以治理模式锁定至${when}`)
    this.report.note('held', alike(n), alike(shownName(objects[0]!.version)), words)
  }

  /** From its own time, or from the closing of the block that it saw, whichever is later. */
  private retention({ held, time, seen }: { held: Held | undefined, time: bigint, seen: Seen }): void {
    const days = this.genesis.policy.retention
    if (days === undefined) return
    const saw = this.of('block').find((p) => p.position === seen.position)?.payload.closed ?? 0n
    const good = held !== undefined && held.mode === COMPLIANCE && held.until >= (saw > time ? saw : time) + days * 86400000n
    if (good) this.report.pass('retention', alike(days))
    else this.report.fail('retention', 'NOT_ALLOWED', alike(days))
  }

  /** One attestation an organisation. One of another deposit, or a second one, is not asked for, and is refused in the end. */
  private countStored(p: Of<'stored'>, counted: Set<bigint>, members: Members): void {
    const organisation = members.organisationOf(p.entry.statement!.kid) ?? 0n, { position } = this.r.own
    const covers = p.payload.ranges.some((range) => range.first <= position && position <= range.last)
    if (p.payload.held || p.position < position || !covers || counted.has(organisation)) return // a provider's word is nobody's copy
    this.use(p)
    counted.add(organisation)
    this.report.note('copy', alike(p.position), alike(organisation), this.nameOf(organisation), alike(timeText(this.dating(p.position).payload.closed)))
  }

  /** The organisation that holds a key of the trust file; undefined: nobody of this ledger. */
  private holder(key: VerifierKey): bigint | undefined {
    const known = this.members?.organisationOf(keyId(key.key)), named = `${this.genesis.origin}/cosigner/`
    if (known !== undefined || !key.cosigns || !key.name.startsWith(named)) return known
    const party = attempt(() => decimal(key.name.slice(named.length), 64n)) // a later key: the trust file vouches for the name
    return party.status === 'OK' && party.value > 0n ? party.value : undefined
  }

  /* ---- signatures ---- */

  private signers(): void {
    const { entry, position } = this.r.own, { members } = this
    if (!members) return
    if (entry.statement) {
      const claim = entry.inner?.payload, evidence = evidenceOf(entry.statement)
      this.nameParties(members)
      if (entry.inner) this.statement(entry.inner, position, members, claim)
      if (TAKEN.includes(entry.kind)) this.needOfEnrolment(entry.statement, members)
      else this.statement(entry.statement, position, members, claim)
      if (entry.kind === 'deposit') this.needChange(this.proposal(this.termsBy), members)
      if (evidence) this.statement(evidence, position, members, evidence.payload)
    }
    for (const p of this.r.placed)
      if (p.used && p !== this.r.own && (p.entry.kind === 'case' || p.entry.kind === 'stored' || p.entry.kind === 'notice')) this.statement(p.entry.statement!, p.position, members)
    for (const p of this.r.placed)
      if (p.used && TAKEN.includes(p.entry.kind)) this.revoked(p.entry.statement!, p.position, members)
  }

  /** Of a record that says itself who is who: who says it, of whom. */
  private needOfEnrolment(st: Statement, members: Members): void {
    const by = (p: Statement): bigint | undefined => members.key(p.kid)?.party.id, of = st.kind === 'approve' ? this.proposal(st.payload.proposal) : undefined
    this.need(st.kind === 'confirm' ? st.payload.party : by(st), members)
    if (st.kind === 'member' || st.kind === 'propose') this.need(st.payload.party, members)
    if (!of) return
    this.use(of)
    for (const party of [by(of.entry.statement!), of.payload.party]) this.need(party, members)
  }

  /** A proposal, all its approvals, and who left before: those did not count any more. */
  private needChange(p: Of<'propose'> | undefined, members: Members): void {
    if (!p || p.used) return
    this.use(p)
    this.need(members.key(p.entry.statement!.kid)?.party.id, members)
    for (const a of this.of('approve')) {
      if (a.used || !same(a.payload.proposal, p.entry.statement!.id)) continue
      this.use(a)
      this.need(members.key(a.entry.statement!.kid)?.party.id, members)
    }
    for (const l of this.of('propose')) if (l.position < p.position && l.payload.change === LEAVE) this.needChange(l, members)
  }

  /** Which keys an organisation speaks with: it joins, leaves, or has other statement keys. Of a party that it runs only whether it is there. */
  private isAbout({ change, party: of, keys, revoked }: Payload<'propose'>, party: Party): boolean {
    if (of !== party.organisation) return false
    return change !== CHANGE_KEYS || (party.id === party.organisation && (keys[0]?.purpose === 1n || revoked.length > 0))
  }

  /** What says which keys a party has: its organisation's confirm, every member entry about it, every change, and the same of who signed those. */
  private need(id: bigint | undefined, members: Members): void {
    const party = id === undefined ? undefined : members.party(id)
    if (!party) return
    for (const p of this.of('confirm')) if (p.payload.party === party.organisation) this.use(p)
    for (const p of this.of('propose')) if (this.isAbout(p.payload, party)) this.needChange(p, members)
    for (const p of this.of('member')) {
      if (p.used || p.payload.party !== party.id) continue
      this.use(p)
      this.need(members.key(p.entry.statement!.kid)?.party.id, members)
    }
  }

  /** A signature that is good, by a key that was revoked later: was it still its holder's own? */
  private revoked(st: Statement, position: bigint, members: Members): void {
    const key = members.key(st.kid)
    if (key?.until === undefined) return
    const words = [alike(position), alike(key.party.id), this.nameOf(key.party.id), alike(key.until)]
    if (key.since !== undefined && key.since <= position) this.report.unproven('disputed', 'DISPUTED', ...words, alike(key.since))
    else this.report.note('revoked', ...words)
  }

  private nameParties(members: Members): void {
    const { entry } = this.r.own, facts = this.report.facts!, first = members.key((entry.inner ?? entry.statement!).kid), second = members.key(entry.statement!.kid)
    const name = (id: bigint | undefined): string | undefined => id === undefined ? undefined : this.names.get(id)
    const depositor = name(first?.party.id), organisation = name(first?.party.organisation), provider = entry.inner && name(second?.party.id)
    if (depositor) facts.depositor = depositor
    if (organisation) facts.organisation = organisation
    if (provider) facts.provider = provider
  }

  private statement(st: Statement, position: bigint, members: Members, claim?: Payload<'claim'>): void {
    const found = attempt(() => {
      const key = members.signer(st, position, claim)
      this.need(key.party.id, members)
      verifySignature(key.key, st.signed, st.signature)
      return key
    })
    const party = found.status === 'OK' ? found.value.party.id : undefined
    this.report.judged('statement', found, alike(position), kindName(st.kind), alike(party ?? 0n), this.nameOf(party))
    if (found.status === 'OK') this.revoked(st, position, members)
  }

  /* ---- time ---- */

  private time(): void {
    const { own } = this.r, { entry } = own, facts = this.report.facts!, outer = seenOf(entry.outer.payload)
    const late = entry.kind === 'timeout' && evidenceOf(entry.statement!)
    if (late) this.seen('claim', late.payload.seen, false) // its time runs from there
    if (entry.inner) {
      const inner = entry.inner.payload.seen
      this.seen('claim', inner, true)
      this.seen(entry.kind, outer!, false)
      if (outer!.position < inner.position) this.report.fail('seen-order', 'OUT_OF_ORDER')
    } else if (outer) this.seen(entry.kind, outer, true)
    if (entry.kind === 'block') facts.recordedBy = (entry.outer.payload as Payload<'block'>).closed
    else {
      const dating = this.dating(own.position)
      facts.recordedBy = dating.payload.closed
      this.report.note('dated', alike(dating.position), alike(timeText(dating.payload.closed)))
    }
    this.blocks()
    this.tellOwnClock()
    this.clock()
  }

  private seen(kind: Kind, seen: Seen, first: boolean): void {
    const p = this.r.placed.find((p) => p.position === seen.position), kindWords = kindName(kind)
    ensure(p !== undefined, 'MALFORMED', `entry ${seen.position}, the block that the ${kind} saw, is missing`)
    this.use(p)
    if (p.entry.kind !== 'block' || !same(p.entry.leaf, seen.leaf) || seen.position >= this.r.own.position)
      return this.report.fail('seen', 'UNKNOWN_BLOCK', kindWords)
    const { closed } = p.entry.outer.payload as Payload<'block'>
    if (first) this.report.facts!.signedAfter = closed
    this.report.note('seen', kindWords, alike(seen.position), alike(timeText(closed)))
  }

  private blocks(): void {
    let before: Payload<'block'> | undefined
    for (const { payload: b, position } of this.of('block')) {
      const behind = b.first + b.count === position
      const follows = before === undefined || (b.first > before.first + before.count && b.height > before.height && b.opened >= before.closed)
      if (!behind) this.report.fail('block', 'UNTRUE', alike(position), two('does not stand behind its records', '不在其所含记录之后'))
      else if (!follows) this.report.fail('block', 'UNTRUE', alike(position), two('does not follow the block before it', '与前一区块不相衔接'))
      before = b
    }
  }

  /** When it was collected or taken is the signer's word: shown, never judged. */
  private tellOwnClock(): void {
    const { entry } = this.r.own, facts = this.report.facts!, own = timeOf(entry)
    if (!entry.statement) return
    facts.ownClock = own
    const between = own >= (facts.signedAfter ?? 0n) && own <= facts.recordedBy!
    this.report.note('signer-clock', alike(timeText(own)), between ? two('', '') : two(', which is not between those times', '，不在上述时间之间'))
  }

  /** Could this organisation have made the checkpoint good: alone, or with every outside cosigner? A log key that genesis does not list may be anybody's. */
  private suffices(organisation: bigint, withOutside: boolean): boolean {
    const policy = this.policy!, hold = (key: VerifierKey): bigint | undefined => this.holder(key)
    const hasLogKey = policy.logs.some((l) => [undefined, organisation].includes(hold(l)))
    return hasLogKey && quorumMet(policy, (key) => hold(key) === organisation || (hold(key) === undefined && withOutside))
  }

  private anySuffices(withOutside: boolean): boolean {
    const ids = Array.from({ length: 64 }, (_, i) => BigInt(i + 1)) // of one that came later the receipt may say nothing
    return ids.some((id) => (this.members!.party(id)?.role ?? ORGANISATION) === ORGANISATION && this.suffices(id, withOutside))
  }

  /** The earliest time by which cosignatures of that time or before meet the quorum. */
  private quorumTime(): bigint {
    const cosigned = this.lines.flatMap((l) => l.is === 'cosigned' ? [l] : []).sort((a, b) => a.at < b.at ? -1 : 1)
    return cosigned.find((l) => quorumMet(this.policy!, (key) => cosigned.some((c) => c.key === key && c.at <= l.at)))?.at ?? LAST_MS
  }

  private clock(): void {
    const { report, members } = this, facts = report.facts!
    const outside = this.trusted && members !== undefined && !this.anySuffices(false), agreed = outside && !this.anySuffices(true)
    const by = timeText(facts.recordedBy!), after = facts.signedAfter === undefined ? undefined : timeText(facts.signedAfter)
    const span = after ? two(`signed after ${after}, recorded by ${by}`, `签名晚于${after}，入账不晚于${by}`) : two(`recorded by ${by}`, `入账不晚于${by}`)
    report.oneKeeper = members?.organisations.length === 1 && !outside
    if (agreed) return report.pass('agreed', span)
    if (!outside) {
      const whose = this.trusted ? two('one party\'s own clock', '一方自己的时钟') : two('a clock that nobody vouches for', '无人作证的时钟')
      return report.unproven('clock', 'TIME_UNPROVEN', span, whose)
    }
    facts.witnessedBy = msOf(this.quorumTime())
    report.pass('witnessed', span, alike(timeText(facts.witnessedBy)))
  }

  /* ---- the evidence ---- */

  private evidence(given: Evidence | undefined): void {
    const { entry } = this.r.own, claim = entry.inner?.payload, { content } = this.r.record, { report } = this
    if (!claim) {
      if (given) report.unproven('target', 'UNKNOWN_TARGET', kindName(entry.kind))
      return
    }
    if (content && claim.content === FOLDER) this.judgeManifest(content, claim)
    if (content && claim.content === ITEM && report.facts!.sha256) {
      if (same(sha256(content), report.facts!.sha256)) report.pass('content-sha256')
      else report.fail('content-sha256', 'BAD_HASH')
    }
    if (given) this.compare(given, claim)
  }

  private judgeManifest(content: Bytes, claim: Payload<'claim'>): void {
    const { items, bytes, root } = claim.folder!, found = attempt(() => {
      const m = readManifest(content)
      ensure(m.items === items && m.bytes === bytes && same(m.root, root), 'BAD_HASH', 'it has other items, bytes or items\' root')
      return m
    })
    if (found.status === 'OK') this.manifest = found.value
    this.report.judged('manifest', found, alike(items), alike(bytes))
  }

  private compare(given: Evidence, claim: Payload<'claim'>): void {
    const folder = claim.content === FOLDER, signed = this.report.facts!.sha256, what = folder ? two('manifest', '清单') : two('file', '文件')
    const wrong = given.size !== claim.size ? two('it has another size', '大小不同')
      : !same(given.root, claim.root) ? two('its bytes differ', '字节不同')
        : !folder && signed && !same(given.sha256, signed) ? two('its SHA-256 is not the signed one', '其 SHA-256 与所签的不符') : undefined
    if (!folder) this.report.compared = wrong ? 'other' : 'same'
    if (wrong) this.report.fail('evidence', 'BAD_HASH', what, alike(claim.size), wrong)
    else this.report.pass('evidence', what, alike(claim.size))
  }

  private complete(): void {
    if (this.report.failed) return
    const idle = this.r.placed.find((p) => !p.used)
    ensure(idle === undefined, 'MALFORMED', `entry ${idle?.position} goes with it, but nothing needs it`)
    this.report.pass('complete')
  }
}

const msOf = (seconds: bigint): bigint => seconds < LAST_MS / 1000n ? seconds * 1000n : LAST_MS

/** A folder or an item of one was compared outside: the line, and the verdicts anew. */
export function addEvidence(j: Judgement, check: 'folder' | 'item' | 'manifest-beside' | 'sort', status: Status, what: Two): void {
  if (status === 'OK') j.report.pass(check, what)
  else j.report.fail(check, status, what)
  j.report.compared = status === 'OK' ? 'same' : 'other'
  sayAll(j.report, j.receipt)
}

