/** A report as people read it: the big verdict first, then the sentence, the three verdicts, and everything else to be unfolded. */
import { type Bytes, attempt, hex, utf8 } from '../codec/bytes.ts'
import { type Difference } from '../package/evidence.ts'
import { type Bag, type BagLine, type Exhibit } from '../package/bag.ts'
import { type Fork } from '../proof/fork.ts'
import { type Line, type Report, type Verdict } from '../proof/report.ts'
import { kindName } from '../proof/sentence.ts'
import { VERDICTS, type VerdictName } from '../proof/trust.ts'
import { type Judgement } from '../proof/verify.ts'
import { DIGEST_NAMES, readDetails } from '../record/details.ts'
import { type Kind } from '../record/kinds.ts'
import { type Two, printable, shown, timeText } from '../words.ts'
import { h } from './dom.ts'
import { type Part, explainReceipt } from './explain.ts'
import { T } from './texts.ts'

export type Language = keyof Two
type Class = 'good' | 'open' | 'bad' | 'note'
const classOf: Record<Verdict | 'NOTE', Class> = { 'PASS': 'good', 'NOT PROVEN': 'open', 'FAIL': 'bad', 'NOTE': 'note' }
const icon: Record<Class, string> = { good: '✓', open: '?', bad: '✗', note: '·' }
const mark = (c: Class): HTMLElement => h('span', { class: 'mark', 'aria-hidden': 'true' }, icon[c])

interface Verdicts { verdicts: Record<VerdictName, Verdict>, exitCode: number, sentence: Two, whyOf(v: VerdictName): Two | undefined, compared: boolean | undefined }

function headline({ verdicts: v, exitCode, compared }: Verdicts): [Class, Two] {
  const H = T.headlines
  if (exitCode === 0) return compared === false ? ['good', H.notCompared] : ['good', H.good]
  if (Object.values(v).includes('FAIL') || v.integrity !== 'PASS') return ['bad', H.bad]
  return v.signer !== 'PASS' ? ['open', H.open] : exitCode === 5 ? ['open', H.time] : ['open', H.copies]
}

/** Verdict, sentence, three verdicts. The heading takes the focus, so that whoever listens hears it first. */
export function showVerdict(r: Verdicts, l: Language, next: Two[]): HTMLElement {
  const [c, words] = headline(r), copied = h('span', { role: 'status', class: 'dim' }), sentence = h('p', { class: 'sentence' }, r.sentence[l])
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(r.sentence[l])
      copied.textContent = T.copied[l]
    } catch { // where a page from disk may not: it is selected, to be copied by hand
      getSelection()?.selectAllChildren(sentence)
      copied.textContent = T.selected[l]
    }
  }
  return h('div', { class: `result ${c}`, id: 'result' },
    h('h2', { tabindex: '-1' }, mark(c), h('span', {}, words[l])),
    sentence,
    ...next.map((t) => h('p', {}, t[l])),
    h('div', { class: 'buttons' }, h('button', { type: 'button', click: () => void copy() }, T.copy[l]), h('button', { type: 'button', click: () => window.print() }, T.save[l]), copied),
    h('ul', { class: 'verdicts' }, VERDICTS.map((v) => {
      const k = classOf[r.verdicts[v]]
      return h('li', { class: k }, h('b', {}, mark(k), h('span', {}, `${T.verdictNames[v][l]}${l === 'zh' ? '：' : ': '}${T.verdicts[r.verdicts[v]][l]}`)), h('span', { class: 'dim' }, T.questions[v][l]), h('p', { class: 'dim' }, r.whyOf(v)?.[l] ?? ''))
    })))
}

const table = (rows: [string, string | Node | undefined][]): HTMLElement =>
  h('dl', {}, rows.filter(([, v]) => v !== undefined && v !== '').flatMap(([k, v]) => [h('dt', {}, k), h('dd', {}, v!)]))

/** UTC, as the record has it, and beside it what the reader's own clock would have said. */
const time = (ms: bigint | undefined, l: Language): string | undefined =>
  ms === undefined ? undefined : `${timeText(ms)}  (${new Date(Number(ms)).toLocaleString(l === 'zh' ? 'zh-CN' : 'en-GB', { dateStyle: 'long', timeStyle: 'long' })})`

const groups = (n: bigint | number): string => `${n}`.replace(/\B(?=(\d{3})+(?!\d))/g, '\u2009')

function facts(j: Judgement, l: Language): HTMLElement | undefined {
  const f = j.report.facts, claim = j.receipt?.own.entry.inner?.payload, F = T.facts
  if (!f) return undefined
  const rows: [Two, string | undefined][] = [
    [F.kind, kindName(f.kind as Kind)[l]], [F.name, f.name && printable(f.name)], [F.label, f.label && shown(f.label)], [F.caseName, f.caseName && shown(f.caseName)],
    [F.depositor, f.depositor && shown(f.depositor)], [F.organisation, f.organisation && shown(f.organisation)], [F.provider, f.provider && shown(f.provider)],
    [F.size, claim && `${groups(claim.folder?.bytes ?? claim.size)} ${T.unitBytes[l]}`], [F.items, claim?.folder && groups(claim.folder.items)], [F.sha256, f.sha256 && hex(f.sha256)], [F.root, claim && hex(claim.root)],
    [F.after, time(f.signedAfter, l)], [F.by, time(f.recordedBy, l)], [F.witnessed, time(f.witnessedBy, l)], [F.own, time(f.ownClock, l)], [F.copies, f.kind === 'deposit' ? `${j.report.copies} ${T.attested[l]} ${j.report.copiesRequired}` : undefined],
    [F.ledger, f.origin && shown(f.origin)], [T.networkId, f.network && hex(f.network)], [F.position, `${f.position} / ${f.size}`], [F.id, hex(f.id)], [F.leaf, hex(f.leaf)],
  ]
  return table(rows.map(([k, v]) => [k[l], v]))
}

/** The details by their profile, as the form that was filled in. */
function form(j: Judgement, l: Language): HTMLElement | undefined {
  const { details } = j.receipt?.record ?? {}, d = details && attempt(() => readDetails(details, j.receipt!.own.entry.kind))
  if (!d || d.status !== 'OK' || j.refused) return undefined
  const words = T.fields as Record<string, Two>
  const value = (v: unknown, name: string): string | Node | undefined => {
    if (v === undefined) return undefined
    if (typeof v === 'string') return shown(v)
    if (typeof v === 'bigint') return name === 'time' ? timeText(v) : name === 'alg' ? DIGEST_NAMES[Number(v)] : `${v}`
    if (typeof v === 'boolean') return v ? T.yes[l] : T.no[l]
    if (v instanceof Uint8Array) return name === 'name' && utf8(v) !== undefined ? printable(v) : hex(v)
    if (Array.isArray(v) && name === 'digests') return h('div', {}, v.map((x) => h('div', {}, `${DIGEST_NAMES[Number(x.alg)]} ${hex(x.value)}`)))
    if (Array.isArray(v)) return h('div', {}, v.map((x) => value(x, '') ?? ''))
    return table(Object.entries(v as object).map(([k, x]) => [words[k]?.[l] ?? k, value(x, k)]))
  }
  return table(Object.entries(d.value.fields).map(([k, v]) => [words[k]?.[l] ?? k, value(v, k)]))
}

const line = (c: Class, verdict: Two, name: string, text: Two, l: Language): HTMLElement =>
  h('li', { class: c }, mark(c), h('div', {}, h('span', { class: 'visually-hidden' }, `${verdict[l]}: `), text[l], ' ', h('span', { class: 'name' }, name)))
const checkLine = (x: Line, l: Language): HTMLElement => line(classOf[x.verdict], T.verdicts[x.verdict], x.status === 'OK' ? x.check : `${x.check} ${x.status}`, x.text, l)
const bagLine = (x: BagLine, l: Language): HTMLElement => line(classOf[x.verdict], T.verdicts[x.verdict], x.what, x.where ? { en: `${x.where}: ${x.text.en}`, zh: `${x.where}：${x.text.zh}` } : x.text, l)

const LINES_SHOWN = 500
const cut = <X>(all: X[], show: (x: X) => HTMLElement): HTMLElement[] => [...all.slice(0, LINES_SHOWN).map(show), ...(all.length > LINES_SHOWN ? [h('li', {}, `… ${all.length - LINES_SHOWN}`)] : [])]

function tree(parts: Part[]): HTMLElement {
  return h('ul', { class: 'tree' }, parts.map((p) => {
    const head = [h('span', { class: 'at' }, p.at.toString(16).padStart(6, '0')), ' ', h('span', { class: 'label' }, p.label), ` — ${p.meaning}`]
    const bytes = (): HTMLElement => h('code', { class: 'hex' }, hex(p.bytes).replace(/../g, '$& '))
    if (p.parts.length === 0 && p.bytes.length <= 64) return h('li', {}, ...head, bytes())
    const details = h('details', {}, h('summary', {}, ...head))
    details.addEventListener('toggle', () => { // made when it is opened; what has one part opens it too
      if (details.childElementCount > 1) return
      details.append(p.parts.length > 0 ? tree(p.parts) : bytes())
      if (p.parts.length === 1) details.querySelector('details')?.setAttribute('open', '')
    })
    return h('li', {}, details)
  }))
}

const notCovered = (l: Language): HTMLElement => h('section', {}, h('h2', {}, T.noCover[l]), h('ul', {}, T.notCovered.map((t) => h('li', {}, t[l]))))

function differences(all: Difference[], l: Language): HTMLElement | undefined {
  if (all.length === 0) return undefined
  return h('section', {}, h('h2', {}, T.differences[l]), h('ul', { class: 'checks' }, cut(all, (d) => line('bad', T.verdicts.FAIL, d.what, { en: `${printable(d.path)}: ${d.text.en}`, zh: `${printable(d.path)}：${d.text.zh}` }, l))))
}

/** All of a receipt below its verdict. */
export function showReceipt(j: Judgement, all: Difference[], file: Bytes, l: Language): HTMLElement[] {
  const f = facts(j, l), filled = form(j, l)
  return [
    ...[differences(all, l)].filter((x) => x !== undefined),
    ...(f && !j.refused ? [h('section', {}, h('h2', {}, T.evidence[l]), f)] : []),
    ...(filled ? [h('section', {}, h('h2', {}, T.details[l]), filled)] : []),
    h('section', {}, h('h2', {}, T.checks[l]), h('ul', { class: 'checks' }, cut(j.report.lines, (x) => checkLine(x, l)))),
    notCovered(l),
    h('section', { class: 'technical' }, h('details', {}, h('summary', {}, T.technical[l]), tree(explainReceipt(file, j.receipt?.extra)))),
  ]
}

export function receiptVerdicts(j: Judgement): Verdicts {
  const { report } = j, deposit = j.receipt?.own.entry.inner !== undefined && report.facts?.kind === 'deposit'
  return { verdicts: report.verdicts, exitCode: report.exitCode, sentence: report.sentence, whyOf: (v) => report.whyOf(v), compared: deposit ? report.compared !== 'none' : undefined }
}
export const needsFile = (r: Report): boolean => r.facts?.kind === 'deposit' && r.compared === 'none'

export const bagVerdicts = (b: Bag): Verdicts => ({ verdicts: b.verdicts, exitCode: b.exitCode, sentence: b.sentence, whyOf: (v) => b.why[v], compared: undefined })

export function showBag(b: Bag, l: Language, open: (e: Exhibit) => void): HTMLElement[] {
  const state: Record<Exhibit['state'], Class> = { same: 'good', part: 'good', reference: 'note', altered: 'bad' }
  const cell = (c: Class, text: string): HTMLElement => h('td', { class: c }, `${icon[c]} ${text}`)
  const worst = b.lines.filter((x) => x.verdict !== 'PASS'), rest = b.lines.filter((x) => x.verdict === 'PASS')
  return [
    h('section', {}, h('h2', {}, `${T.exhibits[l]} (${b.exhibits.length})`), h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': T.exhibits[l] }, h('table', {},
      h('thead', {}, h('tr', {}, [T.exhibit, T.name, T.bytes, ...VERDICTS.map((v) => T.verdictNames[v])].map((t) => h('th', { scope: 'col' }, t[l])), h('td', {}))),
      h('tbody', {}, b.exhibits.map((e) => h('tr', {}, h('td', {}, e.stem), h('td', {}, e.judgement.report.facts?.name ? printable(e.judgement.report.facts.name) : ''), cell(state[e.state], T.states[e.state][l]),
        VERDICTS.map((v) => cell(classOf[e.judgement.report.verdicts[v]], T.verdicts[e.judgement.report.verdicts[v]][l])),
        h('td', {}, h('button', { type: 'button', click: () => open(e), 'aria-label': `${T.show[l]} ${e.stem}` }, T.show[l])))))))),
    h('section', {}, h('h2', {}, T.checks[l]), h('ul', { class: 'checks' }, cut([...worst, ...rest], (x) => bagLine(x, l)))),
    notCovered(l),
  ]
}

export function showFork(found: Fork | { text: string }, l: Language): HTMLElement {
  const bad = 'text' in found, c: Class = bad ? 'open' : 'bad'
  const names = (all: string[]): HTMLElement => h('ul', {}, all.map((n) => h('li', {}, shown(n))))
  return h('div', { class: `result ${c}`, id: 'result' }, h('h2', { tabindex: '-1' }, mark(c), h('span', {}, (bad ? T.forkBad : T.forkGood)[l])),
    bad ? h('p', {}, found.text) : found.convicted.length > 0 ? h('div', {}, h('p', {}, `${T.convicted[l]}:`), names(found.convicted)) : h('div', {}, h('p', {}, T.nobody[l]), names(found.signersA), names(found.signersB)))
}
