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

/** The most that the page's own process held, in MB, while `go` ran: its share of memory, as the kernel counts it. */
async function peak(go) {
  const session = await browser.newBrowserCDPSession()
  let most = 0, done = false
  const watch = (async () => {
    while (!done) {
      const { processInfo } = await session.send('SystemInfo.getProcessInfo')
      for (const { id } of processInfo.filter((x) => x.type === 'renderer')) {
        try {
          most = Math.max(most, Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${id}/smaps_rollup`, 'utf8'))[1]) / 1000)
        } catch { /* it has just ended */ }
      }
      await new Promise((r) => setTimeout(r, 200))
    }
  })()
  const found = await go()
  done = true
  await watch
  return { most, found }
}

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

/* ---- packages ---- */

let packed
function pack() {
  if (packed) return
  custody('export', 'C1', '-o', at('case'), '--to', 'District Court', '--reason', 'trial')
  custody('export', 'C1', '-o', at('case.zip'), '--to', 'District Court', '--reason', 'trial')
  packed = true
}
function changed(name, change) {
  cpSync(at('case'), at(name), { recursive: true })
  change(at(name))
  return at(name)
}
/** The manifests made anew, as whoever tampers would. */
function listAnew(dir) {
  execFileSync('bash', ['-c', 'find data -type f | LC_ALL=C sort | xargs -d "\n" sha256sum >manifest-sha256.txt; find . -type f ! -path "./data/*" ! -name tagmanifest-sha256.txt -printf "%P\n" | LC_ALL=C sort | xargs -d "\n" sha256sum >tagmanifest-sha256.txt'], { cwd: dir })
}
const refused = 'NOT VERIFIED: do not rely on it'

test('a package verifies, as a folder and as a zip file, with every exhibit', async () => {
  pack()
  for (const given of [{ folder: at('case') }, { files: at('case.zip') }]) {
    const { p, asked, wrong, close } = await open()
    const v = await judge(p, { ...given, trustFile: trust() })
    assert.equal(v.headline, 'Verified', v.text)
    assert.deepEqual(await p.$$eval('tbody tr td:first-child', (all) => all.map((x) => x.textContent)), ['C1-1', 'C1-2'])
    assert.match(v.text, /the case has 2 deposits as of its inventory, and each of them is in this package/)
    await shot(p, given.folder ? 'package' : 'package-zip')
    await p.click('tbody button >> nth=0')
    assert.match(await p.innerText('#exhibit'), /C1-1/)
    assert.deepEqual(await violations(p), [])
    assert.deepEqual([asked, wrong], [[], []])
    await close()
  }
})

test('a package with one byte changed in one photograph names it, however its lists were made anew', async () => {
  pack()
  const flip = (dir) => {
    const path = join(dir, 'data/C1-2/photos/roll/b.jpg'), bytes = readFileSync(path)
    bytes[100] ^= 1
    writeFileSync(path, bytes)
  }
  const { p, close } = await open()
  for (const dir of [changed('bit', flip), changed('bit-listed', (d) => { flip(d); listAnew(d) })]) {
    const v = await judge(p, { folder: dir, trustFile: trust() })
    assert.equal(v.headline, refused)
    assert.match(v.text, /data\/C1-2\/photos\/roll\/b\.jpg: it is not what was deposited as C1-2: its bytes differ/)
  }
  await shot(p, 'package-altered')
  await close()
})

test('a package with an exhibit left out shows it by the inventory', async () => {
  pack()
  const dir = changed('left-out', (d) => { rmSync(join(d, 'data/C1-1'), { recursive: true }); rmSync(join(d, 'receipts/C1-1.tlog-proof')); listAnew(d) })
  const { p, close } = await open()
  const v = await judge(p, { folder: dir, trustFile: trust() })
  assert.equal(v.headline, refused)
  assert.match(v.text, /C1\/1: it was given out with this package and is not here: it was left out afterwards/)
  await shot(p, 'package-left-out')
  await close()
})

test('a package with a file added, one taken away, or a list that lies is refused', async () => {
  pack()
  const { p, close } = await open()
  for (const [name, change, said] of [
    ['added', (d) => writeFileSync(join(d, 'data/C1-1/more.txt'), 'x'), /data\/C1-1\/more\.txt: it is listed in no manifest/],
    ['added-listed', (d) => { writeFileSync(join(d, 'data/C1-1/more.txt'), 'x'); listAnew(d) }, /more\.txt: it belongs to no exhibit|C1-1: /],
    ['missing', (d) => rmSync(join(d, 'data/C1-2/photos/a.jpg')), /a\.jpg: it is listed in manifest-sha256\.txt and is not here/],
    ['short-list', (d) => { writeFileSync(join(d, 'inventory-C1.txt'), ''); listAnew(d) }, /it is not the list of the 2 deposits/],
    ['undisclosed', (d) => { rmSync(join(d, 'receipts/disclosure.tlog-proof')); listAnew(d) }, /the record of what was given out is not here/],
  ]) {
    const v = await judge(p, { folder: changed(name, change), trustFile: trust() })
    assert.equal(v.headline, refused, name)
    assert.match(v.text, said)
  }
  await close()
})

test('the trust file that a package brings is not believed before its words were compared', async () => {
  pack()
  const { p, close } = await open({ locale: 'zh-CN' })
  const v = await judge(p, { folder: at('case') })
  assert.equal(v.headline, '内容未被改动，但来源未经证明')
  await shot(p, 'package-no-trust-zh')
  await p.click('#use-inside')
  await p.waitForFunction(() => document.querySelector('#result')?.classList.contains('good'))
  assert.equal((await verdict(p)).headline, '验证通过')
  await close()
})

test('a package whose trust file was forged is of a signer that is not proven', async () => {
  pack()
  execFileSync(CUSTODY, ['init', at('false')])
  const forged = readFileSync(at('false/trust/ledger.trust'), 'utf8').replace(/network .*/, readFileSync(trust(), 'utf8').match(/network .*/)[0])
  const dir = changed('forged', (d) => { writeFileSync(join(d, 'trust/ledger.trust'), forged); listAnew(d) })
  const { p, close } = await open()
  await judge(p, { folder: dir })
  await p.click('#use-inside')
  await p.waitForSelector('.words')
  await p.waitForSelector('#result')
  assert.equal((await verdict(p)).three[1], '?Signer: NOT PROVEN')
  await shot(p, 'package-forged')
  await close()
})

test('a selected exhibit, a part of one, and one by reference', async () => {
  pack()
  custody('export', 'C1/2', '-o', at('selected'), '--to', 'Court')
  custody('export', 'C1', '-o', at('record'), '--no-content', '--to', 'Court')
  custody('deposit', '--case', 'C1', at('photos/a.jpg'))
  custody('export', 'C1/3', '-o', at('part'), '--range', 'C1/3:5000-1234567', '--to', 'Court')
  const { p, close } = await open()
  const selected = await judge(p, { folder: at('selected'), trustFile: trust() })
  assert.equal(selected.headline, 'Verified')
  assert.match(selected.text, /C1\/1: the case has it; it is not part of this package/)
  const record = await judge(p, { folder: at('record') })
  assert.match(record.text, /its bytes are not here, its record alone is proven/)
  const part = await judge(p, { folder: at('part') })
  assert.equal(part.headline, 'Verified', part.text)
  assert.match(part.text, /bytes 5000 to 1234567 of 3000001, as deposited/)
  const [file] = execFileSync('find', [at('part/data'), '-type', 'f'], { encoding: 'utf8' }).split('\n'), bytes = readFileSync(file)
  bytes[1000000] ^= 1
  writeFileSync(file, bytes)
  listAnew(at('part'))
  assert.match((await judge(p, { folder: at('part') })).text, /these bytes are not proven to be of the item/)
  await close()
})

test('a package in which the page itself has the trust file pinned verifies by itself', async () => {
  pack()
  custody('export', 'C1', '-o', at('with-page'), '--pin', '--page', PAGE, '--to', 'Court')
  const { p, asked, wrong, close } = await open({ page: at('with-page/verify.html') })
  assert.equal((await judge(p, { folder: at('with-page') })).headline, 'Verified')
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

const GIB = Number(process.env.GIB ?? 1)
test(`a file of ${GIB} GiB is read in pieces: 300 MB of memory are enough`, async (t) => {
  writeFileSync(at('giant'), '')
  execFileSync('truncate', ['-s', `${GIB}G`, at('giant')])
  custody('deposit', '--case', 'C1', '--note', 'giant', at('giant'))
  const { p, close } = await open(), last = custody('ls', '--case', 'C1', '--json').trim().split('\n').length
  await judge(p, { trustFile: trust() })
  const began = performance.now(), { most, found } = await peak(() => judge(p, { files: [receipt(last), at('giant')] })), seconds = (performance.now() - began) / 1000
  assert.equal(found.headline, 'Verified', found.text)
  t.diagnostic(`${(GIB * 1.073741824 / seconds).toFixed(2)} GB/s, ${Math.round(most)} MB`)
  assert.ok(most <= 300, `${most} MB`)
  rmSync(at('giant'))
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

