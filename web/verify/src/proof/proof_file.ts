/** A tlog-proof file, docs/formats/receipt.md "The file". */
import { type Bytes, attempt, decimal, ensure, latin1, unbase64 } from '../codec/bytes.ts'

export const RECEIPT_MAX = 262144
const FIRST = 'c2sp.org/tlog-proof@v1', VERSIONED = 'c2sp.org/tlog-proof@v'

/** Lines as they stand, so that the technical view can show each. */
export interface ProofFile { extra: string | undefined, index: bigint, path: Bytes[], checkpoint: Bytes }

export function readProofFile(file: Bytes): ProofFile {
  ensure(file.length <= RECEIPT_MAX, 'TOO_LARGE', 'a receipt has at most 262,144 bytes')
  const lines = new Lines(file)
  const first = lines.next('not a tlog-proof file')
  ensure(first === FIRST, isNewer(first) ? 'NEWER_FORMAT' : 'MALFORMED', `the first line is not "${FIRST}"`)
  let line = lines.next('no index line'), extra: string | undefined
  if (line.startsWith('extra ')) {
    extra = line.slice(6)
    ensure(extra !== '', 'MALFORMED', 'an empty extra line is left out')
    line = lines.next('no index line')
  }
  ensure(line.startsWith('index '), 'MALFORMED', 'no index line')
  const index = decimal(line.slice(6)), path: Bytes[] = []
  for (line = lines.next('no empty line'); line !== ''; line = lines.next('no empty line')) {
    ensure(path.length < 63, 'MALFORMED', 'more than 63 path lines')
    path.push(unbase64(line, 32))
  }
  const checkpoint = file.subarray(lines.at)
  ensure(checkpoint.length > 0, 'MALFORMED', 'no checkpoint')
  return { extra, index, path, checkpoint }
}

class Lines {
  at = 0
  constructor(readonly file: Bytes) {}
  next(without: string): string {
    const end = this.file.indexOf(10, this.at)
    ensure(end >= 0, 'MALFORMED', without)
    const line = latin1(this.file.subarray(this.at, end))
    this.at = end + 1
    return line
  }
}

function isNewer(line: string): boolean {
  const version = attempt(() => decimal(line.slice(VERSIONED.length), (1n << 64n) - 1n))
  return line.startsWith(VERSIONED) && version.status === 'OK' && version.value > 1n
}
