/** The exported case, docs/formats/bag.md: what is "Verified if and only if", in its order. A receipt says itself what it is about; names of
 *  files only tell what lies beside what. */
import { type Bytes, Refused, attempt, hex, latin1, same, utf8 } from '../codec/bytes.ts'
import { leafHash, rootOf } from '../codec/tree.ts'
import { type Judgement, judge } from '../proof/verify.ts'
import { type Verdict } from '../proof/report.ts'
import { type Trust, type VerdictName, VERDICTS } from '../proof/trust.ts'
import { FOLDER, type Payload } from '../record/kinds.ts'
import { readDetails } from '../record/details.ts'
import { FILE, HARDLINK } from '../record/manifest.ts'
import { type Two, printable, shown, timeText, two } from '../words.ts'
import { RECEIPT_MAX } from '../proof/proof_file.ts'
import { type FileRef, type Hashed, type Reading } from './files.ts'
import { type Given, judgeWith } from './evidence.ts'
import { leafOf, readPartProof, verifyPart } from './part.ts'

export interface BagLine { verdict: Verdict, what: string, where: string, text: Two }
export type State = 'same' | 'part' | 'reference' | 'altered'
export interface Exhibit { stem: string, receipt: Bytes, judgement: Judgement, state: State, number: number | undefined }

export interface Bag {
  lines: BagLine[]
  exhibits: Exhibit[]
  verdicts: Record<VerdictName, Verdict>
  why: Partial<Record<VerdictName, Two>>
  exitCode: number
  sentence: Two
  network: Bytes | undefined
  trustInside: Bytes | undefined
}

const MANIFEST = 'manifest-sha256.txt', TAG_MANIFEST = 'tagmanifest-sha256.txt'
const RECEIPTS = 'receipts/', RECEIPT = '.tlog-proof'
const TEXT_MAX = 1 << 28, FOLDER_MANIFEST_MAX = 1 << 30
const RANK: Record<Verdict, number> = { 'FAIL': 0, 'NOT PROVEN': 1, 'PASS': 2 }

/** A name as names.txt writes it. */
export function originalName(name: Bytes): string {
  let out = ''
  for (let at = 0; at < name.length;) {
    const n = [1, 2, 3, 4].find((k) => at + k <= name.length && utf8(name.subarray(at, at + k)) !== undefined) ?? 1
    const c = utf8(name.subarray(at, at + n)), plain = c !== undefined && printable(name.subarray(at, at + n)) === c && c !== '%' && c !== '\\'
    out += plain ? c : [...name.subarray(at, at + n)].map((b) => `%${b.toString(16).toUpperCase().padStart(2, '0')}`).join('')
    at += n
  }
  return out
}

export async function judgeBag(files: FileRef[], trust: Trust | undefined, reading: Reading): Promise<Bag> {
  const judging = new Judging(files, trust, reading)
  await judging.all()
  return judging.bag
}

class Judging {
  private readonly files: Map<string, FileRef>
  private readonly hashed = new Map<string, Hashed>()
  private readonly used = new Set<string>()
  private readonly originals = new Map<string, string>() // stem, TAB, original name: the path in the bag
  private readonly given = new Set<string>()
  private readonly disclosures: string[] = []
  private readonly inventories: { path: string, payload: Payload<'inventory'>, caseName: string }[] = []
  private asOf = 0n
  private copiesMissing = false
  private oneKeeper = false
  private receipts = 0
  readonly bag: Bag = {
    lines: [], exhibits: [], verdicts: { integrity: 'PASS', signer: 'PASS', time: 'PASS' }, why: {}, exitCode: 0, sentence: two('', ''), network: undefined, trustInside: undefined,
  }

  constructor(files: FileRef[], readonly trust: Trust | undefined, readonly reading: Reading) {
    this.files = new Map(files.map((f) => [f.path, f]))
  }

  async all(): Promise<void> {
    await this.checkFiles()
    await this.readNames()
    for (const path of [...this.files.keys()].sort()) if (path.startsWith(RECEIPTS) && path.endsWith(RECEIPT)) await this.receipt(path)
    if (this.bag.exhibits.length + this.inventories.length + this.disclosures.length === 0)
      this.fail('receipt', RECEIPTS, two('there is no receipt: this package proves nothing', '没有回执：本包不能证明任何事'))
    for (const path of this.files.keys())
      if (path.startsWith('data/') && !this.used.has(path)) this.fail('added', path, two('it belongs to no exhibit: nobody signed it', '不属于任何证物：无人为其签名'))
    for (const i of this.inventories) await this.inventory(i)
    if (this.inventories.length === 0) this.fail('inventory', '', two('there is no inventory of the case: what it has besides is not known', '没有案件清单：无从得知该案还有什么'))
    this.disclosed()
    await this.lookAtTrust()
    this.conclude()
  }

  /* ---- lines ---- */

  private say(verdict: Verdict, what: string, where: string, text: Two): void {
    this.bag.lines.push({ verdict, what, where, text })
    if (verdict !== 'FAIL' || what === 'signer' || this.bag.verdicts.integrity === 'FAIL') return
    this.bag.verdicts.integrity = 'FAIL'
    this.bag.why.integrity = where ? two(`${shown(where)}: ${text.en}`, `${shown(where)}：${text.zh}`) : text
  }
  private fail(what: string, where: string, text: Two): void { this.say('FAIL', what, where, text) }

  private async text(path: string): Promise<string | undefined> {
    const file = this.files.get(path)
    return file && utf8(await this.reading.bytes(file, TEXT_MAX))
  }

  private async hash(path: string): Promise<Hashed> {
    let h = this.hashed.get(path)
    if (!h) this.hashed.set(path, h = await this.reading.hash(this.files.get(path)!))
    return h
  }

  /* ---- 1. every file is listed, with its digest ---- */

  private async checkFiles(): Promise<void> {
    const before = this.bag.lines.length, listed = new Set<string>()
    const bagit = await this.text('bagit.txt')
    if (!bagit?.startsWith('BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n')) this.fail('missing', 'bagit.txt', two('it does not say that this is a BagIt 1.0 bag', '未说明这是 BagIt 1.0 包'))
    await this.checkManifest(MANIFEST, true, listed)
    await this.checkManifest(TAG_MANIFEST, false, listed)
    for (const path of this.files.keys())
      if (!listed.has(path) && path !== TAG_MANIFEST) this.fail('added', path, two('it is listed in no manifest', '未列入任何清单'))
    if (this.bag.lines.length > before) return
    const bytes = [...this.files.values()].reduce((n, f) => n + f.size, 0)
    this.say('PASS', 'manifest', '', two(`${this.files.size} files, ${bytes} bytes: each is here as the manifests list it, and no other`, `${this.files.size}个文件，${bytes}字节：与清单所列逐一相符，别无他物`))
  }

  private async checkManifest(name: string, payload: boolean, listed: Set<string>): Promise<void> {
    const text = await this.text(name)
    if (text === undefined) return this.fail('missing', name, two('a bag has this file', '包内应有此文件'))
    const lines = text.split('\n')
    if (lines.pop() !== '') this.fail('manifest', name, two('its last line is cut off', '最后一行残缺'))
    for (const line of lines) {
      const [, digest, path] = /^([0-9a-f]{64}) {2}(.+)$/u.exec(line) ?? []
      if (path === undefined || path.startsWith('data/') !== payload) this.fail('manifest', line, two(`no line of a ${name}`, `不是 ${name} 应有的行`))
      else if (!this.files.has(path)) this.fail('missing', path, two(`it is listed in ${name} and is not here`, `列于 ${name}，但不在此处`))
      else if (listed.has(path)) this.fail('manifest', path, two('it is listed twice', '重复列出'))
      else {
        listed.add(path)
        if (hex((await this.hash(path)).sha256) !== digest) this.fail('altered', path, two(`its bytes are not those that ${name} lists`, `其字节与 ${name} 所列不符`))
      }
    }
  }

  /* ---- names that could not be kept ---- */

  private async readNames(): Promise<void> {
    for (const line of (await this.text('names.txt') ?? '').split('\n').slice(0, -1)) {
      const [, path, stem, original] = /^(data\/([^/\t]+)\/[^\t]*)\t(.*)$/u.exec(line) ?? []
      if (path === undefined) this.fail('names', line, two('no line of names.txt', '不是 names.txt 应有的行'))
      else this.originals.set(`${stem}\t${original}`, path)
    }
  }

  private where(stem: string, original: Bytes): string {
    return this.originals.get(`${stem}\t${originalName(original)}`) ?? `data/${stem}/${utf8(original) ?? ''}`
  }

  /* ---- 2. receipts ---- */

  private fold(path: string, j: Judgement): void {
    const { report } = j
    this.receipts++
    for (const v of VERDICTS) {
      if (RANK[report.verdicts[v]] >= RANK[this.bag.verdicts[v]]) continue
      this.bag.verdicts[v] = report.verdicts[v]
      const why = report.whyOf(v)
      this.bag.why[v] = two(`${shown(path)}: ${why.en}`, `${shown(path)}：${why.zh}`)
    }
    this.oneKeeper ||= report.oneKeeper
    this.copiesMissing ||= report.facts?.kind === 'deposit' && !report.copiesOk
    if ((report.facts?.recordedBy ?? 0n) > this.asOf) this.asOf = report.facts!.recordedBy!
    this.bag.network ??= report.facts?.network
  }

  private async receipt(path: string): Promise<void> {
    const bytes = await this.reading.bytes(this.files.get(path)!, RECEIPT_MAX + 1), j = judge(bytes, this.trust), { report } = j
    this.fold(path, j)
    if (j.refused || report.verdicts.integrity === 'FAIL') {
      const why = report.whyOf('integrity')
      return this.fail('receipt', path, two(`it does not verify: ${why.en}`, `未通过验证：${why.zh}`))
    }
    if (report.verdicts.signer === 'FAIL') this.fail('signer', path, report.whyOf('signer'))
    const { entry } = j.receipt!.own
    if (entry.kind === 'deposit') return this.deposit(path, bytes, j)
    if (entry.kind === 'inventory' && (entry.outer.payload as Payload<'inventory'>).case)
      return void this.inventories.push({ path, payload: entry.outer.payload as Payload<'inventory'>, caseName: report.facts!.caseName ?? '' })
    if (entry.kind === 'disclosure') return this.disclosure(j)
    this.say('PASS', 'receipt', path, two(`of a further entry, a ${entry.kind}; it verifies`, '另一条记录的回执；通过验证'))
  }

  private disclosure(j: Judgement): void {
    const { targets } = j.receipt!.own.entry.outer.payload as Payload<'disclosure'>
    for (const id of targets) this.given.add(hex(id))
    const d = attempt(() => readDetails(j.receipt!.record.details!, 'disclosure'))
    this.disclosures.push(d.status === 'OK' && d.value.profile === 'disclosure' ? d.value.fields.recipient ?? '' : '')
  }

  /* ---- 3. the bytes of an exhibit ---- */

  private async deposit(path: string, receipt: Bytes, bare: Judgement): Promise<void> {
    const stem = path.slice(RECEIPTS.length, -RECEIPT.length), id = hex(bare.report.facts!.id)
    if (this.bag.exhibits.some((e) => hex(e.judgement.report.facts!.id) === id)) return this.fail('added', path, two('a second receipt of one exhibit', '同一证物的第二份回执'))
    const parts = [...this.files.keys()].filter((p) => p.startsWith(`data/${stem}.bytes-`)), own = [...this.files.keys()].filter((p) => p.startsWith(`data/${stem}/`))
    let good = true, judgement = bare
    for (const part of parts) good = await this.part(part, bare) && good
    if (own.length > 0) {
      judgement = await this.compare(stem, receipt, bare, own)
      good = judgement.report.compared === 'same' && judgement.report.verdicts.integrity !== 'FAIL' && good
    }
    const state: State = !good ? 'altered' : own.length > 0 ? 'same' : parts.length > 0 ? 'part' : 'reference'
    this.bag.exhibits.push({ stem, receipt, judgement, state, number: undefined })
    this.tell(stem, judgement, state)
  }

  private tell(stem: string, { report: { facts: f } }: Judgement, state: State): void {
    const words: Record<State, Two> = {
      same: two('its bytes are here, every one as it was signed', '其数据在此，每一字节与签名时一致'), part: two('a part of its bytes is here', '其部分数据在此'),
      reference: two('its bytes are not here, its record alone is proven', '其数据不在此，仅其记录得到证明'), altered: two('its bytes are NOT those that were signed', '其数据与签名时不一致'),
    }
    const name = f?.name ? printable(f.name) : '', by = shown(f?.depositor ?? ''), time = f?.recordedBy === undefined ? '' : timeText(f.recordedBy), w = words[state]
    this.say(state === 'altered' ? 'FAIL' : 'PASS', 'exhibit', stem, two(`${name}, deposited by ${by}, recorded by ${time}; ${w.en}`, `${name}，存证人${by}，入账不晚于${time}；${w.zh}`))
  }

  private async compare(stem: string, receipt: Bytes, bare: Judgement, own: string[]): Promise<Judgement> {
    const claim = bare.receipt!.own.entry.inner!.payload, name = bare.report.facts!.name ?? new Uint8Array(), beside = this.files.get(`${RECEIPTS}${stem}${RECEIPT}.manifest`)
    const reading: Reading = { ...this.reading, hash: (file) => this.hash(file.path), bytes: (file, max) => this.reading.bytes(file, max) }
    const manifest = beside && claim.content === FOLDER && !bare.manifest ? await this.reading.bytes(beside, FOLDER_MANIFEST_MAX) : undefined
    let given: Given
    if (claim.content === FOLDER) {
      const items = new Map<string, { type: typeof FILE, file: FileRef }>(), m = bare.manifest ?? (await this.manifestRows(receipt, manifest, reading))
      for (const row of m?.rows ?? []) {
        if (row.type !== FILE) continue
        const at = this.where(stem, Uint8Array.from([...name, 0x2f, ...row.path])), file = this.files.get(at)
        if (file) items.set(latin1(row.path), { type: FILE, file }), this.used.add(at)
        else this.fail('missing', `${stem}/${printable(row.path)}`, two(`it belongs to ${stem} and is not here`, `属于${stem}，但不在此处`))
      }
      for (const row of m?.rows ?? []) { // a further name of one file is not in the bag: its first name is
        const first = row.type === HARDLINK ? items.get(latin1(row.target!)) : undefined
        if (first) items.set(latin1(row.path), first)
      }
      given = { folder: { items, filesOnly: true } }
    } else {
      const file = this.files.get(own[0]!)!
      this.used.add(own[0]!)
      given = { file, name }
    }
    try {
      const j = await judgeWith(receipt, this.trust, given, manifest, reading)
      for (const d of j.differences) if (d.what === 'differs')
        this.fail('altered', this.where(stem, Uint8Array.from([...name, 0x2f, ...d.path])), two(`it is not what was deposited as ${stem}: ${d.text.en}`, `与${stem}存证时不符：${d.text.zh}`))
      if (claim.content !== FOLDER && j.report.compared === 'other') this.fail('altered', own[0]!, two(`it is not what was deposited as ${stem}: its bytes differ`, `与${stem}存证时不符：字节不同`))
      return j
    } catch (e) {
      if (!(e instanceof Refused)) throw e
      this.fail('missing', stem, two('the folder\'s manifest is not here: receipts/….tlog-proof.manifest', '文件夹清单不在此处：receipts/….tlog-proof.manifest'))
      return { ...bare, report: Object.assign(bare.report, { compared: 'other' as const }) }
    }
  }

  private async manifestRows(receipt: Bytes, manifest: Bytes | undefined, reading: Reading) {
    if (!manifest) return undefined
    const j = await judgeWith(receipt, this.trust, { folder: { items: new Map(), filesOnly: true } }, manifest, reading)
    return j.manifest
  }

  private async part(path: string, { report, receipt }: Judgement): Promise<boolean> {
    const proofFile = this.files.get(`${RECEIPTS}${path.slice(5)}.proof`), file = this.files.get(path)!, claim = receipt!.own.entry.inner!.payload
    this.used.add(path)
    if (!proofFile) return this.fail('missing', path, two('the proof of this part is not here', '此部分的证明不在此处')), false
    try {
      const proof = readPartProof(await this.reading.bytes(proofFile, 1 << 16))
      if (!same(proof.id, report.facts!.id) || claim.content === FOLDER) throw new Refused('BAD_PROOF', 'the proof is of another exhibit')
      verifyPart(proof, await this.reading.hash(file, { before: proof.before, after: proof.after, from: leafOf(proof.first) }), claim)
      this.say('PASS', 'part', path, two(`bytes ${proof.first} to ${proof.last} of ${claim.size}, as deposited`, `共${claim.size}字节中的第${proof.first}至${proof.last}字节，与存证时一致`))
      return true
    } catch (e) {
      if (!(e instanceof Refused)) throw e
      this.fail('altered', path, two(`these bytes are not proven to be of the item: ${e.message}`, '未能证明这些字节属于该项'))
      return false
    }
  }

  /* ---- 4. 5. what is missing ---- */

  private async inventory({ path, payload, caseName }: { path: string, payload: Payload<'inventory'>, caseName: string }): Promise<void> {
    const list = `${path.slice(RECEIPTS.length, -RECEIPT.length)}.txt`, text = await this.text(list) ?? '', lines = text.split('\n'), tail = lines.pop()
    const rows = lines.map((l, i) => l.startsWith(`${i + 1} `) && /^[0-9a-f]{64}$/.test(l.slice(`${i + 1} `.length)) ? l.slice(`${i + 1} `.length) : undefined)
    const root = rootOf(rows.map((id) => leafHash(Uint8Array.from(id?.match(/../g) ?? [], (h) => parseInt(h, 16)))))
    if (tail !== '' || rows.includes(undefined) || BigInt(rows.length) !== payload.n || !same(root, payload.root))
      return this.fail('inventory', list, two(`it is not the list of the ${payload.n} deposits that the ledger recorded`, `不是账本所记录的${payload.n}次存证的清单`))
    let absent = 0
    rows.forEach((id, i) => {
      const exhibit = this.bag.exhibits.find((e) => hex(e.judgement.report.facts!.id) === id)
      if (exhibit) return void (exhibit.number = i + 1)
      absent++
      const name = `${shown(caseName)}/${i + 1}`, short = id!.slice(0, 16)
      if (this.given.delete(id!)) this.fail('left-out', name, two(`it was given out with this package and is not here: it was left out afterwards (id ${short}…)`, `曾随本包出示，但不在此处：事后被抽去（标识${short}…）`))
      else this.say('NOT PROVEN', 'not-included', name, two(`the case has it; it is not part of this package (id ${short}…)`, `该案有此证物，但不在本包之内（标识${short}…）`))
    })
    const n = payload.n
    this.say('PASS', 'inventory', shown(caseName), absent === 0
      ? two(`the case has ${n} deposits as of its inventory, and each of them is in this package`, `截至清单，该案有${n}次存证，均在本包之内`)
      : two(`the case has ${n} deposits as of its inventory; of these not in this package: ${absent}`, `截至清单，该案有${n}次存证；其中${absent}次不在本包之内`))
  }

  private disclosed(): void {
    if (this.disclosures.length === 0) return this.fail('disclosure', 'receipts/disclosure.tlog-proof',
      two('the record of what was given out is not here: whether an exhibit was left out cannot be told', '出示记录不在此处：无从得知是否有证物被抽去'))
    const here = new Set(this.bag.exhibits.map((e) => hex(e.judgement.report.facts!.id)))
    for (const e of this.bag.exhibits) if (!this.given.has(hex(e.judgement.report.facts!.id)))
      this.fail('put-in', e.stem, two('it is not among what was given out: it was put in afterwards', '不在出示之列：事后被放入'))
    for (const id of this.given) if (!here.has(id)) this.fail('left-out', `${id.slice(0, 16)}…`, two('a deposit with this id was given out with this package and is not here', '带有此标识的存证曾随本包出示，但不在此处'))
  }

  private async lookAtTrust(): Promise<void> {
    const file = this.files.get('trust/ledger.trust')
    this.bag.trustInside = file && file.size <= 65536 ? await this.reading.bytes(file, 65536) : undefined
    if (!this.trust) this.say('NOT PROVEN', 'trust', '', two('no trust file is pinned: nobody vouches for the keys', '没有指定信任文件：无人为密钥作证'))
  }

  /* ---- the whole ---- */

  private conclude(): void {
    const { bag } = this, CODES = { integrity: 2, signer: 4, time: 5 }, required = this.trust?.required ?? ['integrity', 'signer']
    if (this.receipts === 0) for (const v of ['signer', 'time'] as const) bag.verdicts[v] = 'NOT PROVEN', bag.why[v] = two('there is no receipt', '没有回执')
    const first = VERDICTS.find((v) => bag.verdicts[v] === 'FAIL' || (required.includes(v) && bag.verdicts[v] !== 'PASS'))
    bag.exitCode = first ? CODES[first] : !this.trust ? 4 : this.copiesMissing ? 3 : 0
    const obstacle = VERDICTS.find((v) => v === 'integrity' ? bag.verdicts[v] !== 'PASS' : bag.verdicts[v] === 'FAIL')
    if (obstacle) {
      const why = bag.why[obstacle]!
      bag.sentence = two(`NOT VERIFIED, do not rely on it: ${why.en}.`, `未通过验证，不可采信：${why.zh}。`)
      return
    }
    const n = bag.exhibits.length, here = bag.exhibits.filter((e) => e.state === 'same').length, cases = [...new Set(bag.exhibits.map((e) => shown(e.judgement.report.facts?.caseName ?? '')))].join(', ')
    const { origin } = bag.exhibits[0]?.judgement.report.facts ?? {}, ledger = shown(origin?.slice(0, -33) ?? ''), id = bag.network ? hex(bag.network).slice(0, 16) : ''
    const begin = bag.verdicts.signer === 'PASS' ? two('Verified: ', '经验证：')
      : two('NOT PROVEN whose it is: the package is whole in itself, but no trusted signature vouches for it. It says: ', '来源未经证明：本包自身完整，但没有可信的签名证明其来源。其内容为：')
    const time = bag.verdicts.time === 'PASS' ? two('', '') : two(', by the ledger\'s own clock, which nobody else attests: the time is NOT PROVEN', '，依据账本自身时钟，无他方证明：时间未经证明')
    const keeper = this.oneKeeper ? two(' One party holds every key of this ledger: until an outside witness signs, it could have rewritten the whole, which only an older receipt would show.',
      '本账本的全部密钥由一方持有：在外部见证方签名之前，该方可改写整个账本，唯有更早的回执能够揭示。') : two('', '')
    const left = this.bag.lines.filter((l) => l.what === 'not-included').length
    bag.sentence = two(
      `${begin.en}${n} exhibits of the case ${cases} of the ledger ${ledger} (network id ${id}…); the bytes of ${here} are here, each as it was signed${left ? `; exhibits of the case that are not in this package: ${left}` : ''}. Recorded by ${timeText(this.asOf)}${time.en}.${keeper.en} Not covered: what happened before it was signed; when and how evidence was collected is its signer's word.`,
      `${begin.zh}账本“${ledger}”（网络标识${id}…）案件${cases}的证物${n}件；其中${here}件的数据在此，与签名时一致${left ? `；该案另有${left}件不在本包之内` : ''}。入账不晚于${timeText(this.asOf)}${time.zh}。${keeper.zh}不在验证范围：签名之前发生的事；证据何时、如何取得，仅为签名人的陈述。`)
  }
}

