/** The page's judgement for scripts: paths of receipts or, with --batch, lines of a list on standard input, each `receipt trust|- evidence|-`;
 *  one line of JSON for each, the same fields as `custody-verify --json` has of verdicts, status and checks. */
import { createReadStream, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { attempt } from '../codec/bytes.ts'
import { sha256 } from '../codec/hash.ts'
import { contentRoot } from '../codec/tree.ts'
import { VERDICTS, readTrust } from '../proof/trust.ts'
import { judge } from '../proof/verify.ts'

const bytes = (path: string): Uint8Array => new Uint8Array(readFileSync(path))

export function judged(receipt: string, trustPath: string, evidencePath: string): object {
  const trust = trustPath === '-' ? undefined : attempt(() => readTrust(bytes(trustPath)))
  if (trust && trust.status !== 'OK') return { refused: trust.status }
  const given = evidencePath === '-' ? undefined : bytes(evidencePath)
  const { report } = judge(bytes(receipt), trust?.value, given && { size: BigInt(given.length), root: contentRoot(given), sha256: sha256(given) })
  return {
    exit_code: report.exitCode, status: report.status, verdicts: Object.fromEntries(VERDICTS.map((v) => [v, report.verdicts[v]])),
    checks: report.lines.slice(0, 128).map(({ check, verdict, status }) => ({ check, verdict, status })),
  }
}

const [first, ...more] = process.argv.slice(2)
if (first === '--batch') {
  for await (const line of createInterface({ input: more[0] ? createReadStream(more[0]) : process.stdin })) {
    const [receipt, trust = '-', evidence = '-'] = line.split('\t')
    if (receipt) console.log(JSON.stringify(judged(receipt, trust, evidence)))
  }
} else if (first) console.log(JSON.stringify(judged(first, more[0] ?? '-', more[1] ?? '-')))
else throw new Error('judge.mjs RECEIPT [TRUST|-] [EVIDENCE|-], or judge.mjs --batch <LIST')
