/** What was given, told apart by its first bytes, never by its name. */
import { latin1 } from '../codec/bytes.ts'
import { type FileRef, refOf } from '../package/files.ts'
import { isZip, readZip } from '../package/zip.ts'
import { type Dropped } from './dom.ts'

export type Sort = 'receipt' | 'trust' | 'manifest' | 'bag' | 'fork' | 'evidence' | 'folder'
export interface Thing { sort: Sort, name: string, files: FileRef[], size: number }

async function sortOf(file: File): Promise<Sort> {
  const begin = new Uint8Array(await file.slice(0, 64).arrayBuffer()), text = latin1(begin)
  if (text.startsWith('c2sp.org/tlog-proof@')) return 'receipt'
  if (text.startsWith('custody-trust/')) return 'trust'
  if (text.startsWith('\xa3\x01\x78\x21application/custody-manifest+cbor')) return 'manifest'
  if (text.slice(1, 36).includes('application/custody-fork+cbor')) return 'fork'
  if (isZip(begin) && await hasBag(file)) return 'bag'
  return 'evidence'
}

/** A zip file may be evidence itself: a package has a bagit.txt, whose name stands in its directory. */
async function hasBag(file: File): Promise<boolean> {
  try {
    return (await readZip(file)).some((f) => f.path === 'bagit.txt')
  } catch {
    return latin1(new Uint8Array(await file.slice(Math.max(0, file.size - 65536)).arrayBuffer())).includes('/bagit.txt')
  }
}

export async function sortAll(dropped: Dropped[]): Promise<Thing[]> {
  const out: Thing[] = [], tops = new Map<string, Dropped[]>()
  for (const d of dropped) {
    if (d.top === undefined) out.push({ sort: await sortOf(d.file), name: d.file.name, files: [refOf(d.file.name, d.file)], size: d.file.size })
    else tops.set(d.top, [...(tops.get(d.top) ?? []), d])
  }
  for (const [name, inside] of tops) {
    const files = inside.map((d) => refOf(d.path, d.file))
    out.push({ sort: files.some((f) => f.path === 'bagit.txt') ? 'bag' : 'folder', name, files, size: files.reduce((n, f) => n + f.size, 0) })
  }
  return out
}
