/** The plain sentence, in English and Chinese: what was verified, as of when, what is not covered. A clerk copies it. */
import { hex } from '../codec/bytes.ts'
import { type Kind } from '../record/kinds.ts'
import { type Two, alike, fill, shownName, timeText, two } from '../words.ts'
import { type Receipt } from './receipt.ts'
import { type Report } from './report.ts'
import { VERDICTS } from './trust.ts'

const kindWords: Record<Kind, [name: Two, says: Two]> = {
  genesis: [two('genesis', '创始'), two('the founding of the ledger', '账本的创始记录')],
  block: [two('block', '区块'), two('a block entry, which dates the entries before it', '一条区块记录，为其前的记录定时')],
  confirm: [two('confirm', '确认'), two('an organisation\'s proof that it holds its keys', '一个机构持有其密钥的确认')],
  case: [two('case', '立案'), two('the opening of a case', '一个案件的立案记录')],
  claim: [two('claim', '存证声明'), two('', '')],
  deposit: [two('deposit', '存证'), two('a deposit of evidence', '一次证据存证')],
  refusal: [two('refusal', '拒绝'), two('a provider\'s refusal of a deposit, signed over the depositor\'s claim', '云服务方对一次存证的拒绝，签于存证人的声明之上')],
  void: [two('void', '作废'), two('a depositor\'s voiding of a serial number', '存证人对一个序号的作废')],
  stored: [two('stored', '副本'), two('an organisation\'s word that it holds verified copies', '一个机构持有已核验副本的声明')],
  incident: [two('incident', '事件'), two('an incident report', '一份事件报告')],
  correction: [two('correction', '更正'), two('a correction of an earlier statement', '对先前陈述的更正')],
  access: [two('access', '查阅'), two('a record of who read evidence', '证据查阅记录')],
  inventory: [two('inventory', '清单'), two(
    'an inventory, which the ledger admits only if it leaves no deposit out (but, possibly, under the open numbers it lists)',
    '一份清单；账本只接纳没有遗漏任何存证的清单（其列明的未用序号除外）')],
  timeout: [two('timeout', '超时'), two('a record that what was due had not come in time', '逾期未至的记录')],
  notice: [two('notice', '调取通知'), two('a notice by which a provider is asked for data', '向服务方调取数据的通知')],
  acknowledge: [two('acknowledge', '签收'), two('a provider\'s word that it has a notice', '服务方收到调取通知的签收')],
  answer: [two('answer', '答复'), two('a provider\'s answer to a notice', '服务方对调取通知的答复')],
  propose: [two('propose', '提案'), two('a proposal to change who the organisations are, their keys, or what is asked of all', '变更机构、机构密钥或共同要求的提案')],
  approve: [two('approve', '同意'), two("an organisation's approval of a proposal", '一个机构对提案的同意')],
  member: [two('member', '成员'), two("an organisation's word on a member's keys", '机构关于成员密钥的声明')],
  grant: [two('grant', '授权'), two('an opening of something sealed to further readers', '向更多读者开启一项密封内容')],
  disclosure: [two('disclosure', '出示'), two('a record of which deposits were given out', '证据出示（披露）记录')],
}
/** Of a claim that answers a notice, where the two signers have changed places. */
const answeringWords: Partial<Record<Kind, Two>> = {
  deposit: two('a deposit by which a provider answers a notice', '服务方答复调取通知的一次存证'),
  refusal: two('a refusal of what a provider deposits to answer a notice', '对服务方为答复调取通知所作存证的拒绝'),
}
export const kindName = (kind: Kind): Two => kindWords[kind][0]

class Sentence {
  private en = ''
  private zh = ''
  add(en: string, zh: string, ...args: Two[]): this {
    const t = fill(two(en, zh), args)
    this.en += t.en
    this.zh += t.zh
    return this
  }
  /** Only if there is something to name. */
  named(en: string, zh: string, name: string | undefined): this { return name ? this.add(en, zh, alike(name)) : this }
  get whole(): Two { return two(this.en, this.zh) }
}

/** Verdicts to an exit code, and everything to a sentence. */
export function sayAll(report: Report, receipt: Receipt | undefined): void {
  report.conclude()
  const s = new Sentence(), { verdicts } = report
  if (verdicts.integrity !== 'PASS' || verdicts.signer === 'FAIL' || verdicts.time === 'FAIL') s.add('NOT VERIFIED, do not rely on it: ', '未通过验证，不可采信：')
  else if (verdicts.signer !== 'PASS') s.add('NOT PROVEN whose it is: the file is whole in itself, but ', '来源未经证明：文件自身完整，但')
  else s.add('Verified: ', '经验证：')
  const obstacle = VERDICTS.find((v) => verdicts[v] === 'FAIL' || (v !== 'time' && verdicts[v] !== 'PASS'))
  if (obstacle) s.add('{1}.', '{1}。', report.whyOf(obstacle))
  else if (receipt) sayWhat(s, report, receipt), sayObject(s, report, receipt), sayTime(s, report), sayLimits(s, report)
  report.sentence = s.whole
}

function sayWhat(s: Sentence, { facts: f }: Report, receipt: Receipt): void {
  const kind = f!.kind as Kind, what = (receipt.own.entry.inner?.payload.notice && answeringWords[kind]) ?? kindWords[kind][1]
  const name = alike(shownName(f!.origin!.slice(0, -33))) // without its nonce: the network id beside it says which ledger of that name
  s.add('entry {1} of the ledger {2} (network id {3}…), as of its {4} entries, is {5}', '账本“{2}”（网络标识{3}…）共{4}条记录时的{1}号记录是{5}',
    alike(f!.position), name, alike(hex(f!.network!).slice(0, 16)), alike(f!.size), what)
  s.named(', in the case {1}', '，案件：{1}', f!.caseName && shownName(f!.caseName))
}

function sayObject(s: Sentence, report: Report, receipt: Receipt): void {
  const f = report.facts!, claim = receipt.own.entry.inner?.payload
  if (!claim) return void s.named('; signed by {1}', '；签名人：{1}', f.depositor && shownName(f.depositor)).add('. ', '。')
  const answers = claim.notice !== undefined
  s.add('; signed by {1}', '；{1}签名', answers ? two('the provider', '服务方') : two('its depositor', '存证人')).named(' {1}', '：{1}', f.depositor && shownName(f.depositor))
  s.add(' and by {1}', '，{1}签名', answers ? two('its receiver', '接收方') : two('the provider', '云服务方')).named(' {1}', '：{1}', f.provider && shownName(f.provider))
  s.named('; name {1}', '；名称：{1}', f.name && shownName(f.name))
  if (claim.folder) s.add('; a folder of {1} items, {2} bytes. ', '；文件夹，含{1}项，{2}字节。', alike(claim.folder.items), alike(claim.folder.bytes))
  else s.add('; {1} bytes', '；{1}字节', alike(claim.size)).named(', SHA-256 {1}', '，SHA-256 {1}', f.sha256 && hex(f.sha256)).add('. ', '。')
  if (report.compared === 'same') s.add('The bytes that were given are those that were signed. ', '所提交的数据与签名时的数据一致。')
  else s.add('No file was compared: it is the record that was verified, not a file. ', '未比对任何文件：所验证的是记录，而非某个文件。')
}

function sayTime(s: Sentence, { facts: f, verdicts }: Report): void {
  const by = alike(timeText(f!.recordedBy!))
  if (f!.signedAfter !== undefined) s.add('Signed after {1} and recorded by {2}', '签名晚于{1}，入账不晚于{2}', alike(timeText(f!.signedAfter)), by)
  else s.add('Recorded by {1}', '入账不晚于{1}', by)
  if (verdicts.time !== 'PASS') s.add(', by the ledger\'s own clock, which nobody else attests: the time is NOT PROVEN. ', '，依据账本自身时钟，无他方证明：时间未经证明。')
  else if (f!.witnessedBy !== undefined) s.add(', by the ledger\'s own clock; outside cosigners attest when it existed at the latest. ', '，依据账本自身时钟；外部联署方证明其最迟存在的时间。')
  else s.add(', times on which several organisations agreed. ', '，由多个机构共同认定。')
}

function sayLimits(s: Sentence, report: Report): void {
  if (report.oneKeeper) {
    s.add('One party holds every key of this ledger: until an outside witness signs, it could have rewritten the whole, which only an older receipt would show. ',
      '本账本的全部密钥由一方持有：在外部见证方签名之前，该方可改写整个账本，唯有更早的回执能够揭示。')
  }
  if (report.facts!.kind === 'deposit' && report.copiesRequired > 0n) {
    if (report.copiesOk) s.add('The copies that the ledger\'s policy asks for are attested. ', '账本策略要求的副本均已证明。')
    else s.add('Copies that the ledger\'s policy asks for are NOT attested. ', '账本策略要求的副本尚未全部证明。')
  }
  s.add('Not covered: what happened before it was signed; when and how evidence was collected is its signer\'s word.',
    '不在验证范围：签名之前发生的事；证据何时、如何取得，仅为签名人的陈述。')
}
