import { afterEach, describe, expect, test, vi } from 'vitest'
import { environmentError, SourceError } from '../../../src/base/errors.ts'
import { report } from '../../../src/cli/exit.ts'
import { Feed, lostCount, victimCount } from '../../../src/cli/feed.ts'
import type { Event } from '../../../src/event/event.ts'
import type { Batch, Source } from '../../../src/source/source.ts'
import { Decoder } from '../../../src/wire/decode.ts'
import { encodeFrames } from '../../../src/wire/encode.ts'
import { FrameReader } from '../../../src/wire/frame.ts'
import { sampleOf, START_NS, streamFrames } from '../../helpers/stream.ts'

const marked = (second: number, pid: number): Event => ({ ...sampleOf('mark_victim'), tsNs: START_NS + second * 1e9 + 5e8, tid: pid, victimTid: pid, pid, memcgId: 2 } as Event)
const FRAMES = streamFrames({ seconds: 35, extra: { 3: [marked(3, 301)], 25: [marked(25, 2501)] } })
function batchOf(frames: readonly Uint8Array[], isRestart = false, fold?: Batch['fold']): Batch {
  const reader = new FrameReader(), decoder = new Decoder()
  return { isRestart, fold, items: frames.flatMap((bytes) => reader.push(bytes)).map((frame) => ({ frame, events: decoder.decode(frame) })) }
}
const source: Source = { mode: 'replay', batches: async function* () { yield batchOf([]) }, counts: () => ({ corruptFrames: 2, corruptBytes: 30, unknownKinds: 3, badRows: 4 }), close: async () => undefined }
const victims = (feed: Feed): number[] => feed.model.cases.flatMap((killCase) => killCase.victims.map(({ pid }) => pid))

describe('feeding the model', () => {
  test('what could not be read is in its health, and counted as lost with what the bridge lost', () => {
    const feed = new Feed(source)
    feed.take(batchOf([...FRAMES, ...encodeFrames([{ kind: 'loss', tsNs: START_NS, where: 'bpftrace', count: 7, detail: undefined }])]))
    expect(feed.model.health).toMatchObject({ corruptFrames: 2, corruptBytes: 30, unknownKinds: 3, badRows: 4 })
    expect(lostCount(feed.model)).toBe(2 + 3 + 4 + 7)
    expect(victimCount(feed.model)).toBe(2)
  })
  test('a jump to a later keyframe keeps the kills already seen before it, once, and forgets those still to come', () => {
    const feed = new Feed(source), folded = feed.model
    feed.take(batchOf(FRAMES))
    expect(victims(feed)).toEqual([301, 2501])
    feed.take(batchOf(FRAMES.slice(20, 24), true))
    expect(feed.model).not.toBe(folded)
    expect(victims(feed)).toEqual([301])
    feed.take(batchOf(FRAMES.slice(24)))
    expect(victims(feed)).toEqual([301, 2501])
  })
  test('a jump back to the beginning finds everything again by folding', () => {
    const feed = new Feed(source)
    feed.take(batchOf(FRAMES))
    feed.take(batchOf(FRAMES.slice(0, 3), true))
    expect(victims(feed)).toEqual([])
    feed.take(batchOf(FRAMES.slice(3)))
    expect(victims(feed)).toEqual([301, 2501])
  })
  test('a fold beside the shown one is seen when it takes its place; half a case of a short one is remembered by nobody', () => {
    const feed = new Feed(source), victim = (pid: number): Event[] => [marked(20, pid)]
    feed.take(batchOf([...FRAMES.slice(20, 22), ...encodeFrames(victim(2001))], true, 'short'))
    const short = feed.model
    expect(victims(feed)).toEqual([2001])
    feed.take(batchOf(FRAMES.slice(0, 2), true, 'beside'))
    feed.take(batchOf([...FRAMES.slice(2, 22), ...encodeFrames(victim(2002))], false, 'beside'))
    expect([feed.model, victims(feed)]).toEqual([short, [2001]])
    feed.take(batchOf([]))
    expect(victims(feed)).toEqual([301, 2002])
    feed.take(batchOf(FRAMES.slice(22)))
    expect(victims(feed)).toEqual([301, 2002, 2501])
    feed.take(batchOf(FRAMES.slice(30, 32), true, 'short'))
    expect(victims(feed)).toEqual([301, 2002, 2501])
  })
})

describe('last words', () => {
  afterEach(() => { vi.restoreAllMocks() })
  function words(error: unknown): { code: number; text: string } {
    let text = ''
    vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => { text += String(chunk); return true })
    const code = report(error)
    return { code, text }
  }
  test('what a person can put right takes two lines, whatever is in the message', () => {
    expect(words(environmentError({ code: 'c', message: 'cannot open a\nb\u001b[2J: why', hint: 'do\nthis' }))).toEqual({ code: 3, text: 'oomscope: cannot open a?b?[2J: why\nhint: do?this\n' })
    expect(words(new SourceError({ code: 'c', message: 'm', hint: 'h' }))).toEqual({ code: 1, text: 'oomscope: m\nhint: h\n' })
  })
  test('a bug shows the version and the stack, exit 70', () => {
    const { code, text } = words(new TypeError('x is not a function'))
    expect(code).toBe(70)
    expect(text).toMatch(/^oomscope \d+\.\d+\.\d+: a bug.*\nTypeError: x is not a function\n {4}at /)
    expect(words('thrown text').text).toContain('thrown text')
  })
})
