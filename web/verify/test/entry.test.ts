import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attempt, hex } from '../src/codec/bytes.ts'
import { readDetails } from '../src/record/details.ts'
import { idOf, readEntry } from '../src/record/entry.ts'
import { kinds } from '../src/record/kinds.ts'
import { readManifest } from '../src/record/manifest.ts'
import { blob, rows } from './vectors.ts'

const entries = rows('entry_golden.txt').filter(([what]) => what === 'entry')

test('the known entries are read, with their ids and leaf hashes', () => {
  for (const [, name, id, leaf, bytes] of entries) {
    const e = readEntry(blob(bytes!))
    assert.equal(hex(e.leaf), leaf, name)
    if (id !== '-') assert.equal(hex(idOf(e)), id, name)
  }
  const seen = new Set(entries.map(([, , , , bytes]) => readEntry(blob(bytes!)).kind))
  for (const kind of Object.keys(kinds)) assert.ok(kind === 'claim' || seen.has(kind as 'case'), `no known entry of kind ${kind}`)
})

test('a known entry with one byte more, less or changed in its form is refused', () => {
  for (const [, name, , , spelt] of entries) {
    const bytes = blob(spelt!)
    assert.throws(() => readEntry(bytes.subarray(0, -1)), name)
    assert.throws(() => readEntry(Uint8Array.from([...bytes, 0])), name)
    for (let i = 0; i < 8; i++) {
      const bad = Uint8Array.from(bytes)
      bad[i]! ^= 0x80
      assert.notEqual(attempt(() => readEntry(bad)).status, 'OK', `${name}, byte ${i}`)
    }
  }
})

test('the worked example of details.md', () => {
  const d = readDetails(blob('a4646e616d65624331656361757365657468656674666e756d62657268323032362d3131376770726f66696c656463617365'), 'case')
  assert.ok(d.profile === 'case' && d.fields.name === 'C1' && d.fields.cause === 'theft' && d.fields.number === '2026-117')
  assert.throws(() => readDetails(blob('a4646e616d65624331656361757365657468656674666e756d62657268323032362d3131376770726f66696c656463617365'), 'void'), { status: 'WRONG_KIND' })
  assert.throws(() => readDetails(blob('a16770726f66696c6563616263'), 'case'), { status: 'NEWER_FORMAT' })
  assert.throws(() => readDetails(blob('a16770726f66696c656463617365'), 'case'), { status: 'MALFORMED' })
})

test('the worked example of manifest.md, and what it may not be', () => {
  const bytes = blob(rows('merkle_manifest.txt').flat().join('')), m = readManifest(bytes)
  assert.deepEqual(m.rows.map((r) => [new TextDecoder().decode(r.path), r.type]), [['d', 2n], ['d/f', 1n]])
  for (let i = 0; i < bytes.length; i++) assert.notEqual(attempt(() => readManifest(bytes.subarray(0, i))).status, 'OK', `cut at ${i}`)
})
