/** SHA-256 as a WebAssembly module, written out here instruction by instruction: browsers have no SHA-256 that takes a file in pieces.
 *
 *  `flat(at, blocks)`      blocks of one message, one after another, into the state at STATE
 *  `lanes(at, blocks)`     four messages at once, STRIDE bytes apart, each of so many blocks with its padding; digests to DIGESTS
 *
 *  In `flat` the schedule is vectors of four words while the rounds are scalar, so that both kinds of unit have work; in `lanes` each of
 *  the four lanes of a vector is a message of its own. Source: FIPS 180-4. */

export const STATE = 0, DIGESTS = 64, STRIDE = 4160, BUFFER = 65536
const TABLE = 1024, SCHEDULE = 2048

const primes = (n: number): number[] => {
  const out: number[] = []
  for (let c = 2; out.length < n; c++) if (out.every((p) => c % p !== 0)) out.push(c)
  return out
}
/** The first 32 bits of the fraction of a root, by integer arithmetic. */
function fraction(p: number, power: 2 | 3): number {
  const want = BigInt(p) << BigInt(32 * power)
  let lo = 0n, hi = 1n << 40n
  while (hi - lo > 1n) {
    const middle = (lo + hi) >> 1n
    if (middle ** BigInt(power) <= want) lo = middle
    else hi = middle
  }
  return Number(lo & 0xffffffffn)
}
export const K = primes(64).map((p) => fraction(p, 3)), INITIAL = primes(8).map((p) => fraction(p, 2))

/* ---- a little assembler ---- */

function unsigned(n: number): number[] {
  const out: number[] = []
  for (; n > 127; n = Math.floor(n / 128)) out.push(n % 128 | 128)
  return [...out, n]
}
function signed(n: number): number[] {
  const out: number[] = []
  for (n |= 0; ; n >>= 7) {
    const low = n & 127
    if ((n >> 7 === 0 && !(low & 64)) || (n >> 7 === -1 && low & 64)) return [...out, low]
    out.push(low | 128)
  }
}
const section = (id: number, body: number[]): number[] => [id, ...unsigned(body.length), ...body]
const vector = (items: number[][]): number[] => [...unsigned(items.length), ...items.flat()]
const name = (text: string): number[] => vector([...text].map((c) => [c.charCodeAt(0)]))

const I32 = 0x7f, V128 = 0x7b
type Code = number[]
const get = (i: number): Code => [0x20, ...unsigned(i)], set = (i: number): Code => [0x21, ...unsigned(i)], tee = (i: number): Code => [0x22, ...unsigned(i)]
const i32 = (n: number): Code => [0x41, ...signed(n)]
const op = { add: [0x6a], sub: [0x6b], and: [0x71], xor: [0x73], rotr: [0x78] }
const simd = (n: number, ...rest: number[]): Code => [0xfd, ...unsigned(n), ...rest]
const v = { and: simd(78), or: simd(80), xor: simd(81), add: simd(174), shl: simd(171), shr: simd(173) }
const memory = (align: number, offset: number): number[] => [align, ...unsigned(offset)]
const load32 = (offset: number): Code => [0x28, ...memory(2, offset)], store32 = (offset: number): Code => [0x36, ...memory(2, offset)]
const loadV = (offset: number): Code => simd(0, ...memory(0, offset)), storeV = (offset: number): Code => simd(11, ...memory(4, offset))
const splatFrom = (offset: number): Code => simd(9, ...memory(2, offset))
const shuffle = (...lanes: number[]): Code => simd(13, ...lanes)
const BIG_ENDIAN = shuffle(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12)
const words = (...w: number[]): Code => shuffle(...w.flatMap((i) => [4 * i, 4 * i + 1, 4 * i + 2, 4 * i + 3]))

/** `for (; blocks; blocks--, at += 64) body`, with `at` and `blocks` the parameters 0 and 1. */
const loop = (body: Code): Code => [0x03, 0x40, ...body, ...get(0), ...i32(64), ...op.add, ...set(0), ...get(1), ...i32(1), ...op.sub, ...tee(1), 0x0d, 0, 0x0b]

/* ---- the functions of the standard, scalar and by vector ---- */

const rotr = (x: number, n: number): Code => [...get(x), ...i32(n), ...op.rotr]
/** rotr a ^ rotr b ^ rotr c as rotr(x ^ rotr(x ^ rotr(x, c - b), b - a), a): each step works on the value of the one before. */
const big = (x: number, a: number, b: number, c: number): Code =>
  [...rotr(x, c - b), ...get(x), ...op.xor, ...i32(b - a), ...op.rotr, ...get(x), ...op.xor, ...i32(a), ...op.rotr]
const vrotr = (x: number, n: number): Code => [...get(x), ...i32(n), ...v.shr, ...get(x), ...i32(32 - n), ...v.shl, ...v.or]
const vshr = (x: number, n: number): Code => [...get(x), ...i32(n), ...v.shr]
const vbig = (x: number, a: number, b: number, c: number): Code => [...vrotr(x, a), ...vrotr(x, b), ...v.xor, ...vrotr(x, c), ...v.xor]
const vsmall = (x: number, a: number, b: number, c: number): Code => [...vrotr(x, a), ...vrotr(x, b), ...v.xor, ...vshr(x, c), ...v.xor]

/** Scalar or vector instructions. `sigmaFirst`: the same sum in the order that V8 makes more of, measured. */
interface Unit { add: Code, and: Code, xor: Code, sigma: (x: number, a: number, b: number, c: number) => Code, sigmaFirst: boolean }

/** One round. Names move instead of values: what was d is the new e, what was h is the new a. `term` pushes W + K. The majority is
 *  ((a ^ b) & (b ^ c)) ^ b, whose b ^ c is the a ^ b of the round before: `last` and `pair` hold them in turn. */
function round(t: number, state: (i: number) => number, term: Code, T: number, pairs: [number, number], { add, and, xor, sigma, sigmaFirst }: Unit): Code {
  const [a, b, , d, e, f, g, h] = Array.from({ length: 8 }, (_, i) => state((i - t % 8 + 8) % 8)) as [number, number, number, number, number, number, number, number]
  const pair = pairs[t % 2]!, last = pairs[(t + 1) % 2]!
  const choice: Code = [...get(g), ...get(e), ...get(f), ...get(g), ...xor, ...and, ...xor, ...add], sigma1 = [...sigma(e, 6, 11, 25), ...add]
  return [
    ...get(h), ...term, ...add, ...(sigmaFirst ? [...sigma1, ...choice] : [...choice, ...sigma1]), ...set(T),
    ...get(d), ...get(T), ...add, ...set(d), // h + K + W + ch(e, f, g) + Σ1(e), and that on d
    ...get(a), ...get(b), ...xor, ...tee(pair), ...get(last), ...and, ...get(b), ...xor, ...get(T), ...add, ...sigma(a, 2, 13, 22), ...add, ...set(h),
  ]
}
const firstPair = (b: number, c: number, last: number, { xor }: Unit): Code => [...get(b), ...get(c), ...xor, ...set(last)]

/* parameters 0 at, 1 blocks; i32 locals 2..9 a..h, 10 temporary, 11 12 pairs; v128 locals 13..16 the last sixteen words, 17 18 temporaries, 19 zeros */
function flat(): Code {
  const [T, X, P, Q, ZERO] = [10, 13, 17, 18, 19], unit: Unit = { ...op, sigma: big, sigmaFirst: false }, pairs: [number, number] = [11, 12]
  const put = (i: number, x: number): Code => [...i32(0), ...get(x), ...i32(0), ...loadV(TABLE + 16 * i), ...v.add, ...storeV(SCHEDULE + 16 * (i % 4))]
  const schedule = (i: number): Code => {
    const [x0, x1, x2, x3] = [0, 1, 2, 3].map((k) => X + (i + k) % 4) as [number, number, number, number]
    const next = (a: number, b: number): Code => [...get(a), ...get(b), ...words(1, 2, 3, 4)]
    return [
      ...next(x0, x1), ...set(P), ...get(x0), ...vsmall(P, 7, 18, 3), ...v.add, ...next(x2, x3), ...v.add, ...set(Q),
      ...get(x3), ...get(ZERO), ...words(2, 3, 4, 4), ...set(P), ...get(Q), ...vsmall(P, 17, 19, 10), ...v.add, ...set(Q),
      ...get(ZERO), ...get(Q), ...words(0, 0, 4, 5), ...set(P), ...get(Q), ...vsmall(P, 17, 19, 10), ...v.add, ...set(x0), ...put(i + 4, x0),
    ]
  }
  const body: Code = firstPair(3, 4, pairs[1], unit)
  for (let i = 0; i < 4; i++) body.push(...get(0), ...loadV(16 * i), ...get(0), ...loadV(16 * i), ...BIG_ENDIAN, ...set(X + i), ...put(i, X + i))
  for (let t = 0; t < 64; t++) {
    body.push(...round(t, (i) => 2 + i, [...i32(0), ...load32(SCHEDULE + 4 * (t % 16))], T, pairs, unit))
    if (t % 4 === 3 && t < 48) body.push(...schedule((t - 3) / 4))
  }
  for (let i = 0; i < 8; i++) body.push(...i32(0), ...get(2 + i), ...i32(0), ...load32(STATE + 4 * i), ...op.add, ...tee(2 + i), ...store32(STATE + 4 * i))
  return [...Array.from({ length: 8 }, (_, i) => [...i32(0), ...load32(STATE + 4 * i), ...set(2 + i)]).flat(), ...loop(body)]
}

/* parameters 0 at, 1 blocks; v128 locals 2..9 a..h, 10..17 what they began as, 18..33 the last sixteen words, 34 temporary, 35 36 pairs */
function lanes(): Code {
  const [S, B, W, T] = [2, 10, 18, 34], unit: Unit = { add: v.add, and: v.and, xor: v.xor, sigma: vbig, sigmaFirst: true }, pairs: [number, number] = [35, 36]
  const body: Code = firstPair(S + 1, S + 2, pairs[1], unit)
  for (let q = 0; q < 4; q++) { // four words of each message, then turned so that a vector has one word of each
    for (let m = 0; m < 4; m++) body.push(...get(0), ...loadV(STRIDE * m + 16 * q), ...get(0), ...loadV(STRIDE * m + 16 * q), ...BIG_ENDIAN, ...set(W + 4 * q + m))
    const [r0, r1, r2, r3] = [0, 1, 2, 3].map((m) => W + 4 * q + m) as [number, number, number, number]
    const pair = (a: number, b: number, ...w: number[]): Code => [...get(a), ...get(b), ...words(...w)]
    body.push(...pair(r0, r1, 0, 4, 1, 5), ...pair(r2, r3, 0, 4, 1, 5), ...pair(r0, r1, 2, 6, 3, 7), ...pair(r2, r3, 2, 6, 3, 7), ...set(r3), ...set(r2), ...set(T), ...set(r0))
    body.push(...get(T), ...set(r1)) // r0 r1: words 0 and 1 of both pairs; r2 r3: words 2 and 3
    body.push(...pair(r0, r1, 0, 1, 4, 5), ...pair(r0, r1, 2, 3, 6, 7), ...pair(r2, r3, 0, 1, 4, 5), ...pair(r2, r3, 2, 3, 6, 7), ...set(r3), ...set(r2), ...set(r1), ...set(r0))
  }
  for (let i = 0; i < 8; i++) body.push(...get(S + i), ...set(B + i))
  for (let t = 0; t < 64; t++) {
    const w = (k: number): number => W + (t + k) % 16
    if (t >= 16) body.push(...get(w(0)), ...vsmall(w(1), 7, 18, 3), ...v.add, ...get(w(9)), ...v.add, ...vsmall(w(14), 17, 19, 10), ...v.add, ...set(w(0)))
    body.push(...round(t, (i) => S + i, [...get(w(0)), ...i32(0), ...splatFrom(TABLE + 4 * t), ...v.add], T, pairs, unit))
  }
  for (let i = 0; i < 8; i++) body.push(...get(S + i), ...get(B + i), ...v.add, ...set(S + i))
  const begin = Array.from({ length: 8 }, (_, i) => [...i32(0), ...splatFrom(TABLE + 256 + 4 * i), ...set(S + i)]).flat()
  const end = Array.from({ length: 8 }, (_, i) => [...i32(0), ...get(S + i), ...storeV(DIGESTS + 16 * i)]).flat() // word i of the four messages
  return [...begin, ...loop(body), ...end]
}

/** The module, exporting `memory` of so many 64 KiB pages, `flat` and `lanes`. */
export function moduleBytes(pages: number): Uint8Array<ArrayBuffer> {
  const code = (locals: [number, number][], body: Code): number[] => {
    const all = [...vector(locals.map(([n, type]) => [...unsigned(n), type])), ...body, 0x0b]
    return [...unsigned(all.length), ...all]
  }
  const table = [...K, ...INITIAL].flatMap((n) => [n & 255, n >> 8 & 255, n >> 16 & 255, n >>> 24])
  return Uint8Array.from([
    0, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
    ...section(1, vector([[0x60, 2, I32, I32, 0]])),
    ...section(3, vector([[0], [0]])),
    ...section(5, [1, 0, ...unsigned(pages)]),
    ...section(7, vector([[...name('memory'), 2, 0], [...name('flat'), 0, 0], [...name('lanes'), 0, 1]])),
    ...section(10, vector([code([[11, I32], [7, V128]], flat()), code([[35, V128]], lanes())])),
    ...section(11, vector([[0, ...i32(TABLE), 0x0b, ...vector(table.map((b) => [b]))]])),
  ])
}
