import { Packr } from 'msgpackr'
import { describe, expect, test } from 'vitest'
import type { Event } from '../../../src/event/event.ts'
import { KINDS } from '../../../src/event/kinds.ts'
import type { KindName } from '../../../src/event/kinds.ts'
import { Decoder } from '../../../src/wire/decode.ts'
import { encodeFrames, encodeRow, schemaEvents } from '../../../src/wire/encode.ts'
import { encodeFrame, FrameReader, MAX_PAYLOAD_BYTES } from '../../../src/wire/frame.ts'
import type { Frame } from '../../../src/wire/frame.ts'
import { sampleOf, START_NS, usage } from '../../helpers/stream.ts'

const packr = new Packr({ useRecords: false })
const frameOf = (...bytes: readonly Uint8Array[]): Frame => framed(Buffer.concat(bytes), bytes.length)
function framed(payload: Uint8Array, rowCount: number, version = 1): Frame {
  const [frame] = new FrameReader().push(encodeFrame({ flags: 0, rowCount, tsNs: 0, payload, version }))
  return frame!
}
const row = (...values: unknown[]): Uint8Array => Buffer.from(packr.pack(values))
function decode(...frames: readonly Frame[]): { events: Event[]; unknownKinds: number; badRows: number } {
  const decoder = new Decoder()
  return { events: frames.flatMap((frame) => decoder.decode(frame)), ...decoder.counts }
}
const none = { events: [], unknownKinds: 0, badRows: 0 }

describe('every kind', () => {
  test.each(Object.keys(KINDS) as KindName[])('%s comes back as it was written, with and without its optional fields', (kind) => {
    for (const full of [true, false]) expect(decode(frameOf(encodeRow(sampleOf(kind, full))))).toEqual({ ...none, events: [sampleOf(kind, full)] })
  })
  test.each(Object.keys(KINDS) as KindName[])('%s with a wrong type in any one field is counted and left out', (kind) => {
    const good = Object.entries(KINDS[kind].fields)
    for (const [name] of [['tsNs'], ...good]) {
      const bad = { ...sampleOf(kind), [name!]: { not: 'a field' } } as unknown as Event
      expect(decode(frameOf(encodeRow(bad), encodeRow(usage(1, 1, 1)))), `${kind}.${name}`).toEqual({ events: [usage(1, 1, 1)], unknownKinds: 0, badRows: 1 })
    }
  })
})

describe('integers', () => {
  test('64-bit values arrive as numbers, exact to 2^53, also LONG_MIN of oom_badness', () => {
    const candidate = { ...sampleOf('oom_candidate'), pointsPages: -(2 ** 63), totalPages: 2 ** 51 - 1 } as Event
    expect(decode(frameOf(encodeRow(candidate))).events).toEqual([candidate])
  })
  test.each([[-1], [1.5], [Number.NaN], [Infinity], ['5'], [true]])('%s is no unsigned number', (value) => {
    expect(decode(frameOf(row(13, START_NS, 1, value, null, null)))).toEqual({ ...none, badRows: 1 })
  })
})

describe('other writers', () => {
  const kindRow = [13, START_NS, 7, 4096, 8192, 0] as const
  const event = { kind: 'memcg_usage', tsNs: START_NS, memcgId: 7, currentBytes: 4096, peakBytes: 8192, swapBytes: 0 }

  test('an older one that knew fewer fields: the missing optional ones are absent', () => {
    const older = row(2, 1, 13, 'memcg_usage', 'memcgId currentBytes')
    expect(decode(frameOf(older, row(...kindRow.slice(0, 4)))).events[1]).toEqual({ ...event, peakBytes: undefined, swapBytes: undefined })
  })
  test('a newer one with more fields: the unknown ones are ignored', () => {
    const newer = row(2, 1, 13, 'memcg_usage', 'memcgId currentBytes peakBytes swapBytes zswapBytes')
    expect(decode(frameOf(newer, row(...kindRow, 99)))).toMatchObject({ events: [{ kind: 'schema' }, event], unknownKinds: 0, badRows: 0 })
  })
  test('one with another order is read by name', () => {
    const other = row(2, 1, 13, 'memcg_usage', 'swapBytes memcgId extra currentBytes peakBytes')
    expect(decode(frameOf(other, row(13, START_NS, 0, 7, 'x', 4096, 8192))).events[1]).toEqual(event)
  })
  test('one that uses a number for another kind: its rows are unknown, not misread', () => {
    expect(decode(frameOf(row(2, 1, 13, 'memcg_color', 'a b'), row(...kindRow)))).toMatchObject({ events: [{ kind: 'schema' }], unknownKinds: 1, badRows: 0 })
  })
  test('what one stream says about itself does not reach the next decoder', () => {
    decode(frameOf(row(2, 1, 13, 'memcg_color', 'a b')))
    expect(decode(frameOf(row(...kindRow))).events).toEqual([event])
  })
  test('an unknown kind and a frame of a newer format are counted', () => {
    expect(decode(frameOf(row(250, 1, 2), row(-3, 1), row('x', 1)), framed(row(...kindRow), 5, 9))).toEqual({ ...none, unknownKinds: 1 + 5, badRows: 2 })
  })
})

describe('bytes that are not rows', () => {
  test.each<[string, number[]]>([
    ['a never-used byte', [0xc1]], ['a truncated array', [0x93, 1]], ['an array that promises 4 G items', [0xdd, 0xff, 0xff, 0xff, 0xff]], ['a map that promises 4 G entries', [0xdf, 0xff, 0xff, 0xff, 0xff]],
    ['an unknown extension', [0xd4, 0x33, 0]], ['a plain number', [5]], ['a map', [0x81, 0xa1, 0x61, 1]], ['a record definition', [0xd4, 0x72, 0x41]], ['an empty array', [0x90]], ['a string longer than the payload', [0xdb, 0, 1, 0, 0, 0x61]],
  ])('%s is counted, whatever the row before it was is kept', (_, bytes) => {
    const read = decode(frameOf(encodeRow(usage(1, 2, 3)), Buffer.from(bytes)))
    expect(read.events).toEqual([usage(1, 2, 3)])
    expect(read.badRows).toBe(1)
  })
  test('arrays nested deeper than the stack end the frame, not the program', () => {
    expect(decode(framed(Buffer.alloc(MAX_PAYLOAD_BYTES, 0x91), 1))).toMatchObject({ events: [], badRows: 1 })
  })
  test('rows the header promises and the payload lacks are counted', () => expect(decode(framed(encodeRow(usage(1, 2, 3)), 5))).toMatchObject({ badRows: 4 }))
  test('an empty payload is no error', () => expect(decode(framed(Buffer.alloc(0), 0))).toEqual(none))
  test('names that are not UTF-8 become U+FFFD', () => {
    const comm = Buffer.from([0xff, 0x41, 0xed, 0xa0, 0x80])
    const bytes = Buffer.concat([Buffer.from([0x95, 11, 0, 5, 0xa0 | comm.length]), comm, Buffer.from([0xa1, 0x78])])
    expect(decode(frameOf(bytes)).events).toEqual([{ kind: 'memcg_death', tsNs: 0, memcgId: 5, path: '\ufffdA\ufffd\ufffd\ufffd', by: 'x' }])
  })
})

describe('writing', () => {
  test('many rows are split into frames; only the first carries the keyframe flags, all carry the names flag', () => {
    const rows = Array.from({ length: 25_000 }, (_, i) => usage(START_NS + i, i, i))
    const frames = encodeFrames(rows, 7).flatMap((bytes) => new FrameReader().push(bytes))
    expect(frames.length).toBeGreaterThan(2)
    expect(frames.map((f) => f.flags)).toEqual([7, ...frames.slice(1).map(() => 4)])
    expect(decode(...frames)).toEqual({ ...none, events: rows })
  })
  test('the schema of every kind passes through its own decoder', () => {
    const schemas = schemaEvents(9)
    expect(decode(...encodeFrames([...schemas, sampleOf('stall')]).flatMap((bytes) => new FrameReader().push(bytes)))).toEqual({ ...none, events: [...schemas, sampleOf('stall')] })
  })
})
