import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attempt, hex } from '../src/codec/bytes.ts'
import { ED25519, ES256, keyId, verify } from '../src/codec/keys.ts'
import { blob, rows } from './vectors.ts'

for (const [name, alg] of [['es256_wycheproof.txt', ES256], ['ed25519_wycheproof.txt', ED25519], ['ed25519_speccheck.txt', ED25519]] as const) {
  test(`signatures are good and bad as ${name} says`, () => {
    for (const [number, answer, key, message, signature] of rows(name))
      assert.equal(attempt(() => verify({ alg, bytes: blob(key!) }, blob(message!), blob(signature!))).status, answer, `number ${number}`)
  })
}

test('a key id is the COSE Key Thumbprint of RFC 9679', () => {
  const [x, y, id] = ['65eda5a12577c2bae829437fe338701a10aaa375e1bb5b5de108de439c08551d', '1e52ed75701163f7f9e40ddf9f341b3dc9ba860af7e0ca7ca7e9eecd0084d19c',
    '496bd8afadf307e5b08c64b0421bf9dc01528a344a43bda88fadd1669da253ec']
  assert.equal(hex(keyId({ alg: ES256, bytes: blob(x! + y!) })), id)
})

test('the keys of the known entries have their ids', () => {
  const keys = rows('entry_golden.txt').filter(([what]) => what === 'key')
  assert.ok(keys.length >= 4)
  for (const [, , id, bytes] of keys) assert.equal(hex(keyId({ alg: bytes!.length === 128 ? ES256 : ED25519, bytes: blob(bytes!) })), id)
})
