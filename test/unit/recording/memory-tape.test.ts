import { describe, expect, test } from 'vitest'
import type { Event } from '../../../src/event/event.ts'
import { MemoryTape } from '../../../src/recording/memory-tape.ts'
import type { TapeItem } from '../../../src/recording/memory-tape.ts'
import type { TapeCursor } from '../../../src/recording/tape.ts'
import { Decoder } from '../../../src/wire/decode.ts'
import { encodeFrames } from '../../../src/wire/encode.ts'
import { FLAG, FrameReader } from '../../../src/wire/frame.ts'
import type { Frame } from '../../../src/wire/frame.ts'
import { hello, sampleOf, START_NS, streamFrames } from '../../helpers/stream.ts'

function itemsOf(frames: readonly Uint8Array[]): TapeItem[] {
  const decoder = new Decoder()
  return frames.flatMap((bytes) => new FrameReader().push(bytes)).map((frame) => ({ frame, events: decoder.decode(frame) }))
}
function rest(cursor: TapeCursor): Frame[] {
  const frames: Frame[] = []
  for (let next = cursor.next(); next !== undefined; next = cursor.next()) frames.push(...next)
  return frames
}
const eventsOf = (frames: readonly Frame[]): Event[] => { const decoder = new Decoder(); return frames.flatMap((frame) => decoder.decode(frame)) }
const secondOf = (frame: Frame | undefined): number => Math.round(((frame?.tsNs ?? 0) - START_NS) / 1e9)
const name = (second: number): Event => ({ ...sampleOf('workload', false), tsNs: START_NS + second * 1e9, from: 'test', podUid: `uid-${second}`, pod: `pod-${second}` } as Event)

const FRAMES = streamFrames({ seconds: 60 })
/** Room for about three of the six stretches between keyframes. */
const HALF = FRAMES.reduce((sum, { length }) => sum + length, 0) / 2

describe('a tape in memory', () => {
  test('gives back what it took, byte for byte and in order', () => {
    const tape = new MemoryTape(2 ** 26)
    for (const item of itemsOf(FRAMES)) tape.push([item])
    expect(Buffer.concat(rest(tape.cursor()).map(({ bytes }) => bytes)).equals(Buffer.concat(FRAMES))).toBe(true)
    expect(tape.span()).toEqual({ startNs: START_NS, endNs: START_NS + 60e9 })
    expect(tape.hello?.hostname).toBe('node-a')
  })
  test('begins at the last keyframe before a time, with what the stream has said before it', () => {
    const tape = new MemoryTape(2 ** 26)
    tape.push(itemsOf([...FRAMES.slice(0, 15), ...encodeFrames([name(14)], FLAG.names), ...FRAMES.slice(15)]))
    const frames = rest(tape.cursor(START_NS + 35e9)), events = eventsOf(frames)
    expect(secondOf(frames.find(({ flags }) => flags === FLAG.keyframe))).toBe(30)
    expect(events.slice(0, 1)).toMatchObject([{ kind: 'hello', hostname: 'node-a' }])
    expect(events.filter(({ kind }) => kind === 'workload')).toMatchObject([{ pod: 'pod-14' }])
    expect(tape.bytesBefore(START_NS + 35e9)).toBeGreaterThan(tape.bytesBefore(START_NS + 25e9))
    expect(tape.bytesBefore(START_NS)).toBe(0)
  })
  test('never holds more than it may, lets the oldest go, and still knows what they said', () => {
    const tape = new MemoryTape(HALF)
    let most = 0
    for (const item of itemsOf([...FRAMES.slice(0, 3), ...encodeFrames([name(2)], FLAG.names), ...FRAMES.slice(3)])) { tape.push([item]); most = Math.max(most, tape.heldBytes) }
    expect(most).toBeLessThanOrEqual(HALF)
    expect(tape.forgotten).toBeGreaterThan(1)
    const frames = rest(tape.cursor()), events = eventsOf(frames)
    expect(secondOf(frames.find(({ flags }) => flags === FLAG.keyframe)) % 10).toBe(0)
    expect(tape.span()?.startNs).toBeGreaterThan(START_NS)
    expect(secondOf(frames.at(-1))).toBe(60)
    expect(events[0]).toMatchObject({ kind: 'hello' })
    expect(events.some((event) => event.kind === 'workload' && event.pod === 'pod-2')).toBe(true)
    expect(events.filter(({ kind }) => kind === 'schema')).not.toEqual([])
  })
  test('goes on giving what is added behind its end', () => {
    const tape = new MemoryTape(2 ** 26), items = itemsOf(FRAMES)
    tape.push(items.slice(0, 5))
    const cursor = tape.cursor(), seen = rest(cursor).length
    expect(cursor.next()).toBeUndefined()
    tape.push(items.slice(5, 25))
    expect(seen + rest(cursor).length).toBe(25)
    expect(cursor.isOverrun).toBe(false)
  })
  test('tells a reader that was too slow', () => {
    const tape = new MemoryTape(HALF), items = itemsOf(FRAMES)
    tape.push(items.slice(0, 5))
    const cursor = tape.cursor()
    rest(cursor)
    tape.push(items.slice(5))
    // The rest of the stretch under its hands is still whole.
    expect(rest(cursor).map(secondOf)).toEqual([5, 6, 7, 8, 9])
    expect(cursor.isOverrun).toBe(true)
    expect(cursor.next()).toBeUndefined()
  })
  test('a stretch without a keyframe is cut and nobody starts in it', () => {
    const tape = new MemoryTape(HALF), [first = Buffer.alloc(0)] = FRAMES
    tape.push(itemsOf([first]))
    for (let second = 1; second < 500; second += 1) tape.push(itemsOf(streamFrames({ seconds: 1, startNs: START_NS + second * 1e9 }).slice(1)))
    expect(tape.heldBytes).toBeLessThanOrEqual(HALF)
    tape.push(itemsOf(encodeFrames([hello(START_NS + 600e9)], FLAG.hello | FLAG.keyframe)))
    expect(secondOf(rest(tape.cursor(START_NS + 650e9)).find(({ flags }) => (flags & FLAG.keyframe) !== 0 && flags !== (FLAG.hello | FLAG.names)))).toBe(600)
  })
})
