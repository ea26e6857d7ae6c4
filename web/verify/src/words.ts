/** Texts in both languages, and names that others wrote, made harmless for people's eyes (docs/decisions/011). */
import { type Bytes, toUtf8, utf8 } from './codec/bytes.ts'
import { type Status } from './status.ts'

export interface Two { en: string, zh: string }
export const two = (en: string, zh: string): Two => ({ en, zh })
export const alike = (text: string | number | bigint): Two => two(`${text}`, `${text}`)

/** `{1}`, `{2}` … are what the line is about. */
export function fill(words: Two, args: Two[]): Two {
  const one = (text: string, language: keyof Two): string => text.replace(/\{([1-9])\}/g, (_, n) => args[n - 1]?.[language] ?? '')
  return two(one(words.en, 'en'), one(words.zh, 'zh'))
}

/** What reorders text or takes no room, docs/formats/verification.md "Names": a list of its own, so that no browser's Unicode decides. */
const HIDDEN: readonly [number, number][] = [
  [0x80, 0x9f], [0xad, 0xad], [0x34f, 0x34f], [0x61c, 0x61c], [0x115f, 0x1160], [0x17b4, 0x17b5], [0x180b, 0x180f], [0x200b, 0x200f], [0x2028, 0x202e], [0x2060, 0x206f],
  [0x2800, 0x2800], [0x3164, 0x3164], [0xfe00, 0xfe0f], [0xfeff, 0xfeff], [0xffa0, 0xffa0], [0xfff0, 0xfffb], [0x1bca0, 0x1bca3], [0x1d173, 0x1d17a], [0xe0000, 0xe0fff],
]

/** The character that begins there, and its bytes; `c` undefined: a byte that begins none. */
export function characterAt(bytes: Bytes, at: number): { c: string | undefined, n: number } {
  for (let n = 1; n <= 4 && at + n <= bytes.length; n++) {
    const c = utf8(bytes.subarray(at, at + n))
    if (c !== undefined) return { c, n }
  }
  return { c: undefined, n: 1 }
}

/** Reversible: two different names never look alike. */
export function printable(bytes: Bytes): string {
  let out = ''
  for (let at = 0; at < bytes.length;) {
    const { c, n } = characterAt(bytes, at), code = c?.codePointAt(0) ?? 0
    if (c === undefined || code < 0x20 || code === 0x7f) out += `\\x${bytes[at]!.toString(16).padStart(2, '0')}`
    else if (HIDDEN.some(([first, last]) => code >= first && code <= last)) out += `\\u{${code.toString(16)}}`
    else out += c === '\\' ? '\\\\' : c
    at += n
  }
  return out
}

/** How many of the first `most` bytes end in a whole character. */
function whole(bytes: Bytes, most: number): number {
  let at = most
  while (at > 0 && most - at < 4 && (bytes[at - 1]! & 0xc0) === 0x80) at--
  if (at > 0 && bytes[at - 1]! >= 0xc0) at--
  return utf8(bytes.subarray(at, most)) !== undefined ? most : at
}
const shortened = (name: Bytes | string, most: number): string => {
  const bytes = typeof name === 'string' ? toUtf8(name) : name
  return bytes.length > most ? `${printable(bytes.subarray(0, whole(bytes, most)))}…` : printable(bytes)
}

/** A name in a line: of a party, a case, a ledger; and of a file. */
export const shownName = (name: Bytes | string): string => shortened(name, 40)
export const shownPath = (path: Bytes | string): string => shortened(path, 200)
/** A name by itself, whole. */
export const shown = (text: string): string => printable(toUtf8(text))

export const timeText = (ms: bigint): string => new Date(Number(ms)).toISOString()

export const statusWords: Record<Status, Two> = {
  OK: two('ok', '无误'),
  NOT_FOUND: two('there is no such thing here', '此处没有'),
  COPIES_MISSING: two('recorded, but required copies are still missing', '已入账，但所需副本尚不齐全'),
  TOO_LARGE: two('larger than the limit', '超过上限'),
  NEWER_FORMAT: two('written by a newer version', '由更新的版本写成'),
  MALFORMED: two('the bytes are not in the one valid form', '字节不是唯一有效的形式'),
  BAD_HASH: two('the bytes do not have the digest that was recorded', '字节的摘要与所记录的不符'),
  BAD_PROOF: two('the proof does not verify', '证明不成立'),
  BAD_SIGNATURE: two('the signature does not verify', '签名验证不通过'),
  HIGH_S: two('the signature is not in its low-s form', '签名不是低 s 形式'),
  BAD_KEY: two('the key is not a valid public key', '密钥不是有效的公钥'),
  UNTRUSTED: two('no trusted key vouches for this', '没有受信任的密钥为其作证'),
  TIME_UNPROVEN: two('the time is not proven', '时间未经证明'),
  DUPLICATE: two('already recorded', '此前已入账'),
  UNPROTECTED_HEADER: two('something stands in an unprotected header', '未受保护的头部含有内容'),
  WRONG_KIND: two('the statement is of another kind', '声明属于另一类'),
  WRONG_NETWORK: two('the statement belongs to another ledger', '声明属于另一账本'),
  UNKNOWN_KEY: two('the signing key is not enrolled here', '签名密钥未在此登记'),
  WRONG_ROLE: two('the signing key may not make this statement', '该密钥无权作此声明'),
  MISSING_SIGNATURE: two('a party has not signed', '有一方没有签名'),
  BAD_ATTACHMENT: two('an attachment does not match what was signed', '附件与所签的不符'),
  UNKNOWN_BLOCK: two('the block it claims to have seen is not in this log', '其所称见过的区块不在本日志中'),
  UNKNOWN_CASE: two('no such case', '没有这个案件'),
  UNKNOWN_TARGET: two('the statement it refers to is not recorded', '所指的声明未入账'),
  UNTRUE: two('the log says otherwise', '与日志不符'),
  NOT_CONFIRMED: two('the key does not act yet', '密钥尚未生效'),
  OUT_OF_ORDER: two('it comes before what it refers to', '先于其所指'),
  NOT_ALLOWED: two('not allowed', '不允许'),
  REVOKED: two('the signing key was revoked before', '签名密钥此前已撤销'),
  DISPUTED: two('others may have held the signing key by then', '其时他人可能已持有该签名密钥'),
}
