/** Messages as tables of fields, docs/formats/cbor.md "Messages": every key known, every bound kept, nothing missing. */
import { type Bytes, MAX63, Refused, toUtf8 } from './bytes.ts'
import { type Item, readCbor } from './cbor.ts'

export type Read<T> = (item: Item, where: string) => T
export type Of<R> = R extends Read<infer T> ? T : never

function refuse(where: string, text: string): never { throw new Refused('MALFORMED', `${where}: ${text}`) }

export const TIME_MAX = 253402300799999n // the end of the year 9999, in ms
const U32 = 0xffffffffn

export function int(min: bigint, max: bigint): Read<bigint> {
  return (item, where) => item.is === 'int' && item.value >= min && item.value <= max ? item.value : refuse(where, `not a number from ${min} to ${max}`)
}
export const uint = (min: number | bigint = 0, max: bigint | number = MAX63): Read<bigint> => int(BigInt(min), BigInt(max))
export const small = (min: number): Read<bigint> => uint(min, U32)
export const time: Read<bigint> = uint(0, TIME_MAX)

export function bytes(min: number, max: number = min): Read<Bytes> {
  return (item, where) => item.is === 'bytes' && item.value.length >= min && item.value.length <= max ? item.value : refuse(where, `not a byte string of ${min} to ${max}`)
}
export const h16 = bytes(16), h32 = bytes(32), h64 = bytes(64)

export function text(min: number, max: number): Read<string> {
  return (item, where) => {
    const n = item.is === 'text' ? toUtf8(item.value).length : -1
    return item.is === 'text' && n >= min && n <= max ? item.value : refuse(where, `not a text of ${min} to ${max} bytes`)
  }
}
export function constant(value: string): Read<string> {
  return (item, where) => item.is === 'text' && item.value === value ? value : refuse(where, `not "${value}"`)
}
export const bool: Read<boolean> = (item, where) => item.is === 'simple' && item.value !== null ? item.value : refuse(where, 'not true or false')

export function list<T>(of: Read<T>, min: number, max: number): Read<T[]> {
  return (item, where) => item.is === 'array' && item.items.length >= min && item.items.length <= max
    ? item.items.map((x, i) => of(x, `${where}[${i}]`)) : refuse(where, `not a list of ${min} to ${max}`)
}

/** An array with every field in its place. */
export function tuple<T extends Record<string, Read<unknown>>>(fields: T): Read<{ [K in keyof T]: Of<T[K]> }> {
  const names = Object.keys(fields)
  return (item, where) => {
    if (item.is !== 'array' || item.items.length !== names.length) return refuse(where, `not an array of ${names.length}`)
    const out: Record<string, unknown> = {}
    names.forEach((name, i) => { out[name] = fields[name]!(item.items[i]!, `${where} (${name})`) })
    return out as { [K in keyof T]: Of<T[K]> }
  }
}

/** A field: its key, and what it holds. `maybe` ones may be absent, and are then undefined. */
export interface Field<T> { key: number | string, read: Read<T>, optional: boolean }
export const field = <T>(key: number | string, read: Read<T>): Field<T> => ({ key, read, optional: false })
export const maybe = <T>(key: number | string, read: Read<T>): Field<T | undefined> => ({ key, read, optional: true })

export type Message<F> = { [K in keyof F]: F[K] extends Field<infer T> ? T : never }

const keyOf = (item: Item): string => item.is === 'int' ? `${item.value}` : item.is === 'text' ? `"${item.value}"` : '?'
const spelt = (key: number | string): string => typeof key === 'number' ? `${key}` : `"${key}"`

export function map<F extends Record<string, Field<unknown>>>(fields: F): Read<Message<F>> {
  const table = new Map(Object.entries(fields).map(([name, f]) => [spelt(f.key), { name, f }]))
  return (item, where) => {
    if (item.is !== 'map') return refuse(where, 'not a map')
    const out: Record<string, unknown> = {}
    for (const [k, v] of item.pairs) {
      const row = table.get(keyOf(k)) ?? refuse(where, `unknown key ${keyOf(k)}`)
      out[row.name] = row.f.read(v, `${where}: field ${spelt(row.f.key)} (${row.name})`)
    }
    for (const { name, f } of table.values()) if (!(name in out) && !f.optional) refuse(where, `field ${spelt(f.key)} (${name}) is missing`)
    return out as Message<F>
  }
}

/** The fields' names for whoever shows a map that this table describes. */
export function namesOf(fields: Record<string, Field<unknown>>): Map<string, string> {
  return new Map(Object.entries(fields).map(([name, f]) => [spelt(f.key), name]))
}

export const read = <T>(message: Read<T>, what: string, from: Bytes): T => message(readCbor(from), what)
