/** Details by profile, docs/formats/details.md. */
import { type Bytes, ensure } from '../codec/bytes.ts'
import { type Item, readCbor } from '../codec/cbor.ts'
import { type Field, bool, bytes, field, h32, list, map, maybe, text, time, tuple, uint } from '../codec/schema.ts'
import { type Kind } from './kinds.ts'

const DETAILS_MAX = 24576
const f = (key: string, max: number): Field<string> => field(key, text(1, max))
const m = (key: string, max: number): Field<string | undefined> => maybe(key, text(1, max))
const profile = { profile: f('profile', 32) }
const words = field('text', text(0, 16384))

const person = map({ name: f('name', 128), title: m('title', 128), organisation: m('organisation', 256), idCommitment: maybe('id-commitment', h32) })
const device = map({
  ip: m('ip', 64), mac: m('mac', 64), host: m('host', 256), imei: m('imei', 64), make: m('make', 128), model: m('model', 128), serial: m('serial', 128),
  position: m('position', 128),
})

const plain = {
  ...profile, name: field('name', bytes(1, 1024)), tool: f('tool', 128), note: m('note', 4096), label: m('label', 128), media: m('media', 128),
  digests: maybe('digests', list(tuple({ alg: uint(1, 255), value: bytes(1, 64) }), 1, 16)),
}
const earlier = tuple({ network: h32, id: h32, name: text(1, 128) })
const police = {
  ...plain, caseNumber: f('case-number', 128), cause: f('cause', 1024), collected: f('collected', 128), place: f('place', 1024), method: f('method', 4096),
  process: f('process', 8192), category: f('category', 128), format: f('format', 128), collectors: field('collectors', list(person, 2, 16)),
  original: field('original', bool), source: m('source', 1024), holder: maybe('holder', person), refusal: m('refusal', 1024), witness: maybe('witness', person),
  device: maybe('device', device), warrant: m('warrant', 128), secrecy: m('secrecy', 64), video: maybe('video-sha256', h32),
}
const rows = (of: Parameters<typeof list>[0]) => ({ ...profile, text: words, rows: field('rows', list(of, 0, DETAILS_MAX)) })

const profiles = {
  plain: { ...plain, earlier: maybe('earlier', list(earlier, 1, 200)) }, 'police-collection': police,
  genesis: { ...profile, name: f('name', 256), parties: field('parties', list(tuple({ id: uint(1, 64), name: text(1, 256) }), 1, 64)) },
  case: { ...profile, name: f('name', 128), cause: m('cause', 1024), number: m('number', 128) },
  disclosure: { ...profile, scope: f('scope', 4096), recipient: m('recipient', 1024), purpose: m('purpose', 1024), authority: m('authority', 1024) },
  member: { ...profile, name: f('name', 256), note: m('note', 4096) },
  notice: { ...profile, number: f('number', 128), basis: f('basis', 1024), object: f('object', 4096), span: m('span', 1024) },
  grant: { ...profile, content: field('content', bytes(1, 4096)), details: field('details', bytes(1, 4096)), readers: f('readers', 4608), note: m('note', 4096) },
  answer: { ...profile, text: words }, void: { ...profile, text: words }, correction: { ...profile, text: words },
  incident: rows(tuple({ kind: text(1, 32), where: text(0, 1024), id: text(0, 128), repaired: bool })),
  access: rows(tuple({ id: h32, who: text(0, 256), time, reason: text(0, 1024), authority: text(0, 1024) })),
} satisfies globalThis.Record<string, globalThis.Record<string, Field<any>>>

export type Profile = keyof typeof profiles
const readerOf = <P extends Profile>(p: P) => map(profiles[p])
export type DetailsOf<P extends Profile> = ReturnType<ReturnType<typeof readerOf<P>>>
export type Details = { [P in Profile]: { profile: P, fields: DetailsOf<P> } }[Profile]
export const profileFields: globalThis.Record<Profile, globalThis.Record<string, Field<any>>> = profiles

const DEPOSIT: Kind[] = ['claim', 'deposit', 'refusal']
const kindsOf: globalThis.Record<Profile, Kind[]> = {
  plain: DEPOSIT, 'police-collection': DEPOSIT, genesis: ['genesis'], case: ['case'], void: ['void'], correction: ['correction'], incident: ['incident'], access: ['access'], disclosure: ['disclosure'], member: ['member', 'propose'],
  notice: ['notice'], answer: ['answer'], grant: ['grant'],
}

/** By number: 1 sha256, 2 sha1, 3 md5, 4 sm3, 5 sha512. */
const DIGEST_BYTES = [0, 32, 20, 16, 32, 64]
export const DIGEST_NAMES = ['', 'SHA-256', 'SHA-1', 'MD5', 'SM3', 'SHA-512']

function checkDigests(digests: { alg: bigint, value: Bytes }[] | undefined): void {
  digests?.forEach(({ alg, value }, i) => {
    ensure(i === 0 ? alg === 1n : alg > digests[i - 1]!.alg, 'MALFORMED', 'details: digests ascend by algorithm, sha256 first')
    ensure(DIGEST_BYTES[Number(alg)] === value.length, 'MALFORMED', 'details: a digest of an unknown algorithm or a wrong length')
  })
}

function checkPolice(d: DetailsOf<'police-collection'>): void {
  ensure(d.original || d.source !== undefined, 'MALFORMED', 'police-collection: "source" is missing')
  ensure(d.holder !== undefined || d.refusal !== undefined, 'MALFORMED', 'police-collection: "holder" is missing, or "refusal" with a witness')
  ensure(d.refusal === undefined || d.witness !== undefined, 'MALFORMED', 'police-collection: "witness" is missing')
}

/** The profile that details name, if it is known; whatever else is in them. */
export function profileOf(from: Bytes): Profile | undefined {
  try {
    return profileNamed(readCbor(from))
  } catch {
    return undefined
  }
}

function profileNamed(item: Item): Profile | undefined {
  const [key, named] = item.is === 'map' ? item.pairs.find(([k]) => k.is !== 'text' || k.value === 'profile') ?? [] : []
  return key?.is === 'text' && named?.is === 'text' && Object.hasOwn(profiles, named.value) ? named.value as Profile : undefined
}

export function readDetails(from: Bytes, kind: Kind): Details {
  ensure(from.length <= DETAILS_MAX, 'TOO_LARGE', 'details: more than 24,576 bytes')
  const item = readCbor(from), name = profileNamed(item)
  ensure(name !== undefined, 'NEWER_FORMAT', 'details: of no profile that is known here')
  const fields = map(profiles[name])(item, 'details') as any
  if ('digests' in profiles[name]) checkDigests(fields.digests)
  if (name === 'police-collection') checkPolice(fields)
  ensure(kindsOf[name].includes(kind), 'WRONG_KIND', `details of profile ${name} do not go with a ${kind}`)
  return { profile: name, fields } as Details
}
