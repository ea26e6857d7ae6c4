/** What a person sees who opens the page from disk and gives it files (paths from the folder CALLER):
 *
 *    show.mjs PAGE PICTURE.png [--trust FILE] (--folder DIR | FILE…)
 *
 *  The headline, the verdicts, the sentence and what is not as it should be, as text; the whole page as a picture. Exit 0: verified; 2: it
 *  is not; 4: whose it is is not proven; 1: the page asked something of the network, or a script of it went wrong. */
import { judge, launch, open } from './page.mjs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'

const { values, positionals } = parseArgs({ allowPositionals: true, options: { trust: { type: 'string' }, folder: { type: 'string' } } })
const from = (path) => path && resolve(process.env.CALLER ?? '.', path), [picture, ...files] = positionals.slice(1).map(from)
const browser = await launch()
const { p, asked, wrong } = await open(browser, { page: resolve(positionals[0]), width: 1100 })
const v = await judge(p, { files: files.length > 0 ? files : undefined, folder: from(values.folder), trustFile: from(values.trust) })
const notGood = await p.$$eval('.checks li.bad, .checks li.open', (all) => all.map((x) => x.innerText.replace(/\s+/g, ' ')))
await p.screenshot({ path: picture, fullPage: true })
await browser.close()

console.log([v.headline, ...v.three.map((x) => `  ${x.replace(/^./, '$& ')}`), '', v.sentence, ...notGood.map((x) => `  ${x}`)].join('\n'))
for (const x of [...asked.map((url) => `it asked for ${url}`), ...wrong]) console.log(`  ${x}`)
process.exitCode = asked.length + wrong.length > 0 ? 1 : v.three.some((x) => x.startsWith('✗')) ? 2 : v.three[1].startsWith('✓') ? 0 : 4
