import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hex } from '../src/codec/bytes.ts'
import { readCbor } from '../src/codec/cbor.ts'
import { blob, rows } from './vectors.ts'

for (const name of ['cbor_appendix_a.txt', 'cbor_edges.txt', 'cbor_refused.txt']) {
  test(`CBOR is accepted and refused as ${name} says`, () => {
    for (const [verdict, bytes] of rows(name, '\t')) {
      const go = () => readCbor(blob(bytes!))
      if (verdict === 'accepted') assert.doesNotThrow(go, bytes)
      else assert.throws(go, { status: 'MALFORMED' }, bytes)
    }
  })
}

test('an item knows where it stands', () => {
  const item = readCbor(blob('a2011903e80443aabbcc'))
  assert.ok(item.is === 'map')
  const [, value] = item.pairs[1]!
  assert.ok(value.is === 'bytes')
  assert.deepEqual([value.at, value.from, value.end, hex(value.value)], [6, 7, 10, 'aabbcc'])
})
