/** The page: what was given, whose ledger it is, and the verdict. Whenever either changes, everything is judged anew. */
import { entropyToMnemonic } from '@scure/bip39'
import { wordlist } from '@scure/bip39/wordlists/english'
import { type Bytes, Refused, attempt, hex, same, toUtf8, unbase64 } from '../codec/bytes.ts'
import { type Bag, judgeBag } from '../package/bag.ts'
import { type Difference, type Given, judgeWith } from '../package/evidence.ts'
import { type FileRef } from '../package/files.ts'
import { readZip } from '../package/zip.ts'
import { judgeFork } from '../proof/fork.ts'
import { RECEIPT_MAX } from '../proof/proof_file.ts'
import { type Trust, readTrust } from '../proof/trust.ts'
import { type Judgement } from '../proof/verify.ts'
import { FILE } from '../record/manifest.ts'
import { shown, statusWords } from '../words.ts'
import { type Dropped, dropZone, h, pickedFiles, pickedFolder, picker } from './dom.ts'
import { Cancelled, Hasher } from './hasher.ts'
import { type Language, bagVerdicts, needsFile, receiptVerdicts, showBag, showFork, showReceipt, showVerdict } from './show.ts'
import { type Thing, sortAll } from './sort.ts'
import { T } from './texts.ts'

interface Pin { trust: Trust, bytes: Bytes, from: 'page' | 'reader' }
type Outcome =
  | { is: 'receipt', judgement: Judgement, differences: Difference[], file: Bytes }
  | { is: 'bag', bag: Bag }
  | { is: 'fork', found: ReturnType<typeof judgeFork> | { text: string } }
  | { is: 'trouble', title: keyof typeof T & ('cancelled' | 'trouble' | 'noReceipt' | 'forkNeeds'), text: string }

const hasher = new Hasher()
let language: Language = (navigator.languages?.[0] ?? navigator.language ?? 'en').toLowerCase().startsWith('zh') ? 'zh' : 'en'
let things: Thing[] = []
let pin: Pin | undefined
let badTrust: string | undefined
let outcome: Outcome | undefined
let opened: Bag['exhibits'][number] | undefined
let run = 0

const t = (key: { en: string, zh: string }): string => key[language]

function readPinned(): void {
  const text = document.getElementById('pinned-trust')?.textContent?.trim() ?? ''
  if (text !== '') setTrust(() => unbase64(text), 'page')
}

function setTrust(bytes: () => Bytes, from: Pin['from']): void {
  const found = attempt(() => { const b = bytes(); return { trust: readTrust(b), bytes: b, from } })
  badTrust = found.status === 'OK' ? undefined : `${found.text} (${found.status})`
  if (found.status === 'OK') pin = found.value
}

/* ---- what was given ---- */

async function take(dropped: Dropped[]): Promise<void> {
  for (const thing of await sortAll(dropped)) {
    if (thing.sort === 'trust') {
      const bytes = new Uint8Array(await thing.files[0]!.blob.slice(0, 65537).arrayBuffer())
      setTrust(() => bytes, 'reader')
      continue
    }
    const alone = thing.sort === 'bag' || thing.sort === 'fork'
    const besides = (x: Thing): boolean => x.sort !== 'bag' && x.sort !== 'fork' && x.sort !== thing.sort && !(['evidence', 'folder'].includes(thing.sort) && ['evidence', 'folder'].includes(x.sort))
    things = alone ? [thing] : [...things.filter(besides), thing]
  }
  await again()
}

async function takeTrust(dropped: Dropped[]): Promise<void> {
  const file = dropped[0]?.file
  if (!file) return
  const bytes = new Uint8Array(await file.slice(0, 65537).arrayBuffer())
  setTrust(() => bytes, 'reader')
  await again()
}

const one = (sort: Thing['sort']): Thing | undefined => things.find((x) => x.sort === sort)

/* ---- judging ---- */

async function again(): Promise<void> {
  const mine = ++run
  opened = undefined
  outcome = undefined
  draw()
  if (things.length === 0) return ended()
  let found: Outcome | undefined
  try {
    found = await judgeAll()
  } catch (e) {
    if (e instanceof Cancelled) found = { is: 'trouble', title: 'cancelled', text: '' }
    else found = { is: 'trouble', title: 'trouble', text: e instanceof Refused ? `${e.message} (${statusWords[e.status][language]})` : e instanceof Error ? e.message : String(e) }
  }
  if (mine !== run) return
  progressEnd()
  outcome = found
  draw()
  document.querySelector<HTMLElement>('#result h2')?.focus()
  ended()
}

/** Counted, so that whoever drives the page knows when it has come to an end. */
function ended(): void { document.body.dataset.judged = `${Number(document.body.dataset.judged ?? 0) + 1}` }

async function judgeAll(): Promise<Outcome | undefined> {
  const bag = one('bag'), fork = one('fork'), receipt = one('receipt')
  if (bag) {
    const files = bag.files.length === 1 && bag.files[0]!.path !== 'bagit.txt' ? await readZip(bag.files[0]!.blob) : bag.files
    progressBegin(files.reduce((n, f) => n + f.size, 0))
    return { is: 'bag', bag: await judgeBag(files, pin?.trust, hasher) }
  }
  if (fork) {
    if (!pin) return { is: 'trouble', title: 'forkNeeds', text: '' }
    const bytes = await hasher.bytes(fork.files[0]!, 65536), found = attempt(() => judgeFork(bytes, pin!.trust))
    return { is: 'fork', found: found.status === 'OK' ? found.value : { text: `${found.text} (${found.status})` } }
  }
  if (!receipt) return one('evidence') || one('folder') ? { is: 'trouble', title: 'noReceipt', text: '' } : undefined
  const file = await hasher.bytes(receipt.files[0]!, RECEIPT_MAX + 1), manifest = one('manifest'), given = givenOf(one('folder') ?? one('evidence'))
  const beside = manifest && await hasher.bytes(manifest.files[0]!, 1 << 30)
  progressBegin((one('folder') ?? one('evidence'))?.size ?? 0)
  const { differences, ...judgement } = await judgeWith(file, pin?.trust, given, beside, hasher)
  return { is: 'receipt', judgement, differences, file }
}

function givenOf(thing: Thing | undefined): Given | undefined {
  if (!thing) return undefined
  if (thing.sort === 'evidence') return { file: thing.files[0]!, name: toUtf8(thing.name) }
  const latin = (path: string): string => String.fromCharCode(...toUtf8(path))
  return { folder: { filesOnly: true, items: new Map(thing.files.map((file: FileRef) => [latin(file.path), { type: FILE, file }])) } }
}

/* ---- progress ---- */

let total = 0, done = 0, began = 0, last = 0
const size = (n: number): string => n < 1e6 ? `${Math.ceil(n / 1e3)} kB` : n < 1e9 ? `${(n / 1e6).toFixed(1)} MB` : `${(n / 1e9).toFixed(2)} GB`

function progressBegin(bytes: number): void {
  total = bytes, done = 0, began = performance.now(), last = 0
  hasher.onBytes = (n) => {
    done += n
    if (performance.now() - last > 100) last = performance.now(), drawProgress()
  }
  drawProgress()
}
function progressEnd(): void { total = 0; hasher.onBytes = () => undefined }

function drawProgress(): void {
  const at = document.getElementById('progress')
  if (!at || total < 4e6) return
  if (at.childElementCount === 0) {
    at.append(h('section', { class: 'inputs' }, h('h2', {}, t(T.busy)), h('progress', { max: '1000', 'aria-label': t(T.busy) }), h('p', { class: 'dim' }), h('button', { type: 'button', id: 'cancel', click: () => hasher.cancel() }, t(T.cancel))))
  }
  const seconds = (performance.now() - began) / 1000, rate = done / seconds
  at.querySelector('progress')!.value = Math.min(1000, Math.floor(done / total * 1000))
  at.querySelector('p')!.textContent = `${size(done)} ${t(T.of)} ${size(total)}${seconds > 1 ? ` · ${size(rate)}/s · ${Math.max(0, Math.ceil((total - done) / rate))} s` : ''}`
}

/* ---- the page ---- */

function wordsOf(network: Bytes): HTMLElement {
  return h('div', {}, h('ol', { class: 'words', 'aria-label': t(T.networkId) }, entropyToMnemonic(Uint8Array.from(network), wordlist).split(' ').map((w) => h('li', {}, w))), h('p', { class: 'dim' }, `${t(T.networkId)} `, h('code', {}, hex(network).replace(/.{8}/g, '$& ').trim())))
}

function whatCard(): HTMLElement {
  const buttons = h('div', { class: 'buttons' }, picker(t(T.chooseFiles), false, (f) => void take(pickedFiles(f)), true, 'files'), picker(t(T.chooseFolder), true, (f) => void take(pickedFolder(f)), false, 'folder'),
    things.length > 0 && h('button', { type: 'button', click: () => { things = []; hasher.cancel(); void again() } }, t(T.startAgain)))
  const kinds = T.kinds as Record<string, { en: string, zh: string }>
  const given = things.length > 0 && h('ul', { class: 'given' }, things.map((x) => h('li', {}, h('strong', {}, shown(x.name)), h('span', { class: 'dim' }, `${t(kinds[x.sort]!)} · ${size(x.size)}`),
    h('button', { type: 'button', 'aria-label': `${t(T.remove)} ${x.name}`, click: () => { things = things.filter((y) => y !== x); void again() } }, t(T.remove)))))
  return h('section', { class: 'inputs', 'aria-labelledby': 'what' }, h('h2', { id: 'what' }, t(T.what)), h('p', {}, t(T.whatHelp)), dropZone((d) => void take(d), h('p', {}, t(T.drop)), buttons, given))
}

function trustCard(): HTMLElement {
  const inside = outcome?.is === 'bag' ? outcome.bag.trustInside : undefined, offered = inside && attempt(() => readTrust(inside))
  const choose = dropZone((d) => void takeTrust(d), h('p', {}, t(T.dropTrust)), h('div', { class: 'buttons' }, picker(t(T.chooseTrust), false, (f) => void takeTrust(pickedFiles(f)), !pin, 'trust'),
    pin && h('button', { type: 'button', click: () => { pin = undefined; void again() } }, t(T.dropPinned))))
  const use = (): void => { setTrust(() => inside!, 'reader'); void again() }
  return h('section', { class: pin ? '' : 'inputs', 'aria-labelledby': 'whose' }, h('h2', { id: 'whose' }, t(T.whose)),
    badTrust !== undefined && h('p', { role: 'alert' }, `${t(T.badTrust)} ${badTrust}`),
    ...(pin ? [h('p', {}, t(pin.from === 'page' ? T.pinned : T.chosen)), wordsOf(pin.trust.network)] : [h('p', {}, t(T.trustHelp)), h('p', { class: 'dim' }, t(T.noTrust))]),
    h('div', { class: 'inputs' }, choose),
    !pin && offered?.status === 'OK' && h('div', { class: 'inputs' }, h('p', {}, t(T.inside)), wordsOf(offered.value.network), h('div', { class: 'buttons' }, h('button', { type: 'button', id: 'use-inside', click: use }, t(T.useInside)))),
    pin && inside && !same(inside, pin.bytes) && h('p', { role: 'alert' }, t(T.insideOther)))
}

function resultCards(): HTMLElement[] {
  if (!outcome) return []
  if (outcome.is === 'trouble') return [h('div', { class: 'result open', id: 'result' }, h('h2', { tabindex: '-1' }, h('span', { class: 'mark', 'aria-hidden': 'true' }, '?'), h('span', {}, t(T[outcome.title]))), outcome.text !== '' && h('p', {}, outcome.text))]
  if (outcome.is === 'fork') return [showFork(outcome.found, language)]
  if (outcome.is === 'bag') {
    const { bag } = outcome, open = (e: typeof opened): void => { opened = e; draw(); document.querySelector<HTMLElement>('#exhibit')?.focus() }
    const one = opened ? [h('h2', { id: 'exhibit', tabindex: '-1' }, `${t(T.exhibit)} ${opened.stem}`), showVerdict(receiptVerdicts(opened.judgement), language, []), ...showReceipt(opened.judgement, [], opened.receipt, language)] : []
    return [showVerdict(bagVerdicts(bag), language, pin ? [] : [T.needTrust]), ...showBag(bag, language, open), ...one]
  }
  const { judgement, differences, file } = outcome, next = [...(pin ? [] : [T.needTrust]), ...(needsFile(judgement.report) && !judgement.refused ? [T.giveFile] : [])]
  return [showVerdict(receiptVerdicts(judgement), language, next), ...showReceipt(judgement, differences, file, language)]
}

function draw(): void {
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en'
  document.title = `Custody · ${t(T.title)}`
  const other = (): void => { language = language === 'en' ? 'zh' : 'en'; draw(); document.getElementById('language')?.focus() }
  document.getElementById('page')!.replaceChildren(
    h('header', {}, h('div', {}, h('h1', {}, t(T.title)), h('button', { type: 'button', id: 'language', lang: language === 'en' ? 'zh-CN' : 'en', 'aria-label': t(T.languageLabel), click: other }, t(T.language)), h('p', {}, t(T.intro)))),
    h('main', {}, ...(outcome ? resultCards().slice(0, 1) : []), h('div', { id: 'progress', role: 'status' }), whatCard(), trustCard(), ...resultCards().slice(1)),
    h('footer', {}, h('p', {}, t(T.footer))))
}

addEventListener('beforeprint', () => { for (const d of document.querySelectorAll<HTMLDetailsElement>('section:not(.technical) details')) d.open = true })
readPinned()
draw()
