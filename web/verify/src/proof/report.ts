/** What a verification found. A verdict only ever sinks: PASS, NOT PROVEN, FAIL; what sank it first is its line. */
import { type Bytes } from '../codec/bytes.ts'
import { type Status } from '../status.ts'
import { type Two, alike, fill, statusWords, two } from '../words.ts'
import { type CheckName, checkOf } from './checks.ts'
import { type Trust, type VerdictName, VERDICTS } from './trust.ts'

export type Verdict = 'PASS' | 'NOT PROVEN' | 'FAIL'
/** `plain`: the status in place of what exactly was found, in words that every verifier has. */
export interface Line { check: CheckName, verdict: Verdict | 'NOTE', status: Status, text: Two, plain: Two }
const RANK: Record<Verdict, number> = { 'FAIL': 0, 'NOT PROVEN': 1, 'PASS': 2 }

export interface Facts {
  kind: string, position: bigint, size: bigint, root: Bytes, id: Bytes, leaf: Bytes, network?: Bytes, origin?: string
  caseName?: string, depositor?: string, organisation?: string, provider?: string, name?: Bytes, label?: string, sha256?: Bytes
  signedAfter?: bigint, recordedBy?: bigint, witnessedBy?: bigint, ownClock?: bigint
}

export class Report {
  readonly lines: Line[] = []
  readonly verdicts: Record<VerdictName, Verdict> = { integrity: 'PASS', signer: 'PASS', time: 'PASS' }
  readonly why: Partial<Record<VerdictName, { text: Two, plain: Two }>> = {}
  status: Status = 'OK'
  exitCode = 0
  facts: Facts | undefined
  copies = 0
  copiesRequired = 0n
  copiesOk = true
  oneKeeper = false
  compared: 'none' | 'same' | 'other' = 'none'
  sentence: Two = two('', '')

  constructor(readonly trust: Trust | undefined) {}

  get failed(): boolean { return VERDICTS.some((v) => this.verdicts[v] === 'FAIL') }

  private add(check: CheckName, verdict: Verdict | 'NOTE', status: Status, args: Two[], reason?: string): void {
    const { of, good, bad } = checkOf(check), well = verdict === 'PASS' || verdict === 'NOTE', words = fill(well ? good : bad, args)
    const bare = well || reason === undefined, told = (found: string): Two => bare ? words : two(`${words.en}: ${found}`, `${words.zh}：${statusWords[status].zh}`)
    const text = told(reason ?? ''), plain = told(statusWords[status].en)
    this.lines.push({ check, verdict, status, text, plain })
    if (well) {
      if (verdict === 'PASS' && of === 'time' && this.verdicts.time === 'PASS') this.why.time = { text, plain }
      return
    }
    if (this.status === 'OK' || (verdict === 'FAIL' && !this.failed)) this.status = status
    if (of === undefined || RANK[verdict] >= RANK[this.verdicts[of]]) return
    this.verdicts[of] = verdict
    this.why[of] = { text, plain }
  }

  note(check: CheckName, ...args: Two[]): void { this.add(check, 'NOTE', 'OK', args) }
  pass(check: CheckName, ...args: Two[]): void { this.add(check, 'PASS', 'OK', args) }
  fail(check: CheckName, status: Status, ...args: Two[]): void { this.add(check, 'FAIL', status, args) }
  unproven(check: CheckName, status: Status, ...args: Two[]): void { this.add(check, 'NOT PROVEN', status, args) }

  /** By what an attempt came to. */
  judged(check: CheckName, found: { status: Status, text?: string }, ...args: Two[]): void {
    this.add(check, found.status === 'OK' ? 'PASS' : 'FAIL', found.status, args, found.text)
  }
  weighed(check: CheckName, verdict: Verdict, status: Status, reason: string, ...args: Two[]): void { this.add(check, verdict, status, args, reason) }

  /** No receipt at all: one line stands for everything, whatever was found before. */
  refuse(check: CheckName, status: Status, reason: string): void {
    this.verdicts.integrity = 'PASS'
    this.add(check, 'FAIL', status, [], reason)
    this.status = status
    for (const v of ['signer', 'time'] as const) this.verdicts[v] = 'FAIL', this.why[v] = this.why.integrity!
  }

  /** The worst first: what failed, then what is required and not proven; never 0 without a pinned trust. */
  conclude(): void {
    const CODES = { integrity: 2, signer: 4, time: 5 }, required = this.trust?.required ?? ['integrity', 'signer']
    const first = VERDICTS.find((v) => this.verdicts[v] === 'FAIL' || (required.includes(v) && this.verdicts[v] !== 'PASS'))
    this.exitCode = first ? CODES[first] : !this.trust ? 4 : this.copiesOk ? 0 : 3
    if (this.exitCode === 0) this.status = 'OK'
  }

  /** The line beside a verdict. */
  whyOf(v: VerdictName): Two { return this.why[v]?.text ?? fine[v] }
  plainWhyOf(v: VerdictName): Two { return this.why[v]?.plain ?? fine[v] }
}

/** What stands beside a PASS that no line speaks of. */
const fine: Record<VerdictName, Two> = {
  integrity: two('every proof leads to the checkpoint, and what is attached is what was signed', '每项证明都通向检查点，所附内容与所签的一致'),
  signer: two('every signature is by a key that the pinned ledger enrolled, and the checkpoint is signed as the trust file demands', '每个签名都出自指定账本所登记的密钥，检查点已按信任文件的要求签名'),
  time: alike(''),
}
