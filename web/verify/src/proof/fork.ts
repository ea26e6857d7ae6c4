/** The fork proof, docs/formats/fork-proof.md: two signed checkpoints of one log that cannot both be true. */
import { type Bytes, ensure, hex, same } from '../codec/bytes.ts'
import { type Read, bytes, field, h32, map, maybe, read, text, tuple, uint } from '../codec/schema.ts'
import { rootFromPath } from '../codec/tree.ts'
import { type Checkpoint, readCheckpoint, readNote } from './note.ts'
import { judgeLines } from './policy.ts'
import { type Trust, epochOf } from './trust.ts'

const path: Read<Bytes[]> = (item, where) => {
  const all = bytes(0, 63 * 32)(item, where)
  ensure(all.length % 32 === 0, 'MALFORMED', `${where}: hashes are 32 bytes each`)
  return Array.from({ length: all.length / 32 }, (_, i) => all.subarray(32 * i, 32 * i + 32))
}
const TYPE = 'application/custody-fork+cbor'
const fork = map({
  type: field(0, text(1, 64)), a: field(1, bytes(1, 16384)), b: field(2, bytes(1, 16384)),
  subtree: maybe(3, tuple({ level: uint(0, 62), index: uint(), hashA: h32, pathA: path, hashB: h32, pathB: path })),
})

export interface Fork { a: Checkpoint, b: Checkpoint, signersA: string[], signersB: string[], convicted: string[] }

/** The keys of the trust that signed, by the hex of the key; the names that they bear there. */
function signers(noteBytes: Bytes, trust: Trust): { checkpoint: Checkpoint, keys: Map<string, string> } {
  const note = readNote(noteBytes), checkpoint = readCheckpoint(note.text), policy = epochOf(trust, checkpoint.size)?.policy
  ensure(policy !== undefined, 'UNTRUSTED', `the trust file names no keys for a log of ${checkpoint.size} entries`)
  const lines = judgeLines(note, policy)
  const keys = new Map(lines.flatMap((l) => l.is === 'ignored' ? [] : [[hex(l.key.key.bytes), l.key.name] as const]))
  ensure(checkpoint.origin === policy.logs[0]!.name && keys.size > 0, 'UNTRUSTED', 'of another origin, or no trusted key signed')
  return { checkpoint, keys }
}

export function judgeFork(file: Bytes, trust: Trust): Fork {
  const { type, a: noteA, b: noteB, subtree } = read(fork, 'fork proof', file)
  ensure(type === TYPE, 'NEWER_FORMAT', `fork proof: its type is not ${TYPE}`)
  for (const n of [noteA, noteB]) readCheckpoint(readNote(n).text)
  const a = signers(noteA, trust), b = signers(noteB, trust), sizes = [a.checkpoint.size, b.checkpoint.size] as const
  ensure((subtree === undefined) === (sizes[0] === sizes[1]), 'MALFORMED', 'a subtree stands there if and only if the sizes differ')
  if (subtree) {
    const { level, index, hashA, pathA, hashB, pathB } = subtree
    const leads = (hash: Bytes, size: bigint, path: Bytes[], root: Bytes): void => {
      ensure((index + 1n) << level <= size, 'BAD_PROOF', 'the subtree is not complete in both logs')
      ensure(same(rootFromPath(hash, index, (size + (1n << level) - 1n) >> level, path), root), 'BAD_PROOF', 'a hash does not lead to its root')
    }
    ensure(!same(hashA, hashB), 'BAD_PROOF', 'the two hashes are the same')
    leads(hashA, sizes[0], pathA, a.checkpoint.root)
    leads(hashB, sizes[1], pathB, b.checkpoint.root)
  } else ensure(!same(a.checkpoint.root, b.checkpoint.root), 'BAD_PROOF', 'the two checkpoints are the same')
  const convicted = [...a.keys].filter(([key]) => b.keys.has(key)).map(([, name]) => name)
  return { a: a.checkpoint, b: b.checkpoint, signersA: [...a.keys.values()], signersB: [...b.keys.values()], convicted }
}
