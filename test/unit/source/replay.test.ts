import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openReplay } from '../../../src/source/replay.ts'
import type { ReplayOptions, ReplaySource } from '../../../src/source/replay.ts'
import type { Batch } from '../../../src/source/source.ts'
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
    expect(source.playback()).toEqual({ speed: 10, paused: false, ended: false, caughtUp: false, startNs: START_NS, endNs: START_NS + 45e9 })
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
  test('a jump, forwards or back, is a restart that leads up to the wanted time', async () => {
    const { source } = replayOf(), batches = source.batches()
    expect((await next(batches)).isRestart).toBe(false)
    for (const second of [30, 7, 45]) {
      source.seek(START_NS + second * 1e9)
      const batch = await next(batches)
      expect([batch.isRestart, seconds(batch).at(-1)]).toEqual([true, second])
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
