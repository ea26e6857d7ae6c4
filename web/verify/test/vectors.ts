/** The vectors under tests/vectors, which C is judged by too. */
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const root = process.env.CUSTODY_SOURCE ?? process.cwd()
export const path = (...name: string[]): string => join(root, 'tests/vectors', ...name)
export const file = (...name: string[]): Uint8Array => new Uint8Array(readFileSync(path(...name)))
export const text = (...name: string[]): string => readFileSync(path(...name), 'utf8')
export const list = (...name: string[]): string[] => readdirSync(path(...name)).sort()
/** Lines that are no comment, cut at `by`. */
export function rows(name: string, by: string | RegExp = ' '): string[][] {
  return text(name).split('\n').filter((l) => l !== '' && !l.startsWith('#')).map((l) => l.split(by))
}
export const blob = (hex: string): Uint8Array => Uint8Array.from(hex === '-' ? [] : hex.match(/../g) ?? [], (h) => parseInt(h, 16))
