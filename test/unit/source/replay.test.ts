import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { MemoryTape } from '../../../src/recording/memory-tape.ts'
import { openReplay, ReplaySource } from '../../../src/source/replay.ts'
import type { ReplayOptions } from '../../../src/source/replay.ts'
import type { Batch } from '../../../src/source/source.ts'
import { Decoder } from '../../../src/wire/decode.ts'
import { FrameReader } from '../../../src/wire/frame.ts'
import { freshDirectories } from '../../helpers/files.ts'
import { START_NS, streamFrames } from '../../helpers/stream.ts'

const fresh = freshDirectories()

/** A replay of 45 s, one frame a second, with a clock the test moves; it stands still until moved. */
function replayOf(options: Partial<ReplayOptions> = {}, damage?: (bytes: Buffer) => void): { source: ReplaySource; clock: { ms: number } } {
  const path = join(fresh(), 'a.oom'), bytes = Buffer.concat(streamFrames({ seconds: 45 })), clock = { ms: 0 }
  damage?.(bytes)
  writeFileSync(path, bytes)
  return { source: openReplay({ path, speed: 1, now: () => clock.ms, ...options }), clock }
}
const seconds = (batch: Batch): number[] => [...new Set(batch.items.flatMap(({ events }) => events).filter((e) => e.kind === 'memcg_usage').map((e) => Math.floor((e.tsNs - START_NS) / 1e9)))]
async function next(batches: AsyncGenerator<Batch, void, void>): Promise<Batch> {
  const { value } = await batches.next()
  if (value === undefined) throw new Error('the replay has ended')
  return value
}

describe('as fast as possible', () => {
  test('everything comes in order and then it ends', async () => {
    const { source } = replayOf({ speed: 'max' }), all: number[] = []
    for await (const batch of source.batches()) all.push(...seconds(batch))
    expect(all).toEqual(Array.from({ length: 46 }, (_, i) => i))
    expect(source.counts()).toEqual({ corruptFrames: 0, corruptBytes: 0, unknownKinds: 0, badRows: 0 })
    await source.close()
  })
  test('what is damaged is counted', async () => {
    const { source } = replayOf({ speed: 'max' }, (bytes) => { bytes[bytes.length - 3] = bytes.at(-3)! ^ 1 })
    for await (const batch of source.batches()) void batch
    expect(source.counts()).toMatchObject({ corruptFrames: 1 })
    await source.close()
  })
})

describe('at the pace it happened', () => {
  test('nothing comes before its time, and twice the speed brings it in half the time', async () => {
    const { source, clock } = replayOf(), batches = source.batches()
    expect(seconds(await next(batches))).toEqual([0])
    clock.ms = 3500
    expect(seconds(await next(batches))).toEqual([1, 2, 3])
    source.setSpeed(10)
    clock.ms = 3950
    // 3.5 s played, then 0.45 s ten times as fast: 8 s.
    expect(seconds(await next(batches))).toEqual([4, 5, 6, 7, 8])
    expect(source.playback()).toEqual({ speed: 10, paused: false, ended: false, caughtUp: false, partial: false, startNs: START_NS, endNs: START_NS + 45e9 })
    await source.close()
    expect((await batches.next()).done).toBe(true)
  })
  test('paused, time does not pass', async () => {
    const { source, clock } = replayOf(), batches = source.batches()
    await next(batches)
    clock.ms = 1000
    source.setPaused(true)
    expect(source.playback().paused).toBe(true)
    clock.ms = 600_000
    expect(seconds(await next(batches))).toEqual([1])
    const waiting = next(batches)
    source.setPaused(false)
    clock.ms = 601_000
    expect(seconds(await waiting)).toEqual([2])
    await source.close()
  })
  test('a start in the middle catches up at once', async () => {
    const { source } = replayOf({ atNs: START_NS + 23.5e9 })
    expect(seconds(await next(source.batches())).at(-1)).toBe(23)
    await source.close()
  })
  test('a jump back is a restart that leads up to the wanted time; forwards the fold goes on', async () => {
    const { source } = replayOf(), batches = source.batches()
    expect((await next(batches)).isRestart).toBe(false)
    for (const [second, isRestart, first] of [[30, false, 1], [7, true, 0], [45, false, 8]] as const) {
      source.seek(START_NS + second * 1e9)
      const batch = await next(batches), told = seconds(batch)
      expect([batch.isRestart, told[0], told.at(-1), batch.fold]).toEqual([isRestart, first, second, undefined])
      expect(source.playback().caughtUp).toBe(false)
    }
    await source.close()
  })
  test('a jump beyond either end stops at the end', async () => {
    const { source } = replayOf(), batches = source.batches()
    source.seek(Number.MAX_SAFE_INTEGER)
    expect(seconds(await next(batches)).at(-1)).toBe(45)
    source.seek(-1)
    expect(seconds(await next(batches))).toEqual([0])
    await source.close()
  })
  test('at its end it waits, says so, and can still be sent back; closing ends it', async () => {
    const { source } = replayOf({ atNs: START_NS + 45e9 }), batches = source.batches()
    await next(batches)
    const waiting = next(batches)
    await expect.poll(() => source.playback().ended).toBe(true)
    expect(source.playback().caughtUp).toBe(true)
    source.seek(START_NS + 3e9)
    expect(source.playback().caughtUp).toBe(false)
    expect(seconds(await waiting).at(-1)).toBe(3)
    expect(source.playback().ended).toBe(false)
    source.seek(START_NS + 45e9)
    await next(batches)
    const last = batches.next()
    await source.close()
    expect((await last).done).toBe(true)
  })
})

describe('a jump that something overtakes', () => {
  test('closed at any moment of it, the source ends', async () => {
    for (let turns = 0; turns < 12; turns += 1) {
      const { source } = replayOf({ atNs: START_NS + 45e9 }), batches = source.batches()
      await next(batches)
      const waiting = batches.next()
      await expect.poll(() => source.playback().caughtUp).toBe(true)
      source.seek(START_NS + 3e9)
      for (let i = 0; i < turns; i += 1) await Promise.resolve()
      await source.close()
      for (let { done } = await waiting; done !== true;) ({ done } = await batches.next())
    }
  })
  test('to a moment that memory lets go meanwhile, it leads to the oldest that is kept', async () => {
    const reader = new FrameReader(), decoder = new Decoder(), tape = new MemoryTape(4096), items = streamFrames({ seconds: 45 }).flatMap((bytes) => reader.push(bytes)).map((frame) => ({ frame, events: decoder.decode(frame) }))
    tape.push(items.slice(0, 8))
    const source = new ReplaySource(tape, { speed: 1, isPaused: true, now: () => 0 }), batches = source.batches()
    await next(batches)
    source.seek(START_NS)
    tape.push(items.slice(8))
    expect(tape.forgotten).toBeGreaterThan(0)
    const told: number[] = []
    while (told.length === 0) told.push(...seconds(await next(batches)))
    expect(START_NS + told[0]! * 1e9).toBe(tape.span()?.startNs)
    await source.close()
  })
})

describe('a jump that takes long to fold', () => {
  /** 300 s of so many memcgs that 150 s of them are more than a quick fold. */
  const FRAMES = Buffer.concat(streamFrames({ seconds: 300, memcgs: 2000 }))
  type Told = { readonly isRestart: boolean; readonly fold: Batch['fold']; readonly first: number | undefined; readonly last: number | undefined }
  const toldBy = (told: readonly Batch[]): Told => {
    const all = told.flatMap(seconds)
    return { isRestart: told[0]?.isRestart ?? false, fold: told[0]?.fold, first: all[0], last: all.at(-1) }
  }
  function long(): { readonly source: ReplaySource; readonly clock: { ms: number }; readonly upTo: (isThere: (batch: Batch) => boolean) => Promise<Batch[]>; readonly fold: (fold: Batch['fold']) => Promise<Told> } {
    const path = join(fresh(), 'a.oom')
    writeFileSync(path, FRAMES)
    const clock = { ms: 0 }, source = openReplay({ path, speed: 1, now: () => clock.ms, isPaused: true }), batches = source.batches(), ahead: Batch[] = []
    const upTo = async (isThere: (batch: Batch) => boolean): Promise<Batch[]> => {
      const told: Batch[] = []
      for (let batch = ahead.shift() ?? await next(batches); ; batch = await next(batches)) {
        if (isThere(batch)) { ahead.unshift(batch); return told }
        told.push(batch)
      }
    }
    return { source, clock, upTo, fold: async (fold) => toldBy(await upTo((batch) => batch.fold !== fold)) }
  }

  test('is there after a short fold; the one with all its run-up is made beside it and then takes its place', async () => {
    const { source, fold, upTo } = long()
    source.seek(START_NS + 295.5e9)
    expect(await fold('short')).toEqual({ isRestart: true, fold: 'short', first: 290, last: 295 })
    expect(source.playback()).toMatchObject({ caughtUp: true, partial: true })
    expect(await fold('beside')).toEqual({ isRestart: true, fold: 'beside', first: 140, last: 295 })
    expect(source.playback()).toMatchObject({ caughtUp: true, partial: false })
    source.seek(START_NS + 298.5e9)
    const on = await upTo((batch) => seconds(batch).includes(298))
    expect(on.every(({ isRestart, fold: kind }) => !isRestart && kind === undefined)).toBe(true)
    await source.close()
  })
  test('played on meanwhile, the one beside takes its place as soon as it is as far as the short one was', async () => {
    const { source, fold, upTo, clock } = long()
    source.seek(START_NS + 295.5e9)
    await fold('short')
    source.setPaused(false)
    clock.ms = 2_000
    expect(await fold('beside')).toMatchObject({ isRestart: true, first: 140 })
    expect((await upTo((batch) => seconds(batch).includes(297))).every(({ isRestart, fold: kind }) => !isRestart && kind === undefined)).toBe(true)
    await source.close()
  })
  test('another one meanwhile ends it: the newest wish counts', async () => {
    const { source, fold, upTo } = long()
    source.seek(START_NS + 295.5e9)
    await fold('short')
    source.seek(START_NS + 290.5e9)
    await upTo(({ isRestart, fold: kind }) => isRestart && kind === 'short')
    expect(await fold('short')).toEqual({ isRestart: true, fold: 'short', first: 280, last: 290 })
    expect(await fold('beside')).toEqual({ isRestart: true, fold: 'beside', first: 140, last: 290 })
    await source.close()
  })
})
