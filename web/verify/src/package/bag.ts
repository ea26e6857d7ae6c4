/** The exported case, docs/formats/bag.md: what is "Verified if and only if", in its order, line by line. A receipt says itself what it is
 *  about; names of files only tell what lies beside what. */
import { type Bytes, MAX63, Refused, attempt, compare, decimal, hex, join, same, toUtf8, unhex, utf8 } from '../codec/bytes.ts'
import { contentRoot, leafHash, rootOf } from '../codec/tree.ts'
import { type Judgement, addEvidence, judge } from '../proof/verify.ts'
import { type Verdict } from '../proof/report.ts'
import { kindName } from '../proof/sentence.ts'
import { type Trust, type VerdictName, VERDICTS } from '../proof/trust.ts'
import { FOLDER, type Kind, type Payload } from '../record/kinds.ts'
import { readDetails } from '../record/details.ts'
import { FILE, type Manifest, readManifest } from '../record/manifest.ts'
import { type Status } from '../status.ts'
import { type Two, alike, characterAt, printable, shownName, shownPath, statusWords, timeText, two } from '../words.ts'
import { RECEIPT_MAX } from '../proof/proof_file.ts'
import { type FileRef, type Hashed, type Reading } from './files.ts'
import { leafOf, readPartProof, verifyPart } from './part.ts'

/** `where` as people may be shown it. */
export interface BagLine { verdict: Verdict | 'NOTE', what: string, where: string, text: Two }
export type State = 'same' | 'part' | 'reference' | 'altered'
export interface Exhibit { stem: string, receipt: Bytes, judgement: Judgement, state: State }

export interface Bag {
  lines: BagLine[]
  exhibits: Exhibit[]
  verdicts: Record<VerdictName, Verdict>
  why: Record<VerdictName, Two>
  exitCode: number
  sentence: Two
  network: Bytes | undefined
  trustInside: Bytes | undefined
}

const MANIFEST = 'manifest-sha256.txt', TAG_MANIFEST = 'tagmanifest-sha256.txt', TRUST = 'trust/ledger.trust', CHAIN = 'trust/chain'
const RECEIPTS = 'receipts/', RECEIPT = '.tlog-proof', STEM_MAX = 119
const TEXT_MAX = 1 << 28, FOLDER_MANIFEST_MAX = 1 << 30, CASES = 5, MISSING = 10, LF = 0x0a, SLASH = Uint8Array.of(0x2f)
const RANK: Record<Verdict, number> = { 'FAIL': 0, 'NOT PROVEN': 1, 'PASS': 2 }

/** What stands beside a verdict of PASS. */
const fine: Record<VerdictName, Two> = {
  integrity: two('every file is as listed, every receipt leads to its checkpoint, every exhibit is what was signed', '各文件与清单相符，各回执通向其检查点，各证物与签名时一致'),
  signer: two('every signature is by a key that the pinned ledger enrolled', '每个签名都出自指定账本所登记的密钥'),
  time: two('several organisations agree on the times, or outside cosigners attest them', '时间由多个机构共同认定，或由外部联署方证明'),
}

/** A name as names.txt writes it. */
export function originalName(name: Bytes): string {
  let out = ''
  for (let at = 0; at < name.length;) {
    const { c, n } = characterAt(name, at), bytes = name.subarray(at, at + n), plain = c !== undefined && c !== '%' && printable(bytes) === c
    out += plain ? c : [...bytes].map((b) => `%${b.toString(16).toUpperCase().padStart(2, '0')}`).join('')
    at += n
  }
  return out
}

/** `data/<stem>[.item-<n>].bytes-<first>-<last>`: a part of that exhibit. */
function partName(path: string): { stem: string, first: bigint, last: bigint } | undefined {
  const found = /^data\/([^/]+?)\.bytes-(0|[1-9][0-9]*)-(0|[1-9][0-9]*)$/su.exec(path.replace(/\.item-(0|[1-9][0-9]*)(?=\.bytes-[0-9]+-[0-9]+$)/u, ''))
  const first = BigInt(found?.[2] ?? -1), last = BigInt(found?.[3] ?? -1)
  return found && first <= MAX63 && last <= MAX63 ? { stem: found[1]!, first, last } : undefined
}

function linesOf(bytes: Bytes): { lines: Bytes[], whole: boolean } {
  const lines: Bytes[] = []
  let from = 0
  for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, from)) lines.push(bytes.subarray(from, at)), from = at + 1
  return { lines, whole: from === bytes.length }
}

const byText = (a: string, b: string): number => compare(toUtf8(a), toUtf8(b))
const names = (all: string[], most: number): string => all.slice(0, most).join(', ') + (all.length > most ? ' …' : '')
const idOf = (e: Exhibit): string => hex(e.judgement.report.facts!.id)

export async function judgeBag(files: FileRef[], trust: Trust | undefined, reading: Reading): Promise<Bag> {
  const judging = new Judging(files, trust, reading)
  await judging.all()
  return judging.bag
}

interface Inventory { path: string, payload: Payload<'inventory'>, caseName: string }

class Judging {
  private readonly files: Map<string, FileRef>
  private readonly paths: string[]
  private readonly hashed = new Map<string, Hashed>()
  private readonly used = new Set<string>()
  private readonly originals = new Map<string, string>() // stem, TAB, original name: the path in the bag
  private readonly given = new Set<string>()
  private readonly told = new Set<string>()
  private readonly inventories: Inventory[] = []
  private readonly missing: string[] = []
  private recipient = ''
  private ledger = ''
  private disclosures = 0
  private asOf = 0n
  private copiesMissing = false
  private oneKeeper = false
  private receipts = 0
  private parts = 0
  private readonly why: Partial<Record<VerdictName, Two>> = {}
  readonly bag: Bag = {
    lines: [], exhibits: [], verdicts: { integrity: 'PASS', signer: 'PASS', time: 'PASS' }, why: fine, exitCode: 0, sentence: two('', ''), network: undefined, trustInside: undefined,
  }

  constructor(files: FileRef[], readonly trust: Trust | undefined, readonly reading: Reading) {
    this.files = new Map(files.map((f) => [f.path, f]))
    this.paths = [...this.files.keys()].sort(byText)
  }

  async all(): Promise<void> {
    await this.checkFiles()
    await this.readNames()
    for (const path of this.paths) {
      const stem = path.startsWith(RECEIPTS) && path.endsWith(RECEIPT) ? toUtf8(path).length - RECEIPTS.length - RECEIPT.length : 0
      if (stem > 0 && stem <= STEM_MAX) await this.receipt(path)
    }
    if (this.receipts === 0) this.fail('receipt', RECEIPTS, two('there is no receipt: this package proves nothing', '没有回执：本包不能证明任何事'))
    for (const path of this.paths)
      if (path.startsWith('data/') && !this.used.has(path)) this.fail('added', path, two('it belongs to no exhibit: nobody signed it', '不属于任何证物：无人为其签名'))
    for (const i of this.inventories) await this.inventory(i)
    if (this.inventories.length === 0) this.fail('inventory', '', two('there is no inventory of the case: what it has besides is not known', '没有案件清单：无从得知该案还有什么'))
    this.disclosed()
    await this.lookAtTrust()
    this.conclude()
  }

  /* ---- lines ---- */

  private say(verdict: BagLine['verdict'], what: string, at: string | Bytes, text: Two): void {
    const where = shownPath(at)
    this.bag.lines.push({ verdict, what, where, text })
    if (verdict !== 'FAIL' || what === 'signer' || this.bag.verdicts.integrity === 'FAIL') return
    this.bag.verdicts.integrity = 'FAIL'
    this.why.integrity = where ? two(`${where}: ${text.en}`, `${where}：${text.zh}`) : text
  }
  private fail(what: string, where: string | Bytes, text: Two): void { this.say('FAIL', what, where, text) }

  private async read(path: string, max = TEXT_MAX): Promise<Bytes | undefined> {
    const file = this.files.get(path)
    return file && await this.reading.bytes(file, max)
  }

  private async hash(path: string): Promise<Hashed> {
    let h = this.hashed.get(path)
    if (!h) this.hashed.set(path, h = await this.reading.hash(this.files.get(path)!))
    return h
  }

  /* ---- 1. every file is listed, with its digest ---- */

  private async checkFiles(): Promise<void> {
    const before = this.bag.lines.length, listed = new Set<string>(), bagit = await this.read('bagit.txt'), version = toUtf8('BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n')
    if (!bagit || !same(bagit.subarray(0, version.length), version)) this.fail('missing', 'bagit.txt', two('it does not say that this is a BagIt 1.0 bag', '未说明这是 BagIt 1.0 包'))
    await this.checkManifest(MANIFEST, true, listed)
    await this.checkManifest(TAG_MANIFEST, false, listed)
    for (const path of this.paths)
      if (!listed.has(path) && path !== TAG_MANIFEST) this.fail('added', path, two('it is listed in no manifest', '未列入任何清单'))
    if (this.bag.lines.length > before) return
    const bytes = [...this.files.values()].reduce((n, f) => n + f.size, 0)
    this.say('PASS', 'manifest', '', two(`${this.files.size} files, ${bytes} bytes: each is here as the manifests list it, and no other`, `${this.files.size}个文件，${bytes}字节：与清单所列逐一相符，别无他物`))
  }

  private async checkManifest(name: string, payload: boolean, listed: Set<string>): Promise<void> {
    const bytes = await this.read(name)
    if (!bytes) return this.fail('missing', name, two('a bag has this file', '包内应有此文件'))
    const { lines, whole } = linesOf(bytes)
    for (const line of lines) await this.checkRow(line, name, payload, listed)
    if (!whole) this.fail('manifest', name, two('its last line is cut off', '最后一行残缺'))
  }

  private async checkRow(line: Bytes, name: string, payload: boolean, listed: Set<string>): Promise<void> {
    const digest = attempt(() => unhex(utf8(line.subarray(0, 64)) ?? '?', 32)), rest = line.subarray(66), path = utf8(rest)
    if (digest.status !== 'OK' || line[64] !== 0x20 || line[65] !== 0x20 || rest.length === 0 || same(rest.subarray(0, 5), toUtf8('data/')) !== payload)
      return this.fail('manifest', line, two(`no line of a ${name}`, `不是 ${name} 应有的行`))
    if (path === undefined || !this.files.has(path)) return this.fail('missing', rest, two(`it is listed in ${name} and is not here`, `列于 ${name}，但不在此处`))
    if (listed.has(path)) return this.fail('manifest', path, two('it is listed twice', '重复列出'))
    listed.add(path)
    if (!same((await this.hash(path)).sha256, digest.value)) this.fail('altered', path, two(`its bytes are not those that ${name} lists`, `其字节与 ${name} 所列不符`))
  }

  /* ---- names that could not be kept ---- */

  private async readNames(): Promise<void> {
    const rows: { key: string, stem: string, original: string, path: string }[] = []
    for (const line of linesOf(await this.read('names.txt') ?? new Uint8Array()).lines) {
      const text = utf8(line), tab = text?.indexOf('\t') ?? -1, path = text?.slice(0, tab) ?? '', slash = path.indexOf('/', 5)
      if (text === undefined || tab < 0 || !path.startsWith('data/') || slash < 0) this.fail('names', line, two('no line of names.txt', '不是 names.txt 应有的行'))
      else rows.push({ key: `${path.slice(5, slash)}\t${text.slice(tab + 1)}`, stem: path.slice(5, slash), original: text.slice(tab + 1), path })
    }
    rows.sort((a, b) => byText(a.stem, b.stem) || byText(a.original, b.original) || byText(a.path, b.path))
    for (const { key, path } of rows) {
      if (this.originals.has(key)) this.fail('names', path, two('names.txt gives its name to another file, too', 'names.txt 将其名称也给了另一文件'))
      else this.originals.set(key, path)
    }
  }

  /** Where the bag has what was deposited under this name. */
  private find(stem: string, original: Bytes): string | undefined {
    const plain = utf8(original), path = this.originals.get(`${stem}\t${originalName(original)}`) ?? (plain === undefined ? undefined : `data/${stem}/${plain}`)
    return path !== undefined && this.files.has(path) ? path : undefined
  }

  /* ---- 2. receipts ---- */

  private fold(path: string, { report }: Judgement): void {
    this.receipts++
    for (const v of VERDICTS) {
      if (RANK[report.verdicts[v]] >= RANK[this.bag.verdicts[v]]) continue
      this.bag.verdicts[v] = report.verdicts[v]
      const why = report.plainWhyOf(v), where = shownPath(path)
      this.why[v] = two(`${where}: ${why.en}`, `${where}：${why.zh}`)
    }
    this.oneKeeper ||= report.oneKeeper
    this.copiesMissing ||= report.facts?.kind === 'deposit' && !report.copiesOk
    if ((report.facts?.recordedBy ?? 0n) > this.asOf) this.asOf = report.facts!.recordedBy!
    if (this.ledger || !report.facts?.network || !report.facts.origin) return
    this.ledger = shownName(report.facts.origin.slice(0, -33))
    this.bag.network = report.facts.network
  }

  private async receipt(path: string): Promise<void> {
    const whole = this.files.get(path)!.size <= RECEIPT_MAX, bytes = whole ? (await this.read(path))! : new Uint8Array(RECEIPT_MAX + 1) // too large, whatever it holds
    const j = judge(bytes, this.trust), { report } = j
    this.fold(path, j)
    if (j.refused || report.verdicts.integrity === 'FAIL') {
      const why = report.plainWhyOf('integrity')
      return this.fail('receipt', path, two(`it does not verify: ${why.en}`, `未通过验证：${why.zh}`))
    }
    if (report.verdicts.signer === 'FAIL') this.fail('signer', path, report.plainWhyOf('signer'))
    const { entry } = j.receipt!.own
    if (entry.kind === 'deposit') return this.deposit(path, bytes, j)
    if (entry.kind === 'inventory' && (entry.outer.payload as Payload<'inventory'>).case)
      return void this.inventories.push({ path, payload: entry.outer.payload as Payload<'inventory'>, caseName: report.facts!.caseName ?? '' })
    if (entry.kind === 'disclosure') return this.disclosure(j)
    const kind = kindName(entry.kind as Kind)
    this.say('PASS', 'receipt', path, two(`of a further entry, a ${kind.en}; it verifies`, `另一条记录（${kind.zh}）的回执；通过验证`))
  }

  private disclosure(j: Judgement): void {
    this.disclosures++
    for (const id of (j.receipt!.own.entry.outer.payload as Payload<'disclosure'>).targets) this.given.add(hex(id))
    const { details } = j.receipt!.record, d = details && attempt(() => readDetails(details, 'disclosure'))
    if (!this.recipient && d?.status === 'OK' && d.value.profile === 'disclosure') this.recipient = shownName(d.value.fields.recipient ?? '')
  }

  /* ---- 3. the bytes of an exhibit ---- */

  private async deposit(path: string, receipt: Bytes, bare: Judgement): Promise<void> {
    const stem = path.slice(RECEIPTS.length, -RECEIPT.length), called = shownPath(stem), id = hex(bare.report.facts!.id), claim = bare.receipt!.own.entry.inner!.payload
    if (this.bag.exhibits.some((e) => idOf(e) === id)) return this.fail('added', path, two('a second receipt of one exhibit', '同一证物的第二份回执'))
    const parts = this.paths.flatMap((p) => { const name = partName(p); return name?.stem === stem ? [{ path: p, ...name }] : [] }), own = this.paths.filter((p) => p.startsWith(`data/${stem}/`))
    const folder = claim.content === FOLDER, manifest = folder && parts.length + own.length > 0 ? await this.manifest(path, called, bare) : undefined, known = !folder || manifest !== undefined
    let good = known || parts.length + own.length === 0, judgement = bare
    for (const part of parts) {
      this.used.add(part.path)
      if (known) good = await this.part(part, bare, manifest) && good
    }
    if (own.length > 0 && manifest) good = await this.items(stem, called, bare, manifest) && good
    if (own.length > 0 && !folder) {
      good = await this.compare(own[0]!, called, claim.size, claim.root, bare.report.facts!.sha256) && good
      const h = await this.hash(own[0]!)
      judgement = judge(receipt, this.trust, { size: BigInt(h.size), root: h.root, sha256: h.sha256 })
    }
    const state: State = !good ? 'altered' : own.length > 0 ? 'same' : parts.length > 0 ? 'part' : 'reference'
    this.bag.exhibits.push({ stem, receipt, judgement, state })
    this.tell(stem, judgement, state)
  }

  private tell(stem: string, { report: { facts: f } }: Judgement, state: State): void {
    const words: Record<State, Two> = {
      same: two('its bytes are here, every one as it was signed', '其数据在此，每一字节与签名时一致'), part: two('a part of its bytes is here', '其部分数据在此'),
      reference: two('its bytes are not here, its record alone is proven', '其数据不在此，仅其记录得到证明'), altered: two('its bytes are NOT those that were signed', '其数据与签名时不一致'),
    }
    const name = shownPath(f?.name ?? ''), by = shownName(f?.depositor ?? ''), time = timeText(f?.recordedBy ?? 0n), w = words[state]
    this.say(state === 'altered' ? 'FAIL' : 'PASS', 'exhibit', stem, two(`${name}, deposited by ${by}, recorded by ${time}; ${w.en}`, `${name}，存证人${by}，入账不晚于${time}；${w.zh}`))
  }

  /** The manifest of the folder, when it is the one that was claimed. */
  private async manifest(receipt: string, called: string, bare: Judgement): Promise<Manifest | undefined> {
    if (bare.manifest) return bare.manifest
    const path = `${receipt}.manifest`, bytes = await this.read(path, FOLDER_MANIFEST_MAX), claim = bare.receipt!.own.entry.inner!.payload
    if (!bytes) return void this.fail('missing', path, two(`the manifest of the folder ${called} is not here`, `文件夹${called}的清单不在此处`))
    const right = BigInt(bytes.length) === claim.size && same(contentRoot(bytes), claim.root), found = right ? attempt(() => readManifest(bytes)) : undefined
    if (found?.status === 'OK') return found.value
    this.fail('altered', path, two(`it is not the manifest that was claimed of the folder ${called}`, `不是文件夹${called}所声明的清单`))
    return undefined
  }

  private async compare(path: string, called: string, size: bigint, root: Bytes, sha256: Bytes | undefined): Promise<boolean> {
    const h = await this.hash(path)
    this.used.add(path)
    const good = BigInt(h.size) === size && same(h.root, root) && (sha256 === undefined || same(h.sha256, sha256))
    if (!good) this.fail('altered', path, two(`it is not what was deposited as ${called}: its bytes differ`, `与${called}存证时不符：字节不同`))
    return good
  }

  private async items(stem: string, called: string, bare: Judgement, { rows }: Manifest): Promise<boolean> {
    const name = bare.report.facts!.name ?? new Uint8Array()
    let first: Two | undefined
    for (const row of rows) {
      if (row.type !== FILE) continue
      const path = this.find(stem, join(name, SLASH, row.path)), where = printable(row.path)
      if (path === undefined) this.fail('missing', join(toUtf8(`${stem}/`), row.path), two(`it belongs to ${called} and is not here`, `属于${called}，但不在此处`))
      else if (await this.compare(path, called, row.size, row.root!, row.sha256)) continue
      first ??= path === undefined ? two(`${where}: it is missing`, `${where}：缺失`) : two(`${where}: its bytes differ`, `${where}：字节不同`)
    }
    addEvidence(bare, 'folder', first ? 'BAD_HASH' : 'OK', first ?? alike(''))
    return first === undefined
  }

  private async part(at: { path: string, first: bigint, last: bigint }, { report, receipt }: Judgement, manifest: Manifest | undefined): Promise<boolean> {
    const { path } = at, file = this.files.get(path)!, claim = receipt!.own.entry.inner!.payload, bytes = await this.read(`${RECEIPTS}${path.slice(5)}.proof`)
    if (!bytes) return this.fail('missing', path, two('the proof of this part is not here', '此部分的证明不在此处')), false
    try {
      const proof = readPartProof(bytes), refused = (status: Status): never => { throw new Refused(status, '') }
      if (!same(proof.id, report.facts!.id)) refused('BAD_PROOF')
      if (proof.first !== at.first || proof.last !== at.last || (proof.item !== undefined) !== (manifest !== undefined)) refused('MALFORMED')
      const row = proof.item && manifest!.rows.find((r) => same(r.path, proof.item!)), whole = proof.item ? { size: row?.size ?? 0n, root: row?.root ?? refused('NOT_FOUND') } : claim
      const h = await this.reading.hash(file, { before: proof.before, after: proof.after, from: leafOf(proof.first) })
      verifyPart(proof, h, whole)
      const of = proof.item && shownPath(proof.item)
      this.parts++
      this.say('PASS', 'part', path, two(`bytes ${proof.first} to ${proof.last} of ${whole.size}${of ? `: ${of}` : ''}, as deposited`, `${of ? `${of}的` : ''}第${proof.first}至${proof.last}字节（共${whole.size}字节），与存证时一致`))
      return true
    } catch (e) {
      if (!(e instanceof Refused)) throw e
      const { en, zh } = statusWords[e.status]
      this.fail('altered', path, two(`these bytes are not proven to be of the item: ${en}`, `未能证明这些字节属于该项：${zh}`))
      return false
    }
  }

  /* ---- 4. 5. what is missing ---- */

  /** The ids of a list, in their order; undefined: it is none. */
  private async list(path: string): Promise<string[] | undefined> {
    const bytes = await this.read(path), { lines, whole } = linesOf(bytes ?? new Uint8Array())
    const ids = lines.map((line, i) => {
      const text = utf8(line) ?? '', space = text.indexOf(' '), n = attempt(() => decimal(text.slice(0, space)))
      return space > 0 && n.status === 'OK' && n.value === BigInt(i + 1) && /^[0-9a-f]{64}$/.test(text.slice(space + 1)) ? text.slice(space + 1) : ''
    })
    return bytes && whole && !ids.includes('') ? ids : undefined
  }

  private async inventory({ path, payload: { n, root }, caseName }: Inventory): Promise<void> {
    const list = `${path.slice(RECEIPTS.length, -RECEIPT.length)}.txt`, ids = await this.list(list)
    if (!ids || BigInt(ids.length) !== n || !same(rootOf(ids.map((id) => leafHash(unhex(id)))), root))
      return this.fail('inventory', list, two(`it is not the list of the ${n} deposits that the ledger recorded`, `不是账本所记录的${n}次存证的清单`))
    const here = new Set(this.bag.exhibits.map(idOf))
    let absent = 0
    ids.forEach((id, i) => {
      if (here.has(id)) return
      const name = `${caseName}/${i + 1}`, short = id.slice(0, 16)
      absent++
      this.missing.push(shownPath(name))
      if (this.given.has(id)) this.told.add(id), this.fail('left-out', name, two(`it was given out with this package and is not here: it was left out afterwards (id ${short}…)`, `曾随本包出示，但不在此处：事后被抽去（标识${short}…）`))
      else this.say('NOTE', 'not-included', name, two(`the case has it; it is not part of this package (id ${short}…)`, `该案有此证物，但不在本包之内（标识${short}…）`))
    })
    this.say('PASS', 'inventory', caseName, absent === 0
      ? two(`the case has ${n} deposits as of its inventory, and each of them is in this package`, `截至清单，该案有${n}次存证，均在本包之内`)
      : two(`the case has ${n} deposits as of its inventory; of these not in this package: ${absent}`, `截至清单，该案有${n}次存证；其中${absent}次不在本包之内`))
  }

  private disclosed(): void {
    if (this.disclosures === 0) return this.fail('disclosure', 'receipts/disclosure.tlog-proof',
      two('the record of what was given out is not here: whether an exhibit was left out cannot be told', '出示记录不在此处：无从得知是否有证物被抽去'))
    const exhibits = [...this.bag.exhibits].sort((a, b) => byText(idOf(a), idOf(b))), here = new Set(exhibits.map(idOf))
    for (const id of [...this.given].sort())
      if (!here.has(id) && !this.told.has(id)) this.fail('left-out', id, two('a deposit with this id was given out with this package and is not here', '带有此标识的存证曾随本包出示，但不在此处'))
    for (const e of exhibits) if (!this.given.has(idOf(e))) this.fail('put-in', e.stem, two('it is not among what was given out: it was put in afterwards', '不在出示之列：事后被放入'))
  }

  private async lookAtTrust(): Promise<void> {
    const file = this.files.get(TRUST)
    this.bag.trustInside = file && file.size <= 65536 ? await this.reading.bytes(file, 65536) : undefined
    if (!this.trust) this.say('NOT PROVEN', 'trust', '', two('no trust file is pinned: nobody vouches for the keys', '没有指定信任文件：无人为密钥作证'))
    else if (file && !(this.bag.trustInside && same(this.bag.trustInside, this.trust.bytes)))
      this.say('NOTE', 'trust', TRUST, two('it differs from the pinned trust file, which alone was believed', '与指定的信任文件不同；仅以指定者为准'))
    if (this.files.has(CHAIN))
      this.say('NOTE', 'trust', CHAIN, two('the chain of trust, not judged here: from the network id, or an older trust file, it leads to today\'s by `custody trust follow`',
        '信任链，此处未作判断：可用 `custody trust follow` 由网络标识或较早的信任文件得出当前信任文件'))
  }

  /* ---- the whole ---- */

  private conclude(): void {
    const { bag, trust } = this, { verdicts } = bag, CODES = { integrity: 2, signer: 4, time: 5 }, required = trust?.required ?? ['integrity', 'signer'], none = two('there is no receipt', '没有回执')
    for (const v of VERDICTS) {
      if (this.receipts === 0 && verdicts[v] === 'PASS') verdicts[v] = 'NOT PROVEN'
      this.why[v] ??= this.receipts > 0 ? fine[v] : none
    }
    bag.why = this.why as Record<VerdictName, Two>
    const first = VERDICTS.find((v) => verdicts[v] === 'FAIL' || (required.includes(v) && verdicts[v] !== 'PASS'))
    bag.exitCode = first ? CODES[first] : !trust ? 4 : this.copiesMissing ? 3 : 0
    const obstacle = VERDICTS.find((v) => v === 'integrity' ? verdicts[v] !== 'PASS' : verdicts[v] === 'FAIL')
    bag.sentence = obstacle ? two(`NOT VERIFIED, do not rely on it: ${bag.why[obstacle].en}.`, `未通过验证，不可采信：${bag.why[obstacle].zh}。`) : this.sentence()
  }

  private sentence(): Two {
    const { exhibits, verdicts, network } = this.bag, n = exhibits.length, here = exhibits.filter((e) => e.state === 'same').length, alone = exhibits.filter((e) => e.state === 'reference').length
    const cases = [...new Set(exhibits.map((e) => shownName(e.judgement.report.facts?.caseName ?? '')))], id = hex(network ?? new Uint8Array(8)).slice(0, 16), one = this.inventories.length === 1
    const parts: [string, string][] = [
      verdicts.signer === 'PASS' ? ['Verified: ', '经验证：']
        : ['NOT PROVEN whose it is: the package is whole in itself, but no trusted signature vouches for it. It says: ', '来源未经证明：本包自身完整，但没有可信的签名证明其来源。其内容为：'],
      [`${n} exhibit${n === 1 ? '' : 's'} of the case${cases.length === 1 ? '' : 's'} ${names(cases, CASES)} of the ledger ${this.ledger} (network id ${id}…)`,
        `账本“${this.ledger}”（网络标识${id}…）案件${names(cases, CASES)}的证物${n}件`],
      here > 0 ? [`; the bytes of ${here} are here, each as it was signed`, `；其中${here}件的数据在此，与签名时一致`] : ['', ''],
      this.parts > 0 ? [`; proven parts of items that are here: ${this.parts}`, `；经证明的部分数据${this.parts}段`] : ['', ''],
      alone > 0 ? [`; of ${alone} the record alone is proven`, `；${alone}件仅有记录`] : ['', ''],
      ['. ', '。'],
      this.missing.length > 0 ? [`${one ? 'The case has' : 'The cases have'} more, not in this package: ${names(this.missing, MISSING)}. `, `该案另有不在本包中的证物：${names(this.missing, MISSING)}。`]
        : [one ? 'As of its inventory the case has no other. ' : 'As of their inventories the cases have no other. ', '依其清单，该案无其他证物。'],
      [`Given out${this.recipient ? ` to ${this.recipient}` : ''}, on record by ${timeText(this.asOf)}`, `出示${this.recipient ? `对象：${this.recipient}` : ''}，入账不晚于${timeText(this.asOf)}`],
      verdicts.time === 'PASS' ? ['', ''] : [', by the ledger\'s own clock, which nobody else attests: the time is NOT PROVEN', '，依据账本自身时钟，无他方证明：时间未经证明'],
      ['. ', '。'],
      this.oneKeeper ? ['One party holds every key of this ledger: until an outside witness signs, it could have rewritten the whole, which only an older receipt would show. ',
        '本账本的全部密钥由一方持有：在外部见证方签名之前，该方可改写整个账本，唯有更早的回执能够揭示。'] : ['', ''],
      ['Not covered: what happened before it was signed; when and how evidence was collected is its signer\'s word.', '不在验证范围：签名之前发生的事；证据何时、如何取得，仅为签名人的陈述。'],
    ]
    return two(parts.map(([en]) => en).join(''), parts.map(([, zh]) => zh).join(''))
  }
}
