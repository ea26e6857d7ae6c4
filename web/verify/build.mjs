/** Bundles what tools/web asks for: `node build.mjs WHAT OUT`, in a folder where the packages are installed. The same sources give the same bytes. */
import { build } from 'esbuild'
import { readdirSync } from 'node:fs'

const [what, out] = process.argv.slice(2)
const shared = { bundle: true, preserveSymlinks: true, charset: 'utf8', logLevel: 'warning', legalComments: 'none', format: 'esm' }
const node = { ...shared, platform: 'node', target: 'node18' }

switch (what) {
  case 'judge':
    await build({ ...node, entryPoints: ['src/node/judge.ts'], outfile: out })
    break
  case 'tests':
    await build({ ...node, entryPoints: readdirSync('test').filter((f) => f.endsWith('.test.ts')).map((f) => `test/${f}`), outdir: out, outExtension: { '.js': '.mjs' } })
    break
  default:
    throw new Error(`build.mjs: judge OUT or tests OUT, not ${what}`)
}
