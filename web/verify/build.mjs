/** Bundles what tools/web asks for: `node build.mjs WHAT OUT`, in a folder where the packages are installed. The same sources give the same bytes. */
import { build } from 'esbuild'
import { createHash } from 'node:crypto'
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'

const [what, out] = process.argv.slice(2)
const shared = { bundle: true, preserveSymlinks: true, charset: 'utf8', logLevel: 'warning', legalComments: 'eof' }
const node = { ...shared, platform: 'node', target: 'node18', format: 'esm' }
const browser = { ...shared, platform: 'browser', target: ['chrome92', 'firefox90', 'safari15'], format: 'iife', minifySyntax: true, minifyWhitespace: true, write: false }

/** One file: style and scripts inline, known to its policy by their digests. Nothing else may run, and nothing may be fetched. */
async function page() {
  const worker = await build({ ...browser, entryPoints: ['src/page/worker.ts'] })
  const carried = { name: 'worker', setup(b) {
    b.onResolve({ filter: /^worker-source$/ }, (a) => ({ path: a.path, namespace: 'worker' }))
    b.onLoad({ filter: /.*/, namespace: 'worker' }, () => ({ contents: worker.outputFiles[0].text, loader: 'text' }))
  } }
  const script = (await build({ ...browser, entryPoints: ['src/page/main.ts'], plugins: [carried] })).outputFiles[0].text
  const style = (await build({ ...shared, entryPoints: ['src/page/style.css'], minify: true, write: false })).outputFiles[0].text
  const digest = (text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`
  const csp = `default-src 'none'; script-src ${digest(script)} 'wasm-unsafe-eval'; style-src ${digest(style)}; worker-src blob:; base-uri 'none'; form-action 'none'`
  const parts = { csp, style, script }
  return readFileSync('src/page/index.html', 'utf8').replace(/\{\{(\w+)\}\}/g, (_, name) => parts[name])
}

switch (what) {
  case 'page':
    writeFileSync(out, await page())
    break
  case 'judge':
    await build({ ...node, entryPoints: ['src/node/judge.ts'], outfile: out })
    break
  case 'tests':
    await build({ ...node, entryPoints: readdirSync('test').filter((f) => f.endsWith('.test.ts')).map((f) => `test/${f}`), outdir: out, outExtension: { '.js': '.mjs' } })
    break
  default:
    throw new Error(`build.mjs: page, judge or tests, and where to; not ${what}`)
}
