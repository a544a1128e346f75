/** Events → frames, for the few rows that TypeScript writes itself (rungs, names, the head of a rotated file) and for tests. */
import { Packr } from 'msgpackr'
import type { Event, EventOf } from '../event/event.ts'
import { KINDS, type KindName } from '../event/kinds.ts'
import { encodeFrame, MAX_PAYLOAD_BYTES } from './frame.ts'

const packr = new Packr({ useRecords: false })
/** Well under the frame's limits, so that a row on top of it always fits. */
const FRAME_ROWS = 10_000
const FRAME_BYTES = 64 * 1024

/** msgpackr writes numbers beyond 32 bits as floats; the bridge writes integers, and so do we. */
const integer = (value: unknown): unknown =>
  typeof value === 'number' && Number.isInteger(value) && (value > 0xffffffff || value < -0x80000000) ? BigInt(value) : value

/** One row: `[number, tsNs, …fields]`, absent as nil. */
export function encodeRow(event: Event): Buffer {
  const { number, fields } = KINDS[event.kind]
  const values = event as unknown as Readonly<Record<string, unknown>>
  const row = [number, integer(event.tsNs), ...Object.keys(fields).map((name) => {
    const value = values[name]
    return Array.isArray(value) ? value.map(integer) : integer(value ?? null)
  })]
  return Buffer.from(packr.pack(row))
}

/** As many frames as the events need; only the first carries the flags. */
export function encodeFrames(events: readonly Event[], flags = 0): Buffer[] {
  const frames: Buffer[] = []
  let rows: Buffer[] = [], bytes = 0, tsNs = 0
  const flush = (): void => {
    frames.push(encodeFrame({ flags: frames.length === 0 ? flags : flags & ~3, rowCount: rows.length, tsNs, payload: Buffer.concat(rows, bytes) }))
    rows = []
    bytes = 0
  }
  for (const event of events) {
    const row = encodeRow(event)
    // A row no frame can hold cannot come from the kernel's words; leaving it out beats losing its neighbours.
    if (row.length > MAX_PAYLOAD_BYTES) continue
    if (rows.length > 0 && (bytes + row.length > FRAME_BYTES || rows.length >= FRAME_ROWS)) flush()
    if (rows.length === 0) tsNs = event.tsNs
    rows.push(row)
    bytes += row.length
  }
  if (rows.length > 0) flush()
  return frames
}

/** The schema row of every kind: follows the hello row. */
export function schemaEvents(tsNs: number): EventOf<'schema'>[] {
  return (Object.keys(KINDS) as KindName[]).map((name) => ({ kind: 'schema', tsNs, number: KINDS[name].number, name, fieldNames: Object.keys(KINDS[name].fields).join(' ') }))
}
