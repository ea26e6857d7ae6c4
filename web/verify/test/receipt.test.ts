import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contentRoot } from '../src/codec/tree.ts'
import { sha256 } from '../src/codec/hash.ts'
import { judgeFork } from '../src/proof/fork.ts'
import { readTrust } from '../src/proof/trust.ts'
import { judge } from '../src/proof/verify.ts'
import { file } from './vectors.ts'

const receipt = file('receipt_golden.tlog-proof'), trust = readTrust(file('receipt_golden.trust'))
const evidence = (bytes: Uint8Array) => ({ size: BigInt(bytes.length), root: contentRoot(bytes), sha256: sha256(bytes) })

test('the known receipt verifies under its trust', () => {
  const { report } = judge(receipt, trust, evidence(new TextEncoder().encode('x')))
  assert.deepEqual([report.exitCode, report.verdicts], [0, { integrity: 'PASS', signer: 'PASS', time: 'NOT PROVEN' }])
  assert.match(report.sentence.en, /^Verified: entry 5 .* The bytes that were given are those that were signed\./)
  assert.match(report.sentence.zh, /^经验证：/)
})

test('without a trust file nothing is proven of its signer', () => {
  const { report } = judge(receipt, undefined)
  assert.deepEqual([report.exitCode, report.verdicts.signer, report.verdicts.integrity], [4, 'NOT PROVEN', 'PASS'])
})

test('another file fails integrity alone', () => {
  const { report } = judge(receipt, trust, evidence(new TextEncoder().encode('y')))
  assert.deepEqual([report.exitCode, report.verdicts.integrity, report.verdicts.signer], [2, 'FAIL', 'PASS'])
})

test('with a bit of any byte of the receipt turned over, it is refused or an ignored line is named', () => {
  const whole = judge(receipt, trust).report
  for (let i = 0; i < receipt.length; i++) {
    const bad = Uint8Array.from(receipt)
    bad[i]! ^= 1 << i % 8
    const { report } = judge(bad, trust)
    if (report.exitCode !== 0) continue
    assert.ok(report.lines.some((l) => l.check === 'ignored'), `byte ${i}`)
    assert.deepEqual([report.verdicts, report.sentence], [whole.verdicts, whole.sentence])
  }
})

test('the known fork proof convicts the log key', () => {
  const found = judgeFork(file('receipt_golden.fork'), trust)
  assert.deepEqual(found.convicted, ['custody.example/00000000000000000000000000000000'])
  const bytes = file('receipt_golden.fork')
  for (let i = 0; i < bytes.length; i++) {
    const bad = Uint8Array.from(bytes)
    bad[i]! ^= 1
    try {
      for (const key of judgeFork(bad, trust).convicted) assert.ok(found.convicted.includes(key)) // a spoilt line is an unknown key's
    } catch (e) {
      assert.ok((e as { status?: string }).status, `byte ${i}: ${e}`)
    }
  }
})

test('a trust file has one spelling', () => {
  const text = new TextDecoder().decode(file('receipt_golden.trust')), spelt = (s: string) => readTrust(new TextEncoder().encode(s))
  spelt(text.replace('require integrity signer', 'require time'))
  for (const [from, to] of [['/v1', '/v2']] as const) assert.throws(() => spelt(text.replace(from, to)), { status: 'NEWER_FORMAT' })
  for (const [from, to] of [['network ', 'Network '], ['integrity signer', 'signer integrity'], ['integrity signer', ''], ['epoch 0', 'epoch 00'], ['epoch 0 -', 'epoch 9 8'],
    ['epoch 0 -', 'epoch 0 - '], ['log ', 'lag '], ['custody-trust', 'x']] as const)
    assert.throws(() => spelt(text.replace(from, to)), { status: 'MALFORMED' }, to)
  assert.throws(() => spelt(text.slice(0, -1)), { status: 'MALFORMED' })
})
