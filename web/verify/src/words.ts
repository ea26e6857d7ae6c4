/** Texts in both languages, and names that others wrote, made harmless for people's eyes (docs/decisions/011). */
import { type Bytes, utf8 } from './codec/bytes.ts'
import { type Status } from './status.ts'

export interface Two { en: string, zh: string }
export const two = (en: string, zh: string): Two => ({ en, zh })
export const alike = (text: string | number | bigint): Two => two(`${text}`, `${text}`)

/** `{1}`, `{2}` … are what the line is about. */
export function fill(words: Two, args: Two[]): Two {
  const one = (text: string, language: keyof Two): string => text.replace(/\{([1-9])\}/g, (_, n) => args[n - 1]?.[language] ?? '')
  return two(one(words.en, 'en'), one(words.zh, 'zh'))
}

// eslint-disable-next-line no-control-regex
const DECEIVES = /[\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/u
const code = (n: number, width: number): string => n.toString(16).padStart(width, '0')

/** Reversible: two different names never look alike. */
export function printable(bytes: Bytes): string {
  let out = ''
  for (let at = 0; at < bytes.length;) {
    const length = [1, 2, 3, 4].find((n) => at + n <= bytes.length && utf8(bytes.subarray(at, at + n)) !== undefined)
    const c = length === undefined ? undefined : utf8(bytes.subarray(at, at + length))!
    if (c === undefined || c < ' ' || (c >= '\x7f' && c <= '\x9f')) {
      for (const b of bytes.subarray(at, at + (length ?? 1))) out += `\\x${code(b, 2)}`
    } else out += c === '\\' ? '\\\\' : DECEIVES.test(c) ? `\\u{${code(c.codePointAt(0)!, 1)}}` : c
    at += length ?? 1
  }
  return out
}
export const shown = (text: string): string => printable(new TextEncoder().encode(text))

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
  UNKNOWN_TARGET: two('the statement it refers to is not recorded', '所指的声明未入账'),
  UNTRUE: two('the log says otherwise', '与日志不符'),
  NOT_CONFIRMED: two('the founders have not confirmed yet', '创始方尚未确认'),
  OUT_OF_ORDER: two('it comes before what it refers to', '先于其所指'),
}
