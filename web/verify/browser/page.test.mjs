/** The page in a browser, opened from disk as a clerk would: what it says, that it asks the network for nothing, that everybody can use it. */
import { violations } from './axe.mjs'
import { give, judge, launch, open as openIn, verdict } from './page.mjs'
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

const SOURCE = process.env.CUSTODY_SOURCE, PAGE = join(SOURCE, 'build/bin/verify.html'), CUSTODY = join(SOURCE, 'build/bin/custody')
const SHOTS = process.env.SHOTS
let browser, dir
const at = (...name) => join(dir, ...name)
const custody = (...args) => execFileSync(CUSTODY, args, { cwd: at('room'), encoding: 'utf8' })

before(async () => {
  dir = mkdtempSync(join(tmpdir(), 'verify-page-'))
  writeFileSync(at('init.txt'), execFileSync(CUSTODY, ['init', at('room'), '--name', 'Officer Li', '--org', 'District Police']))
  custody('case', 'open', 'C1', '--cause', 'theft')
  writeFileSync(at('statement.txt'), 'I saw the red car at nine.\n')
  writeFileSync(at('altered.txt'), 'I saw the red bus at nine.\n')
  mkdirSync(at('photos/roll'), { recursive: true })
  writeFileSync(at('photos/a.jpg'), Buffer.alloc(3_000_001, 'a photograph '))
  writeFileSync(at('photos/roll/b.jpg'), Buffer.alloc(5000, 'another '))
  custody('deposit', '--case', 'C1', at('statement.txt'), at('photos'))
  browser = await launch()
})
after(async () => {
  await browser?.close()
  rmSync(dir, { recursive: true, force: true })
})

const receipt = (n) => at(`room/receipts/C1-${n}.tlog-proof`), trust = () => at('room/trust/ledger.trust')

const open = (how = {}) => openIn(browser, { page: PAGE, ...how })
async function shot(p, name) { if (SHOTS) await p.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: true }) }

test('a receipt and its file verify, and nothing is asked of the network', async () => {
  const { p, asked, wrong, close } = await open()
  const v = await judge(p, { files: [receipt(1), at('statement.txt')], trustFile: trust() })
  assert.equal(v.headline, 'Verified')
  assert.deepEqual(v.three, ['✓Integrity: proven', '✓Signer: proven', '?Time: NOT PROVEN'])
  assert.match(v.sentence, /^Verified: .*The bytes that were given are those that were signed/)
  assert.equal(await p.evaluate(() => document.activeElement.closest('#result') !== null), true)
  await shot(p, 'receipt')
  assert.deepEqual([asked, wrong], [[], []])
  await close()
})

test('it says what custody-verify says, sentence for sentence', async () => {
  const { p, close } = await open()
  const said = (args) => { try { return execFileSync(join(SOURCE, 'build/bin/custody-verify'), args, { encoding: 'utf8' }) } catch (e) { return e.stdout } }
  for (const file of ['statement.txt', 'altered.txt']) {
    const { sentence } = await judge(p, { files: [receipt(1), at(file)], trustFile: trust() })
    const other = JSON.parse(said(['--json', '--trust', trust(), receipt(1), at(file)]))
    assert.equal(sentence, other.statement_en)
    await p.click('#language')
    assert.equal((await verdict(p)).sentence, other.statement_zh)
    await p.click('#language')
  }
  await close()
})

test('a file with one word changed fails', async () => {
  const { p, close } = await open({ locale: 'zh-CN' })
  const v = await judge(p, { files: [receipt(1), at('altered.txt')], trustFile: trust() })
  assert.equal(v.headline, '未通过验证：不可采信')
  assert.match(v.sentence, /^未通过验证，不可采信：所提交的文件与所签的不符：字节不同/)
  await shot(p, 'altered-zh')
  await close()
})

test('a folder verifies, and one with a photograph altered, missing or added does not: it is named', async () => {
  const { p, close } = await open()
  const of = async (folder) => judge(p, { files: [receipt(2)], folder, trustFile: trust() })
  assert.equal((await of(at('photos'))).headline, 'Verified')
  for (const [name, change, named] of [
    ['altered', (d) => writeFileSync(join(d, 'roll/b.jpg'), Buffer.alloc(5000, 'anether ')), /roll\/b\.jpg: its bytes differ/],
    ['shorter', (d) => rmSync(join(d, 'a.jpg')), /a\.jpg: it is missing/],
    ['longer', (d) => writeFileSync(join(d, 'new.jpg'), 'x'), /new\.jpg: it was not deposited/],
  ]) {
    cpSync(at('photos'), at(name), { recursive: true })
    change(at(name))
    const v = await of(at(name))
    assert.equal(v.headline, 'NOT VERIFIED: do not rely on it')
    assert.match(v.sentence, named)
  }
  await shot(p, 'folder-altered')
  await close()
})

test('one photograph alone is found in the deposited folder', async () => {
  const { p, close } = await open()
  const v = await judge(p, { files: [receipt(2), at('photos/a.jpg')], trustFile: trust() })
  assert.equal(v.headline, 'Verified')
  assert.match(v.text, /the file is an item of the folder, byte for byte: a\.jpg/)
  assert.equal((await judge(p, { files: [receipt(2), at('statement.txt')] })).headline, 'NOT VERIFIED: do not rely on it')
  await close()
})

test('without a trust file nothing is proven of its signer, and with a forged one neither', async () => {
  const { p, close } = await open()
  const v = await judge(p, { files: [receipt(1), at('statement.txt')] })
  assert.equal(v.headline, 'Nothing is altered, but whose it is is NOT PROVEN')
  assert.equal(v.three[1], '?Signer: NOT PROVEN')
  await shot(p, 'no-trust')
  execFileSync(CUSTODY, ['init', at('forger')])
  const forged = readFileSync(at('forger/trust/ledger.trust'), 'utf8').replace(/network .*/, readFileSync(trust(), 'utf8').match(/network .*/)[0])
  writeFileSync(at('forged.trust'), forged)
  const w = await judge(p, { trustFile: at('forged.trust') })
  assert.equal(w.three[1], '?Signer: NOT PROVEN')
  await shot(p, 'forged-trust')
  await close()
})

test('a trust file that was pinned in the page is believed, and its words are shown to be compared', async () => {
  const pinned = at('pinned.html'), mark = '<script type="application/custody-trust" id="pinned-trust"></script>', html = readFileSync(PAGE, 'utf8')
  assert.equal(html.split(mark).length, 2)
  writeFileSync(pinned, html.replace(mark, mark.replace('><', `>${readFileSync(trust()).toString('base64')}<`)))
  const { p, asked, wrong, close } = await open({ page: pinned })
  const words = await p.$$eval('.words li', (all) => all.map((w) => w.textContent))
  assert.equal(words.length, 24)
  assert.ok(readFileSync(at('init.txt'), 'utf8').replace(/\s+/g, ' ').includes(words.join(' ')))
  assert.equal((await judge(p, { files: [receipt(1), at('statement.txt')] })).headline, 'Verified')
  assert.deepEqual([asked, wrong], [[], []])
  await close()
})

test('axe finds nothing, in either language, at any width, before and after a verdict', async () => {
  for (const [locale, width] of [['en-GB', 1000], ['zh-CN', 320]]) {
    const { p, close } = await open({ locale, width })
    assert.deepEqual(await violations(p), [])
    await judge(p, { files: [receipt(1), at('altered.txt')], trustFile: trust() })
    await p.click('.technical summary')
    assert.deepEqual(await violations(p), [])
    assert.ok(await p.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `wider than ${width}`)
    await shot(p, `${width}-${locale}`)
    await close()
  }
})

test('at 400 % nothing is cut off, and a keyboard reaches everything', async () => {
  const { p, close } = await open({ width: 320, height: 256 }) // 1280 by 1024 at 400 %
  await judge(p, { files: [receipt(1)], trustFile: trust() })
  assert.ok(await p.evaluate(() => document.documentElement.scrollWidth <= innerWidth))
  const reached = new Set()
  for (let i = 0; i < 20; i++) {
    await p.keyboard.press('Tab')
    reached.add(await p.evaluate(() => document.activeElement.textContent))
  }
  for (const want of ['中文', 'Choose files …', 'Choose a folder …', 'Choose a trust file …', 'Copy this sentence', 'Technical view: what every byte means']) assert.ok(reached.has(want), `${want}: ${[...reached]}`)
  await close()
})

test('printed, the verdict comes first and the inputs are gone', async () => {
  const { p, close } = await open()
  await judge(p, { files: [receipt(1), at('statement.txt')], trustFile: trust() })
  await p.emulateMedia({ media: 'print' })
  assert.equal(await p.isVisible('#files ~ button'), false)
  assert.equal(await p.isVisible('#result h2'), true)
  if (SHOTS) await p.pdf({ path: join(SHOTS, 'print.pdf'), format: 'A4' })
  await close()
})

test('the technical view names every byte of the receipt', async () => {
  const { p, close } = await open()
  await judge(p, { files: [receipt(1)], trustFile: trust() })
  await p.click('.technical > details > summary')
  const lines = await p.$$eval('.technical > details > .tree > li', (all) => all.map((x) => [x.querySelector('.at').textContent, x.querySelector('.label').textContent]))
  const bytes = readFileSync(receipt(1)), starts = [0]
  for (let i = 0; i + 1 < bytes.length; i++) if (bytes[i] === 10) starts.push(i + 1)
  assert.deepEqual(lines.map(([at]) => parseInt(at, 16)), starts)
  for (let closed = 1; closed > 0;) {
    closed = await p.$$eval('.technical details:not([open])', (all) => { all.forEach((d) => { d.open = true }); return all.length })
    await p.waitForTimeout(50)
  }
  const labels = await p.$$eval('.technical .label', (all) => all.map((x) => x.textContent))
  for (const want of ['0 type', '1 record', 'entry', 'salt', 'protected header', '16 typ', '-65537 network', '1 claim', '5 root', '8 commitment', 'details', '"profile" profile', 'content', '3 hashes', '7 parties'])
    assert.ok(labels.includes(want), `${want}: ${labels}`)
  await shot(p, 'technical')
  await close()
})

test('progress is shown and reading can be cancelled', async () => {
  writeFileSync(at('large'), '')
  execFileSync('truncate', ['-s', '4G', at('large')])
  const { p, close } = await open()
  await judge(p, { files: [receipt(1)], trustFile: trust() })
  await p.setInputFiles('#files', at('large'))
  await p.waitForSelector('#cancel')
  await p.click('#cancel')
  await p.waitForSelector('#result')
  assert.match(await p.innerText('#result'), /Cancelled\. Nothing was verified\./)
  assert.equal((await judge(p, { files: [at('statement.txt')] })).headline, 'Verified')
  await close()
})

