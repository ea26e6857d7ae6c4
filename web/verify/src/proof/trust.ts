/** The trust file, docs/formats/trust.md: what a reader pins. */
import { type Bytes, decimal, ensure, latin1, unhex } from '../codec/bytes.ts'
import { type Policy, readPolicy } from './policy.ts'

export type VerdictName = 'integrity' | 'signer' | 'time'
export const VERDICTS: readonly VerdictName[] = ['integrity', 'signer', 'time']

export interface Epoch { first: bigint, last: bigint | undefined, policy: Policy }
/** `bytes`: the file itself. */
export interface Trust { network: Bytes, required: VerdictName[], epochs: Epoch[], bytes: Bytes }

export function readTrust(bytes: Bytes): Trust {
  ensure(bytes.length <= 65536, 'TOO_LARGE', 'trust: at most 65,536 bytes')
  const lines = latin1(bytes).split('\n'), last = lines.pop()
  const [version, network, require, ...rest] = lines
  ensure(version !== undefined, 'MALFORMED', 'trust: not a trust file')
  ensure(version === 'custody-trust/v1', version.startsWith('custody-trust/') ? 'NEWER_FORMAT' : 'MALFORMED', 'trust: the first line is not "custody-trust/v1"')
  ensure(network?.startsWith('network ') === true, 'MALFORMED', 'trust: the second line is network <64 hex digits>')
  const out = { network: unhex(network.slice(8), 32), required: readRequired(require), epochs: readEpochs(rest, last ?? ''), bytes }
  const names = new Set(out.epochs.flatMap((e) => e.policy.logs.map((l) => l.name)))
  ensure(names.size === 1, 'MALFORMED', 'trust: log keys of two origins')
  return out
}

function readRequired(line: string | undefined): VerdictName[] {
  ensure(line?.startsWith('require ') === true, 'MALFORMED', 'trust: the third line is require <verdicts>')
  const words = line.slice(8).split(' '), required = VERDICTS.filter((v) => words.includes(v))
  ensure(required.join(' ') === line.slice(8) && required.length > 0, 'MALFORMED', 'trust: require names integrity, signer and time, in this order')
  return required
}

/** `tail` is what stands behind the last line feed: part of the last policy, which refuses it. */
function readEpochs(lines: string[], tail: string): Epoch[] {
  const epochs: Epoch[] = []
  for (let at = 0; at < lines.length;) {
    ensure(epochs.length < 16, 'TOO_LARGE', 'trust: more than 16 epochs')
    const span = readSpan(lines[at]!, epochs.at(-1))
    let end = at + 1
    while (end < lines.length && !lines[end]!.startsWith('epoch ')) end++
    const text = lines.slice(at + 1, end).map((l) => `${l}\n`).join('') + (end === lines.length ? tail : '')
    const policy = readPolicy(text)
    ensure(policy.logs.length > 0, 'MALFORMED', 'trust: an epoch without a log key')
    epochs.push({ ...span, policy })
    at = end
  }
  ensure(epochs.length > 0 && (tail === '' || lines.length > 0), 'MALFORMED', 'trust: no epoch')
  return epochs
}

function readSpan(line: string, before: Epoch | undefined): { first: bigint, last: bigint | undefined } {
  const [word, first, last, ...more] = line.split(' ')
  ensure(word === 'epoch' && first !== undefined && last !== undefined && more.length === 0, 'MALFORMED', 'trust: epoch <first size> <last size or ->')
  const span = { first: decimal(first), last: last === '-' ? undefined : decimal(last) }
  ensure(span.last === undefined || span.first <= span.last, 'MALFORMED', 'trust: an epoch\'s first size is above its last')
  ensure(before === undefined || (before.last !== undefined && before.last < span.first), 'MALFORMED', 'trust: epochs ascend and do not overlap')
  return span
}

export function epochOf(trust: Trust, size: bigint): Epoch | undefined {
  return trust.epochs.find((e) => e.first <= size && (e.last === undefined || size <= e.last))
}
