/** What every byte of a receipt means: the file's lines and, inside `extra`, each item with the name that its table gives it. */
import { type Bytes, attempt, hex, latin1, toUtf8 } from '../codec/bytes.ts'
import { type Item, readCbor } from '../codec/cbor.ts'
import { type Field, namesOf } from '../codec/schema.ts'
import { printable, shown, timeText } from '../words.ts'
import { profileFields } from '../record/details.ts'
import { headerFields } from '../record/entry.ts'
import { type Kind, kindOf, payloadFields } from '../record/kinds.ts'

export interface Part { at: number, bytes: Bytes, label: string, meaning: string, parts: Part[] }
type Names = Record<string, Field<unknown>> | undefined
/** What is known of an item's inside: names of a map's fields, what a list holds, what a byte string's bytes are. */
interface Inside { names?: Names, each?: Inside, fields?: Record<string, Inside>, bytes?: (b: Bytes, label: string, at: number) => Part[] }

function value(item: Item, label: string): string {
  switch (item.is) {
    case 'int': return /^(time|opened|closed)$/.test(label) && item.value < 253402300800000n ? `${item.value} (${timeText(item.value)})` : `${item.value}`
    case 'bytes': return `${item.value.length} bytes`
    case 'text': return `“${shown(item.value)}”`
    case 'array': return `list of ${item.items.length}`
    case 'map': return `map of ${item.pairs.length}`
    case 'tag': return `tag ${item.tag}${item.tag === 18n ? ' (COSE_Sign1)' : ''}`
    case 'simple': return String(item.value)
  }
}

function explainItem(item: Item, all: Bytes, label: string, base: number, inside: Inside = {}): Part {
  const part: Part = { at: base + item.at, bytes: all.subarray(item.at, item.end), label, meaning: value(item, label), parts: [] }
  if (item.is === 'array') part.parts = item.items.map((x, i) => explainItem(x, all, inside.fields ? Object.keys(inside.fields)[i] ?? `${i}` : `${label}[${i}]`, base, inside.fields ? Object.values(inside.fields)[i] : inside.each))
  else if (item.is === 'tag') part.parts = [explainItem(item.item, all, label, base, inside)]
  else if (item.is === 'map') {
    const names = inside.names && namesOf(inside.names)
    part.parts = item.pairs.map(([k, v]) => {
      const key = k.is === 'int' ? `${k.value}` : k.is === 'text' ? `"${k.value}"` : hex(all.subarray(k.at, k.end)), name = names?.get(key)
      return { ...explainItem(v, all, name ?? key, base, inside.fields?.[name ?? key]), at: base + k.at, bytes: all.subarray(k.at, v.end), label: name ? `${key} ${name}` : key }
    })
  } else if (item.is === 'bytes' && inside.bytes) part.parts = inside.bytes(item.value, label, base + item.from)
  return part
}

function inner(bytes: Bytes, label: string, at: number, inside: Inside): Part[] {
  const item = attempt(() => readCbor(bytes))
  return item.status === 'OK' ? [explainItem(item.value, bytes, label, at, inside)] : []
}

const claimInside: Inside = { bytes: (b, _, at) => entryParts(b, at) }
const payloadInside = (kind: Kind): Inside => ({ names: payloadFields[kind], fields: { claim: claimInside } })

/** An entry: plain, or a statement whose header says of which kind its payload is. */
function entryParts(bytes: Bytes, at: number): Part[] {
  const item = attempt(() => readCbor(bytes))
  if (item.status !== 'OK') return []
  const top = item.value
  if (top.is === 'map') {
    const type = top.pairs[0]?.[1], kind = type?.is === 'text' ? kindOf(type.value) : undefined
    return [explainItem(top, bytes, kind ?? 'entry', at, kind && payloadInside(kind))]
  }
  const protectedBytes = top.is === 'tag' && top.item.is === 'array' && top.item.items[0]?.is === 'bytes' ? top.item.items[0].value : new Uint8Array()
  const head = attempt(() => readCbor(protectedBytes)), typ = head.status === 'OK' && head.value.is === 'map' ? head.value.pairs.find(([k]) => k.is === 'int' && k.value === 16n)?.[1] : undefined
  const kind = typ?.is === 'text' ? kindOf(typ.value) : undefined
  return [explainItem(top, bytes, kind ?? 'statement', at, { fields: {
    'protected header': { bytes: (b, l, from) => inner(b, l, from, { names: headerFields as Names }) }, 'unprotected header': {},
    payload: kind ? { bytes: (b, l, from) => inner(b, l, from, payloadInside(kind)) } : {}, signature: {},
  } })]
}

const detailsInside: Inside = {
  bytes: (b, l, at) => {
    const item = attempt(() => readCbor(b)), profile = item.status === 'OK' && item.value.is === 'map' ? item.value.pairs.find(([k]) => k.is === 'text' && k.value === 'profile')?.[1] : undefined
    const name = profile?.is === 'text' && Object.hasOwn(profileFields, profile.value) ? profileFields[profile.value as keyof typeof profileFields] : undefined
    return inner(b, l, at, name ? { names: name } : {})
  },
}
const entryInside: Inside = { bytes: (b, _, at) => entryParts(b, at) }

const field = (key: number): Field<unknown> => ({ key, read: () => undefined, optional: true })
const extraInside: Inside = {
  names: { type: field(0), record: field(1), support: field(2), hashes: field(3) },
  fields: {
    record: { bytes: (b, l, at) => inner(b, l, at, { fields: { entry: entryInside, salt: {}, details: detailsInside, content: {} } }) },
    support: { each: { names: { position: field(1), entry: field(2), salt: field(3), details: field(4) }, fields: { entry: entryInside, details: detailsInside } } },
  },
}

/** `extra`: its decoded bytes, if it is a receipt; offsets inside it count from its own beginning. */
export function explainReceipt(file: Bytes, extra: Bytes | undefined): Part[] {
  const parts: Part[] = []
  let note = false, path = 0
  for (let at = 0; at < file.length;) {
    const end = file.indexOf(10, at) < 0 ? file.length : file.indexOf(10, at) + 1, bytes = file.subarray(at, end), text = latin1(bytes).replace(/\n$/, '')
    const add = (label: string, meaning: string, within: Part[] = []): void => void parts.push({ at, bytes, label, meaning, parts: within })
    if (at === 0) add('format', text)
    else if (!note && text.startsWith('extra ')) add('extra', `base64 of ${extra?.length ?? 0} bytes, all that goes with the record; its own bytes:`, extra ? inner(extra, 'extra', 0, extraInside) : [])
    else if (!note && text.startsWith('index ')) add('index', `the entry's position in the log, from 0: ${text.slice(6)}`)
    else if (!note && text === '') note = true, add('empty line', 'the signed checkpoint follows')
    else if (!note) add(`path ${++path}`, `hash of the sibling on the way to the root, nearest first: ${text}`)
    else add(text.startsWith('\u00e2\u0080\u0094') ? 'signature line' : text === '' ? 'empty line' : 'checkpoint', printable(toUtf8(new TextDecoder().decode(bytes.subarray(0, bytes.length - 1)))))
    at = end
  }
  const lines = parts.filter((p) => p.label === 'checkpoint')
  ;['checkpoint: origin', 'checkpoint: number of entries', 'checkpoint: root of the log'].forEach((label, i) => { if (lines[i]) lines[i]!.label = label })
  return parts
}
