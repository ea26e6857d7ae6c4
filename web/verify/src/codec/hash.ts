/** SHA-256 of what is small. Files are hashed by src/page/hasher. */
import { sha256 as noble } from '@noble/hashes/sha2'
import { type Bytes } from './bytes.ts'

export function sha256(...parts: Bytes[]): Bytes {
  const h = noble.create()
  for (const p of parts) h.update(p)
  return h.digest()
}
export const EMPTY = sha256()
