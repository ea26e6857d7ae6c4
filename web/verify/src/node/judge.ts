/** The page's judgement for scripts, as tests/vectors/judge/README.md has it: lines `receipt <tab> trust <tab> evidence <tab> manifest` on
 *  standard input or, with --forks, `proof <tab> trust`, with --parts `proof <tab> part <tab> size of the item <tab> its root`,
 *  with --bags `folder of an exported case <tab> trust`; paths, `-` where there is none.
 *  A line of JSON for each. */
import { lstatSync, readFileSync, readdirSync, readlinkSync } from 'node:fs'
import { basename } from 'node:path'
import { createInterface } from 'node:readline'
import { type Bytes, Refused } from '../codec/bytes.ts'
import { sha256 } from '../codec/hash.ts'
import { Lanes, Tree } from '../hashing/engine.ts'
import { type Folder, type Found, type Given, judgeWith } from '../package/evidence.ts'
import { judgeBag } from '../package/bag.ts'
import { leafOf, readPartProof, verifyPart } from '../package/part.ts'
import { type FileRef, type Hashed, type Reading } from '../package/files.ts'
import { judgeFork } from '../proof/fork.ts'
import { VERDICTS, readTrust } from '../proof/trust.ts'
import { DIRECTORY, FILE, SYMLINK } from '../record/manifest.ts'

const bytes = (path: string | Buffer): Bytes => new Uint8Array(readFileSync(path))
const lanes = Lanes.make()

/** A file of the disk; its blob is never asked for, since node reads it here. */
interface OnDisk extends FileRef { disk: Buffer }
const onDisk = (disk: Buffer, size: number): OnDisk => ({ path: disk.toString(), size, blob: undefined as unknown as Blob, deflated: false, disk })
const reading: Reading = {
  async hash(file, around): Promise<Hashed> {
    const all = bytes((file as OnDisk).disk), tree = new Tree(lanes, around?.from)
    for (const piece of [around?.before, all, around?.after]) if (piece) tree.add(piece)
    return { size: all.length, sha256: sha256(all), root: around ? new Uint8Array(32) : tree.root(), subtrees: around ? tree.subtrees() : [] }
  },
  bytes: async (file) => bytes((file as OnDisk).disk),
}

function walk(at: Buffer, under: string, into: Map<string, Found>): void {
  for (const name of readdirSync(at, { encoding: 'buffer' })) {
    const here = Buffer.concat([at, Buffer.from('/'), name]), path = under + name.toString('latin1'), st = lstatSync(here)
    into.set(path, st.isFile() ? { type: FILE, file: onDisk(here, st.size) } : st.isDirectory() ? { type: DIRECTORY }
      : st.isSymbolicLink() ? { type: SYMLINK, target: new Uint8Array(readlinkSync(here, { encoding: 'buffer' })) } : { type: 5n })
    if (st.isDirectory()) walk(here, `${path}/`, into)
  }
}

function given(path: string): Given | undefined {
  if (path === '-') return undefined
  const st = lstatSync(path)
  if (!st.isDirectory()) return { file: onDisk(Buffer.from(path), st.size), name: new Uint8Array(Buffer.from(basename(path))) }
  const folder: Folder = { items: new Map(), filesOnly: false }
  walk(Buffer.from(path), '', folder.items)
  return { folder }
}

async function judgeLine([receipt, trust = '-', evidence = '-', manifest = '-']: string[]): Promise<object> {
  const pinned = trust === '-' ? undefined : readTrust(bytes(trust))
  const { report } = await judgeWith(receipt === '-' ? new Uint8Array() : bytes(receipt!), pinned, given(evidence), manifest === '-' ? undefined : bytes(manifest), reading)
  return {
    exit_code: report.exitCode, status: report.status, verdicts: Object.fromEntries(VERDICTS.map((v) => [v, { verdict: report.verdicts[v], why: report.whyOf(v).en }])),
    checks: report.lines.slice(0, 128).map(({ check, verdict, status, text }) => ({ check, verdict, status, text: text.en, text_zh: text.zh })),
    statement_en: report.sentence.en, statement_zh: report.sentence.zh,
  }
}

async function bagLine([folder, trust = '-']: string[]): Promise<object> {
  const found = new Map<string, Found>()
  walk(Buffer.from(folder!), '', found)
  const files = [...found].flatMap(([path, f]) => f.type === FILE ? [{ ...f.file, path: Buffer.from(path, 'latin1').toString() }] : [])
  const bag = await judgeBag(files, trust === '-' ? undefined : readTrust(bytes(trust)), reading)
  return {
    exit_code: bag.exitCode, verdicts: Object.fromEntries(VERDICTS.map((v) => [v, { verdict: bag.verdicts[v], why: bag.why[v].en, why_zh: bag.why[v].zh }])),
    files: files.length, bytes: files.reduce((n, f) => n + f.size, 0), failures: bag.lines.filter((l) => l.verdict === 'FAIL').length,
    exhibits: bag.exhibits.map(({ stem, state }) => ({ exhibit: stem, content: state })),
    checks: bag.lines.slice(0, 2000).map(({ verdict, what, where, text }) => ({ verdict, what, where, text: text.en, text_zh: text.zh })),
    statement_en: bag.sentence.en, statement_zh: bag.sentence.zh,
  }
}

function forkLine([proof, trust]: string[]): object {
  const found = judgeFork(bytes(proof!), readTrust(bytes(trust!)))
  return { status: 'OK', convicted: found.convicted, a: found.signersA, b: found.signersB }
}

async function partLine([proof, part, size, root]: string[]): Promise<object> {
  const p = readPartProof(bytes(proof!))
  const hashed = await reading.hash(onDisk(Buffer.from(part!), 0), { before: p.before, after: p.after, from: leafOf(p.first) })
  verifyPart(p, hashed, { size: BigInt(size!), root: new Uint8Array(Buffer.from(root!, 'hex')) })
  return { status: 'OK' }
}

for await (const line of createInterface({ input: process.stdin })) {
  let answer: object
  try {
    const parts = line.split('\t')
    const way = { '--forks': forkLine, '--parts': partLine, '--bags': bagLine }[process.argv.find((a) => /^--(forks|parts|bags)$/.test(a)) ?? '']
    answer = await (way ?? judgeLine)(parts)
  } catch (e) {
    if (!(e instanceof Refused)) throw e
    answer = { refused: e.status, why: e.message }
  }
  console.log(JSON.stringify(answer))
}
