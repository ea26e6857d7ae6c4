/** Files in pieces: the same bytes whether the browser fills our buffers or must be asked slice by slice; a file that shrinks is an error. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PIECE, pieces } from '../src/package/stream.ts'

const ref = (blob: Blob) => ({ path: 'a', size: blob.size, blob, deflated: false })
async function read(blob: Blob): Promise<Uint8Array[]> {
  const out = []
  for await (const piece of pieces(ref(blob))) out.push(piece)
  return out
}
const bytes = (n: number) => Uint8Array.from({ length: n }, (_, i) => (i * 31 + (i >> 9)) & 255)

for (const n of [0, 1, 65536, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE + 70000])
  test(`${n} bytes, filled and sliced`, async () => {
    const data = bytes(n), filled = new Blob([data]), sliced = new Blob([data])
    sliced.stream = () => new ReadableStream()
    for (const blob of [filled, sliced]) {
      const got = await read(blob)
      assert.deepEqual(got.map((p) => p.length), Array.from({ length: Math.ceil(n / PIECE) }, (_, i) => Math.min(PIECE, n - i * PIECE)))
      assert.equal(Buffer.compare(Buffer.concat(got), data), 0)
    }
  })

test('a file that ends early is an error', async () => {
  const blob = new Blob([bytes(100)])
  Object.defineProperty(blob, 'size', { value: 200 })
  await assert.rejects(read(blob), /the file ended after 100 of 200 bytes/)
})
