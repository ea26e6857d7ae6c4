/** The page in a browser, as a person handles it: opened from disk, given files, read. */
import { pathToFileURL } from 'node:url'
import { chromium } from 'playwright-core'

const FLAGS = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']

export const launch = () => chromium.launch({ executablePath: '/usr/bin/chromium', args: FLAGS })

/** The page, what was asked of the network, and what went wrong in it. */
export async function open(browser, { page, locale = 'en-GB', width = 1000, height = 800 } = {}) {
  const context = await browser.newContext({ locale, viewport: { width, height } }), p = await context.newPage(), asked = [], wrong = []
  p.on('request', (r) => { if (r.url() !== pathToFileURL(page).href && !r.url().startsWith('blob:')) asked.push(r.url()) })
  p.on('pageerror', (e) => wrong.push(e.message))
  p.on('console', (m) => { if (m.type() === 'error') wrong.push(m.text()) })
  await p.goto(pathToFileURL(page).href)
  return { p, asked, wrong, close: () => context.close() }
}

/** Give it files, or a folder, and a trust file; wait for the verdict. */
export async function judge(p, { files, folder, trustFile }) {
  for (const [id, what] of [['#trust', trustFile], ['#files', files], ['#folder', folder]]) if (what) await give(p, id, what)
  return verdict(p)
}
/** The page counts what it has come to an end with. */
export async function give(p, id, what) {
  const before = await p.evaluate(() => Number(document.body.dataset.judged ?? 0))
  await p.setInputFiles(id, what)
  await p.waitForFunction((n) => Number(document.body.dataset.judged ?? 0) > n, before, { timeout: 300000 })
}
export async function verdict(p) {
  if (!(await p.$('#result'))) return undefined // nothing was given yet
  await p.waitForSelector('#result')
  return {
    headline: (await p.innerText('#result h2')).replace(/^[✓?✗]\s*/, ''), sentence: await p.evaluate(() => document.querySelector('.sentence')?.textContent ?? ''),
    three: await p.$$eval('.verdicts li b', (all) => all.map((b) => b.textContent)), text: await p.innerText('main'),
  }
}
