import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attempt, latin1 } from '../src/codec/bytes.ts'
import { readCheckpoint, readNote, readVerifierKey, verifyLine } from '../src/proof/note.ts'
import { judgeLines, quorumMet, readPolicy } from '../src/proof/policy.ts'
import { file, list, text } from './vectors.ts'

for (const name of ['note_spec.txt', 'note_go.txt']) {
  test(`the note in ${name} verifies, and with any byte changed it does not`, () => {
    const [head, body] = text(name).split('----\n'), key = readVerifierKey(head!.trim().split('\n').at(-1)!)
    const bytes = new TextEncoder().encode(body!), good = readNote(bytes)
    assert.equal(attempt(() => verifyLine(good, good.lines[0]!, key)).status, 'OK')
    for (let i = 0; i < bytes.length; i++) {
      const bad = Uint8Array.from(bytes)
      bad[i]! ^= 1
      const found = attempt(() => {
        const note = readNote(bad), line = note.lines.find((l) => l.id === key.id && l.name === key.name)
        if (line) verifyLine(note, line, key)
        return line
      })
      assert.ok(found.status !== 'OK' || found.value === undefined, `byte ${i}`)
    }
  })
}

test('notes in another spelling are refused', () => {
  const sig = '— a AAAAAAA=\n'
  for (const bad of ['', 'x\n', 'x\n\n', `x\n${sig}`, `x\r\n\n${sig}`, `x\t\n\n${sig}`, 'x\n\n- a AAAAAAA=\n', 'x\n\n—  a AAAAAAA=\n', 'x\n\n— a AAAAAAA=',
    'x\n\n— a AAAA\n', 'x\n\n— a AAAAAAB=\n', 'x\n\n— a+b AAAAAAA=\n', 'x\n\n— a\u3000b AAAAAAA=\n', `x\n\n${sig}\n`, 'x\n\n— a AAAAAAA= \n'])
    assert.throws(() => readNote(new TextEncoder().encode(bad)), { status: 'MALFORMED' }, JSON.stringify(bad))
  assert.throws(() => readNote(new TextEncoder().encode(`x\n\n${sig.repeat(65)}`)), { status: 'TOO_LARGE' })
  assert.throws(() => readNote(new Uint8Array(16385)), { status: 'TOO_LARGE' })
  assert.equal(readNote(new TextEncoder().encode(`x\n\ny\n\n${sig.repeat(64)}`)).lines.length, 64)
})

test('checkpoints are three lines, in one spelling', () => {
  const root = 'rKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs='
  readCheckpoint(`log\n15\n${root}\n`)
  for (const bad of [`log\n15\n${root}`, `log\n015\n${root}\n`, `log\n+15\n${root}\n`, `\n15\n${root}\n`, `log\n15\n${root}\nextension\n`, `log\n15\n${root.slice(0, -1)}\n`,
    `log\n0\n${root}\n`, `log\n9223372036854775808\n${root}\n`, `${'o'.repeat(129)}\n15\n${root}\n`])
    assert.throws(() => readCheckpoint(bad), { status: 'MALFORMED' }, bad)
})

test('Tessera\'s log of 15 entries: every checkpoint is read', () => {
  const names = list('tlog_tessera').filter((n) => n.startsWith('checkpoint.'))
  assert.equal(names.length, 16)
  for (const name of names) assert.equal(readCheckpoint(readNote(file('tlog_tessera', name)).text).size, BigInt(name.slice(11)))
})

test('a policy of outsiders judges their proof', () => {
  const policy = readPolicy(latin1(file('policy_foreign.txt'))), proof = text('receipt_foreign.tlog-proof')
  const note = readNote(new TextEncoder().encode(proof.slice(proof.indexOf('\n\n') + 2)))
  const lines = judgeLines(note, policy)
  assert.ok(lines.some((l) => l.is === 'log') && quorumMet(policy, (key) => lines.some((l) => l.is === 'cosigned' && l.key === key)))
})

test('quorums count members of groups, groups of groups, and each key once', () => {
  const w = text('policy_foreign.txt').split('\n').find((l) => l.startsWith('witness'))!.split(/\s+/)
  const policy = readPolicy(`witness a ${w[2]}\ngroup g any a\ngroup h 1 g\nquorum h\n`)
  assert.equal(quorumMet(policy, () => false), false)
  assert.equal(quorumMet(policy, () => true), true)
  for (const bad of [`witness a ${w[2]}\nwitness b ${w[2]}\nquorum a\n`, `witness none ${w[2]}\nquorum none\n`, `witness a ${w[2]}\ngroup g 2 a\nquorum g\n`,
    `witness a ${w[2]}\ngroup g any a\ngroup h any a\nquorum g\n`, 'quorum none\nquorum none\n', '', 'quorum x\n', 'quorum none', 'witness\nquorum none\n'])
    assert.throws(() => readPolicy(bad), { status: 'MALFORMED' }, bad)
})
