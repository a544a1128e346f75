import { afterEach, describe, expect, test } from 'vitest'
import { Feed } from '../../../src/cli/feed.ts'
import { Rewind } from '../../../src/cli/rewind.ts'
import { MemoryTape } from '../../../src/recording/memory-tape.ts'
import type { Item, Source } from '../../../src/source/source.ts'
import { Decoder } from '../../../src/wire/decode.ts'
import { FrameReader } from '../../../src/wire/frame.ts'
import { START_NS, streamFrames } from '../../helpers/stream.ts'

const SILENT: Source = { mode: 'live', batches: async function* () { yield { items: [], isRestart: false } }, counts: () => ({ corruptFrames: 0, corruptBytes: 0, unknownKinds: 0, badRows: 0 }), close: async () => undefined }

function itemsOf(frames: readonly Uint8Array[]): Item[] {
  const decoder = new Decoder()
  return frames.flatMap((bytes) => new FrameReader().push(bytes)).map((frame) => ({ frame, events: decoder.decode(frame) }))
}

const open: Rewind[] = []
afterEach(async () => { for (const rewind of open.splice(0)) await rewind.close() })

function start(maxBytes = 2 ** 26): { readonly rewind: Rewind; readonly feed: Feed; readonly take: (items: readonly Item[]) => void; readonly settled: () => Promise<void>; readonly second: () => number } {
  const feed = new Feed(SILENT), tape = new MemoryTape(maxBytes), rewind = new Rewind(feed, tape)
  open.push(rewind)
  const settled = async (): Promise<void> => { while (rewind.control.playback?.().caughtUp === false) await new Promise((resolve) => setImmediate(resolve)) }
  return { rewind, feed, take: (items) => { feed.take({ items, isRestart: false }); tape.push(items) }, settled, second: () => Math.floor((rewind.model.nowNs - START_NS) / 1e9) }
}
const FRAMES = streamFrames({ seconds: 120 }), ITEMS = itemsOf(FRAMES)

describe('looking back from live', () => {
  test('shows another moment while the stream is read on, and then the present with everything in it', async () => {
    const { rewind, feed, take, settled, second } = start()
    take(ITEMS.slice(0, 41))
    expect(rewind.control.playback?.()).toMatchObject({ paused: false, startNs: START_NS, live: { isFollowing: true, nowNs: feed.model.nowNs } })
    rewind.control.seek?.(START_NS + 15e9)
    await settled()
    expect(second()).toBe(15)
    take(ITEMS.slice(41))
    await settled()
    expect(second()).toBe(15)
    expect(rewind.control.playback?.()).toMatchObject({ paused: true, live: { isFollowing: false, nowNs: feed.model.nowNs }, endNs: START_NS + 120e9 })
    rewind.control.seek?.(START_NS + 99e9)
    await settled()
    expect(second()).toBe(99)
    rewind.control.toLive?.()
    expect(second()).toBe(120)
    expect(feed.events).toBe(ITEMS.reduce((sum, { events }) => sum + events.length, 0))
  })
  test('paused at the newest moment it is not live; going on from there is', async () => {
    const { rewind, take, settled } = start()
    take(ITEMS)
    rewind.control.seek?.(START_NS + 120e9)
    await settled()
    expect(rewind.control.playback?.()).toMatchObject({ ended: true, paused: true, live: { isFollowing: false } })
    rewind.control.setSpeed?.(60)
    rewind.control.setPaused?.(false)
    while (rewind.control.playback?.().live?.isFollowing !== true) await new Promise((resolve) => setImmediate(resolve))
    expect(rewind.control.playback?.()).toMatchObject({ speed: 1, paused: false })
  })
  test('stays whole when the memory lets go what it looks at, and goes on from the oldest that is kept', async () => {
    const frames = streamFrames({ seconds: 120, memcgs: 400 }), items = itemsOf(frames), bytes = frames.reduce((sum, { length }) => sum + length, 0), { rewind, take, settled, second } = start(bytes / 2)
    take(items.slice(0, 25))
    rewind.control.seek?.(START_NS + 5e9)
    await settled()
    take(items.slice(25))
    const { startNs = 0 } = rewind.control.kept?.() ?? {}
    expect(startNs).toBeGreaterThan(START_NS + 30e9)
    expect(second()).toBe(5)
    expect(rewind.model.memcgs.size).toBe(400)
    rewind.control.setSpeed?.(1000)
    rewind.control.setPaused?.(false)
    while (rewind.control.playback?.().live?.isFollowing === false && rewind.model.nowNs < startNs) await new Promise((resolve) => setImmediate(resolve))
    expect(rewind.model.nowNs).toBeGreaterThanOrEqual(startNs)
    expect(rewind.model.memcgs.size).toBe(400)
  })
  test('a moment before the oldest that is kept is the oldest', async () => {
    const { rewind, take, settled, second } = start()
    take(ITEMS.slice(30))
    rewind.control.seek?.(START_NS)
    await settled()
    expect(second()).toBe(30)
  })
})
