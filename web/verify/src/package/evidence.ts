/** A receipt with evidence beside it: a file, a folder, or one item of a folder. docs/formats/verification.md, "Is the evidence what was signed?" */
import { type Bytes, attempt, ensure, hex, latin1, same } from '../codec/bytes.ts'
import { contentRoot } from '../codec/tree.ts'
import { FOLDER, type Payload } from '../record/kinds.ts'
import { DIRECTORY, FILE, HARDLINK, type Manifest, type Row, SYMLINK, readManifest } from '../record/manifest.ts'
import { type Judgement, addEvidence, judge } from '../proof/verify.ts'
import { type Trust } from '../proof/trust.ts'
import { type Two, alike, printable, two } from '../words.ts'
import { type FileRef, type Hashed, type Reading } from './files.ts'

/** What lies at a path, of one byte a character. A browser shows files alone: neither links nor empty folders. */
export type Found = { type: typeof FILE, file: FileRef } | { type: typeof SYMLINK, target: Bytes } | { type: typeof DIRECTORY } | { type: 5n }
export interface Folder { items: Map<string, Found>, filesOnly: boolean }
export type Given = { file: FileRef, name: Bytes } | { folder: Folder }

export interface Difference { what: 'missing' | 'differs' | 'extra', path: Bytes, text: Two }

export async function judgeWith(receipt: Bytes, trust: Trust | undefined, given: Given | undefined, beside: Bytes | undefined, reading: Reading): Promise<Judgement & { differences: Difference[] }> {
  const j = judge(receipt, trust), entry = j.receipt?.own.entry, claim = entry?.inner?.payload
  if (!given || !entry || j.refused) return { ...j, differences: [] }
  if (entry.kind === 'deposit' && claim?.content === FOLDER) {
    const found = manifestFor(j, claim, beside)
    if ('wrong' in found) return addEvidence(j, 'manifest-beside', 'BAD_HASH', found.wrong), { ...j, differences: [] }
    return { ...j, manifest: found, differences: 'folder' in given ? await judgeFolder(j, found, given.folder, reading) : (await judgeItem(j, found, given, reading), []) }
  }
  if ('folder' in given) return addEvidence(j, 'sort', 'BAD_HASH', alike('')), { ...j, differences: [] }
  const h = await reading.hash(given.file)
  return { ...judge(receipt, trust, { size: BigInt(h.size), root: h.root, sha256: h.sha256 }), differences: [] }
}

/** The manifest must be the one that was claimed, whoever brings it. */
function manifestFor(j: Judgement, claim: Payload<'claim'>, beside: Bytes | undefined): Manifest | { wrong: Two } {
  if (j.manifest) return j.manifest
  ensure(beside !== undefined, 'NOT_FOUND', `the folder's manifest is not in the receipt: it has ${claim.size} bytes and content root ${hex(claim.root)}`)
  const wrong = two(`expected ${claim.size} bytes with content root ${hex(claim.root)}`, `应为${claim.size}字节，内容根 ${hex(claim.root)}`)
  if (BigInt(beside.length) !== claim.size || !same(contentRoot(beside), claim.root)) return { wrong }
  const read = attempt(() => readManifest(beside))
  return read.status === 'OK' ? read.value : { wrong: two(read.text, '清单无效') }
}

/* ---- a folder ---- */

const key = (path: Bytes): string => latin1(path)

export async function compareFolder(m: Manifest, folder: Folder, reading: Reading): Promise<Difference[]> {
  const out: Difference[] = [], rows = new Map(m.rows.map((r) => [key(r.path), r]))
  for (const row of m.rows) {
    const here = folder.items.get(key(row.path)), text = here ? await differs(row, here, rows, reading) : undefined
    if (here ? text : !(folder.filesOnly && row.type !== FILE && row.type !== HARDLINK)) {
      out.push({ what: here ? 'differs' : 'missing', path: row.path, text: text ?? two('it is missing', '缺失') })
    }
  }
  const known = (path: string): boolean => rows.has(path)
  for (const path of folder.items.keys()) if (!known(path)) out.push({ what: 'extra', path: Uint8Array.from(path, (c) => c.charCodeAt(0)), text: two('it was not deposited', '未在存证之列') })
  return out
}

async function differs(row: Row, here: Found, rows: Map<string, Row>, reading: Reading): Promise<Two | undefined> {
  const wrong = two('it is of another type', '类型不同')
  if (row.type === FILE || row.type === HARDLINK) {
    const file = row.type === FILE ? row : rows.get(key(row.target!))
    if (here.type !== FILE || file?.type !== FILE) return wrong
    if (BigInt(here.file.size) !== file.size) return two('it has another size', '大小不同')
    const h = await reading.hash(here.file)
    return same(h.root, file.root!) && same(h.sha256, file.sha256!) ? undefined : two('its bytes differ', '字节不同')
  }
  if (here.type !== row.type) return wrong
  return here.type === SYMLINK && !same(here.target, row.target!) ? two('it leads elsewhere', '链接指向不同') : undefined
}

async function judgeFolder(j: Judgement, m: Manifest, folder: Folder, reading: Reading): Promise<Difference[]> {
  const differences = await compareFolder(m, folder, reading), first = differences[0]
  const links = folder.filesOnly && m.rows.some((r) => r.type === SYMLINK || r.type === 5n)
  if (!first) addEvidence(j, 'folder', 'OK', links ? two(' (links could not be looked at here)', '（此处无法查看链接）') : alike(''))
  else addEvidence(j, 'folder', 'BAD_HASH', two(`${printable(first.path)}: ${first.text.en}`, `${printable(first.path)}：${first.text.zh}`))
  return differences
}

/* ---- one item of it ---- */

const lastOf = (path: Bytes): Bytes => path.subarray(path.lastIndexOf(0x2f) + 1)

async function judgeItem(j: Judgement, m: Manifest, given: { file: FileRef, name: Bytes }, reading: Reading): Promise<void> {
  const h: Hashed = await reading.hash(given.file), named = (r: Row): boolean => same(lastOf(r.path), given.name)
  const equal = m.rows.filter((r) => r.type === FILE && r.size === BigInt(h.size) && same(r.root!, h.root)), row = equal.find(named) ?? equal[0]
  if (row) return addEvidence(j, 'item', 'OK', alike(printable(row.path)))
  if (m.rows.some((r) => r.type === FILE && named(r))) return addEvidence(j, 'item', 'BAD_HASH', two('one has its name, none its bytes', '有同名项，但字节不同'))
  addEvidence(j, 'item', 'NOT_FOUND', two('none has its bytes', '没有与其字节相同的项'))
}
