/** tlog-policy, docs/formats/checkpoint.md: whose signatures make a checkpoint count. */
import { decimal, ensure, hex } from '../codec/bytes.ts'
import { checkKey } from '../codec/keys.ts'
import { type Note, type VerifierKey, isBy, readVerifierKey, verifyLine } from './note.ts'

const MEMBERS_MAX = 64

export type Node = { name: string, witness: VerifierKey } | { name: string, k: number, members: Node[] }
export interface Policy { logs: VerifierKey[], nodes: Node[], quorum: Node | 'none' }

/** `text` has one character a byte. */
export function readPolicy(text: string): Policy {
  // eslint-disable-next-line no-control-regex
  ensure(!/[\u0000-\u0008\u000b-\u001f\u007f]/.test(text), 'MALFORMED', 'policy: a control character')
  const lines = text.split('\n'), last = lines.pop(), reader = new PolicyReader()
  for (const line of lines) reader.line(line.split(/[ \t]+/).filter((w) => w !== ''))
  ensure(last === '', 'MALFORMED', 'policy: the last line ends in a line feed')
  const quorum = reader.quorum
  ensure(quorum !== undefined, 'MALFORMED', 'policy: exactly one quorum line')
  for (const log of reader.logs) checkKey(log.key)
  for (const n of reader.nodes.values()) if ('witness' in n) checkKey(n.witness.key)
  return { logs: reader.logs, nodes: [...reader.nodes.values()], quorum }
}

class PolicyReader {
  logs: VerifierKey[] = []
  nodes = new Map<string, Node>()
  quorum: Node | 'none' | undefined
  private readonly keys = new Set<string>()
  private readonly grouped = new Set<Node>()

  line([word, ...rest]: string[]): void {
    if (word === undefined || word.startsWith('#')) return
    ensure(rest.length <= MEMBERS_MAX + 2, 'MALFORMED', 'policy: more words than a line can have')
    if (word === 'log') this.log(rest)
    else if (word === 'witness') this.witness(rest)
    else if (word === 'group') this.group(rest)
    else {
      ensure(word === 'quorum' && rest.length === 1 && this.quorum === undefined, 'MALFORMED', 'policy: a line is log, witness, group or, once, quorum')
      this.quorum = rest[0] === 'none' ? 'none' : this.named(rest[0]!)
    }
  }

  private named(name: string): Node {
    const n = this.nodes.get(name)
    ensure(n !== undefined, 'MALFORMED', 'policy: a name that is not defined before')
    return n
  }

  private key(text: string, cosigns: boolean): VerifierKey {
    const key = readVerifierKey(text), bytes = hex(key.key.bytes)
    ensure(key.cosigns === cosigns, 'MALFORMED', 'policy: log keys have type 1, witness keys type 4')
    ensure(!this.keys.has(bytes), 'MALFORMED', 'policy: a public key is listed twice')
    this.keys.add(bytes)
    return key
  }

  private free(name: string): void {
    ensure(name !== 'none' && !this.nodes.has(name), 'MALFORMED', 'policy: a name is defined twice, or is none')
    ensure(this.nodes.size < MEMBERS_MAX, 'TOO_LARGE', 'policy: more than 64 witnesses and groups')
  }

  private log(rest: string[]): void {
    ensure(rest.length === 1 || rest.length === 2, 'MALFORMED', 'policy: log <vkey> [<url>]')
    ensure(this.logs.length < MEMBERS_MAX, 'TOO_LARGE', 'policy: more than 64 logs')
    this.logs.push(this.key(rest[0]!, false))
  }

  private witness(rest: string[]): void {
    ensure(rest.length === 2 || rest.length === 3, 'MALFORMED', 'policy: witness <name> <vkey> [<url>]')
    this.free(rest[0]!)
    this.nodes.set(rest[0]!, { name: rest[0]!, witness: this.key(rest[1]!, true) })
  }

  private group([name, k, ...names]: string[]): void {
    ensure(name !== undefined && k !== undefined && names.length > 0, 'MALFORMED', 'policy: group <name> <k> <member>...')
    this.free(name)
    const need = k === 'any' ? 1 : k === 'all' ? names.length : Number(decimal(k, BigInt(names.length)))
    ensure(need >= 1, 'MALFORMED', 'policy: a group needs at least one of its members')
    const members = names.map((n) => {
      const member = this.named(n)
      ensure(!this.grouped.has(member), 'MALFORMED', 'policy: a member of two groups')
      this.grouped.add(member)
      return member
    })
    this.nodes.set(name, { name, k: need, members })
  }
}

export function quorumMet(policy: Policy, cosigned: (key: VerifierKey) => boolean): boolean {
  const met = (n: Node): boolean => 'witness' in n ? cosigned(n.witness) : n.members.filter(met).length >= n.k
  return policy.quorum === 'none' || met(policy.quorum)
}

/** What each line of a note is under a policy, by the line's place. */
export type LineVerdict = { is: 'log' | 'cosigned', key: VerifierKey, at: bigint } | { is: 'ignored' }

/** Every line by a listed key verifies; others are ignored. */
export function judgeLines(note: Note, policy: Policy): LineVerdict[] {
  const keys = [...policy.logs, ...policy.nodes.flatMap((n) => 'witness' in n ? [n.witness] : [])]
  return note.lines.map((line) => {
    const key = keys.find((k) => isBy(line, k))
    return key ? { is: key.cosigns ? 'cosigned' : 'log', key, at: verifyLine(note, line, key) } : { is: 'ignored' }
  })
}
