/**
 * Rows → events. Decoding never throws: a row of an unknown kind or with a wrong field is counted and left out.
 *
 * This is the hot path (replaying a day is some 10^8 rows), so each kind has a decoder generated from its
 * dictionary entry: one object literal gives every event of a kind the same hidden class. A loop over field names
 * was measured 3 times slower with all kinds in the stream. Only our own dictionary goes into the generated code,
 * never a byte of the stream.
 */
import { Unpackr } from 'msgpackr'
import type { Event, EventOf } from '../event/event.ts'
import { FORMAT_VERSION, KINDS, type FieldType, type KindName } from '../event/kinds.ts'
import type { Frame } from './frame.ts'

/** What the decoder had to leave out. */
export type DecodeCounts = { unknownKinds: number; badRows: number }

type Row = readonly unknown[]
/** The event of a row, or `undefined` if a field has the wrong type or is missing. */
type RowDecoder = (row: Row) => Event | undefined
type Kind = { readonly name: KindName; readonly number: number; readonly fieldNames: readonly string[]; readonly decode: RowDecoder }

/** Is the value of this type? As source, so that the generated decoders call nothing. */
const CHECKS: Readonly<Record<string, (value: string) => string>> = {
  u: (value) => `Number.isInteger(${value}) && ${value} >= 0`,
  i: (value) => `Number.isInteger(${value})`,
  s: (value) => `typeof ${value} === 'string'`,
  b: (value) => `typeof ${value} === 'boolean'`,
  a: (value) => `Array.isArray(${value}) && ${value}.every((item) => typeof item === 'number')`,
}

const checkOf = (type: string, value: string): string => CHECKS[type]?.(value) ?? 'false'

/** Generates `(row) => ({ kind, tsNs, …fields })` with a check per field; see the top of the file for why. */
function rowDecoder(name: string, fields: Readonly<Record<string, FieldType>>): RowDecoder {
  const entries = Object.entries(fields)
  const wrong = entries.map(([, type], i) => {
    const check = checkOf(type.charAt(0), `f${i}`)
    return type.endsWith('?') ? `(f${i} !== undefined && !(${check}))` : `!(${check})`
  })
  const source = `return (row) => {
    const tsNs = row[1]${entries.map((_, i) => `, f${i} = row[${i + 2}] ?? undefined`).join('')}
    if (${[`!(${checkOf('u', 'tsNs')})`, ...wrong].join(' || ')}) return undefined
    return { kind: ${JSON.stringify(name)}, tsNs${entries.map(([field], i) => `, ${field}: f${i}`).join('')} }
  }`
  return (new Function(source) as () => RowDecoder)()
}

const KIND_BY_NUMBER: readonly (Kind | undefined)[] = (() => {
  const table: (Kind | undefined)[] = []
  for (const [name, { number, fields }] of Object.entries(KINDS)) table[number] = { name: name as KindName, number, fieldNames: Object.keys(fields), decode: rowDecoder(name, fields) }
  return table
})()

/** Turns the frames of one stream into events; holds what the stream's schema rows said. */
export class Decoder {
  readonly counts: DecodeCounts = { unknownKinds: 0, badRows: 0 }
  private readonly unpackr = new Unpackr({ useRecords: false, int64AsType: 'number' })
  private decoders: (RowDecoder | undefined)[] = KIND_BY_NUMBER.map((kind) => kind?.decode)

  /** The events of a frame, in wire order. */
  decode(frame: Frame): Event[] {
    if (frame.version > FORMAT_VERSION) {
      this.counts.unknownKinds += Math.max(1, frame.rowCount)
      return []
    }
    const events: Event[] = []
    let rows = 0
    try {
      // msgpackr takes an empty source for one value, and throws.
      if (frame.payload.length > 0) this.unpackr.unpackMultiple(frame.payload, (row: unknown) => {
        rows += 1
        const event = this.decodeRow(row)
        if (event !== undefined) events.push(event)
      })
    } catch {
      // A payload whose checksum is right and whose msgpack is not: written by a faulty or hostile program. Counted below.
      if (rows >= frame.rowCount) this.counts.badRows += 1
    }
    if (rows < frame.rowCount) this.counts.badRows += frame.rowCount - rows
    return events
  }

  private decodeRow(row: unknown): Event | undefined {
    if (!Array.isArray(row)) {
      this.counts.badRows += 1
      return undefined
    }
    const decode = this.decoders[row[0] as number]
    if (decode === undefined) {
      this.counts[Number.isInteger(row[0]) && row[0] >= 0 ? 'unknownKinds' : 'badRows'] += 1
      return undefined
    }
    const event = decode(row)
    if (event === undefined) this.counts.badRows += 1
    else if (event.kind === 'schema') this.learn(event)
    return event
  }

  /**
   * Fields are only ever appended, so a schema row normally confirms the dictionary or is a shorter or longer version of
   * it: then position is enough. A writer with another order is read by name; a number used for another kind is unknown.
   */
  private learn(schema: EventOf<'schema'>): void {
    const kind = KIND_BY_NUMBER[schema.number]
    if (kind === undefined) return
    const theirs = schema.fieldNames === '' ? [] : schema.fieldNames.split(' ')
    if (kind.name !== schema.name) this.decoders[kind.number] = undefined
    else if (theirs.every((name, i) => i >= kind.fieldNames.length || name === kind.fieldNames[i])) this.decoders[kind.number] = kind.decode
    else {
      const positions = kind.fieldNames.map((name) => theirs.indexOf(name))
      this.decoders[kind.number] = (row) => kind.decode([row[0], row[1], ...positions.map((at) => (at < 0 ? undefined : row[at + 2]))])
    }
  }
}
