/** One stream, three ways to a moment of it: watched live until then, looked back at from later, replayed. All paint the same cells. */
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Feed } from '../../src/cli/feed.ts'
import { lens } from '../../src/cli/lens.ts'
import { overlook } from '../../src/cli/overlook.ts'
import { Rewind } from '../../src/cli/rewind.ts'
import { MemoryTape } from '../../src/recording/memory-tape.ts'
import { openRecording } from '../../src/recording/reader.ts'
import type { NodeModel } from '../../src/model/node.ts'
import { openReplay } from '../../src/source/replay.ts'
import type { ReplaySource } from '../../src/source/replay.ts'
import type { Item, Source } from '../../src/source/source.ts'
import { STYLE } from '../../src/tui/grid.ts'
import { paint } from '../../src/tui/paint.ts'
import type { Painted, Show } from '../../src/tui/paint.ts'
import { sceneOf } from '../../src/tui/scene.ts'
import { START } from '../../src/tui/ui.ts'
import type { Ui } from '../../src/tui/ui.ts'
import { Story } from '../../src/view/story.ts'
import { Decoder } from '../../src/wire/decode.ts'

const DEMO = fileURLToPath(new URL('../fixtures/recordings/three-kills-v1.oom', import.meta.url))
const SIZES = [{ cols: 120, rows: 40 }, { cols: 80, rows: 24 }] as const

function itemsOf(path: string): Item[] {
  const recording = openRecording(path), cursor = recording.cursor(), decoder = new Decoder(), items: Item[] = []
  for (let frames = cursor.next(); frames !== undefined; frames = cursor.next()) items.push(...frames.map((frame) => ({ frame, events: decoder.decode(frame) })))
  recording.close()
  return items
}

/** Looks like the live source; whoever tests hands the batches over. */
const SILENT: Source = { mode: 'live', batches: async function* () { yield { items: [], isRestart: false } }, counts: () => ({ corruptFrames: 0, corruptBytes: 0, unknownKinds: 0, badRows: 0 }), close: async () => undefined }

const items = itemsOf(DEMO)
/** Around a kill its witnesses still speak: what they say later is known to who looks back, and to nobody who watches. */
const TOLD_NS = 2.5e9
const KILLS_NS = items.flatMap(({ events }) => events.filter(({ kind }) => kind === 'mark_victim').map(({ tsNs }) => tsNs))
const isBeingTold = (tsNs: number): boolean => KILLS_NS.some((killNs) => Math.abs(tsNs - killNs) < TOLD_NS)
/** Frames behind which time moves on, so that `until then` is the same set of frames for everybody; about forty over the recording. */
const MOMENTS = items.flatMap(({ frame }, i) => ((items[i + 1]?.frame.tsNs ?? 0) > items.slice(0, i + 1).reduce((newest, { frame: { tsNs } }) => Math.max(newest, tsNs), 0) && frame.tsNs > 0 && !isBeingTold(frame.tsNs) ? [i] : [])).filter((_, n, all) => n % Math.ceil(all.length / 40) === 0)

type Watched = { readonly model: NodeModel; readonly story: Story; readonly liveNs?: number; readonly range?: { readonly startNs: number; readonly endNs: number } }
type Asked = { readonly ui: Ui; readonly size: { readonly cols: number; readonly rows: number } }

function painted({ model, story, liveNs, range }: Watched, { ui, size }: Asked): Painted {
  const show: Show = { scene: sceneOf({ lens, model, story, liveNs, range }), mode: { text: '', style: STYLE.bar }, can: { mode: 'live', speed: true, seek: true, charts: true, save: true }, fault: undefined, ascii: false }
  return paint(show, ui, size)
}

/** Every cell and its style, but for what is meant to differ: in row 1 what is still to come, and the bar, which is as long as what is known. */
function cells(watched: Watched, asked: Asked): string[] {
  const { grid } = painted(watched, asked), bar = asked.ui.page === 'row' && grid.rows < 30 ? 0 : 3
  return grid.lines().flatMap((line, y) => {
    if (y >= grid.rows - 1 - bar) return []
    const styles = [...grid.styles.subarray(y * grid.cols, (y + 1) * grid.cols)].map((style) => style.toString(36)).join(''), said = y === 1 ? line.replace(/ {3,}(?:last kill|\d+ kills?).*$/, '') : line.padEnd(grid.cols)
    return [`${said} ${styles.slice(0, said.length)}`]
  })
}

async function settled(source: { readonly playback: () => { readonly caughtUp?: boolean } }): Promise<void> {
  while (source.playback().caughtUp === false) await new Promise((resolve) => setImmediate(resolve))
}

describe('a moment of a stream', () => {
  const tape = new MemoryTape(2 ** 26), whole = overlook(DEMO)
  let later: Feed, laterStory: Story, rewind: Rewind, source: ReplaySource, replay: Feed, pumped: Promise<void>
  beforeAll(async () => {
    laterStory = new Story((later = new Feed(SILENT, { afterFrame: (model) => laterStory.see(model) })).model)
    for (const item of items) { later.take({ items: [item], isRestart: false }); tape.push([item]) }
    rewind = new Rewind(later, tape)
    source = openReplay({ path: DEMO, speed: 1, isPaused: true })
    replay = new Feed(source, { nameBook: whole.nameBook })
    pumped = (async () => { for await (const batch of source.batches()) replay.take(batch) })()
    while (whole.story.progress < 1) await new Promise((resolve) => setImmediate(resolve))
  })
  afterAll(async () => { await rewind.close(); await source.close(); await pumped; await whole.close() })

  it.each(MOMENTS.map((index) => [((items[index]?.frame.tsNs ?? 0) - (items[0]?.frame.tsNs ?? 0)) / 1e9, index] as const))('%d s after its beginning is the same picture live, looked back at, and replayed', async (_, index) => {
    const atNs = items.slice(0, index + 1).reduce((newest, { frame: { tsNs } }) => Math.max(newest, tsNs), 0)
    const live = new Feed(SILENT), story = new Story(live.model)
    for (const item of items.slice(0, index + 1)) { live.take({ items: [item], isRestart: false }); story.see(live.model) }
    rewind.control.seek?.(atNs)
    source.seek(atNs)
    await settled({ playback: () => rewind.control.playback?.() ?? {} })
    await settled(source)
    const past: Watched = { model: rewind.model, story: laterStory, liveNs: later.model.nowNs }, replayed: Watched = { model: replay.model, story: whole.story, range: source.tape.span()! }
    expect(past.model.nowNs).toBe(live.model.nowNs)
    expect(replayed.model.nowNs).toBe(live.model.nowNs)
    const row = sceneOf({ lens, model: live.model, story }).rows[0]?.key
    for (const size of SIZES) for (const ui of [START, { ...START, tree: true }, { ...START, page: 'row', selected: row } as const]) {
      const asked = { ui, size }
      expect(cells(past, asked)).toEqual(cells({ model: live.model, story }, asked))
      expect(cells(replayed, asked)).toEqual(cells(past, asked))
    }
  })
  it('at its end tells of the same kills, in the same cases', () => {
    const live: Watched = { model: later.model, story: laterStory }, replayed: Watched = { model: later.model, story: whole.story, range: source.tape.span()! }
    const kills = (watched: Watched): readonly string[] => sceneOf({ lens, ...watched }).kills.map(({ id }) => id)
    expect(kills(live)).toHaveLength(3)
    for (const size of SIZES) for (const [i, id] of kills(live).entries()) for (const inFull of [false, true]) {
      expect(cells(replayed, { size, ui: { ...START, page: 'case', kill: kills(replayed)[i], inFull } })).toEqual(cells(live, { size, ui: { ...START, page: 'case', kill: id, inFull } }))
      expect(cells(replayed, { size, ui: { ...START, page: 'kills', kill: kills(replayed)[i] } })).toEqual(cells(live, { size, ui: { ...START, page: 'kills', kill: id } }))
    }
  })
})
