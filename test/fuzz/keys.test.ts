/** Whatever is pressed, clicked and resized, in whatever order, live with a memory and in replay: every frame is whole and the present can be reached again. */
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { Feed } from '../../src/cli/feed.ts'
import { lens } from '../../src/cli/lens.ts'
import { overlook } from '../../src/cli/overlook.ts'
import { Rewind } from '../../src/cli/rewind.ts'
import { MemoryTape } from '../../src/recording/memory-tape.ts'
import { openReplay } from '../../src/source/replay.ts'
import type { Source } from '../../src/source/source.ts'
import type { TuiOptions } from '../../src/tui/app.ts'
import type { Grid } from '../../src/tui/grid.ts'
import { Session } from '../../src/tui/session.ts'
import type { Terminal } from '../../src/tui/terminal.ts'
import { Story } from '../../src/view/story.ts'
import { seeded } from '../helpers/stream.ts'

const DEMO = fileURLToPath(new URL('../fixtures/recordings/three-kills-v1.oom', import.meta.url))
const NAMED = ['up', 'down', 'left', 'right', 'home', 'end', 'pageup', 'pagedown', 'enter', 'escape', 'backspace', 'delete', 'tab', 'space', 'C-u', 'C-d', 'C-b', 'C-f', 'C-n', 'C-p', 'C-l', 'C-w', 'C-k']
/** All that can be typed, but not what ends the program. */
const TYPED = Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i)).filter((char) => char !== 'q')
const SIZES = [[120, 40], [80, 24], [50, 10], [200, 60], [20, 5], [1, 1]] as const
const SILENT: Source = { mode: 'live', batches: async function* () { yield { items: [], isRestart: false } }, counts: () => ({ corruptFrames: 0, corruptBytes: 0, unknownKinds: 0, badRows: 0 }), close: async () => undefined }

const pick = <T>(random: () => number, list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** A terminal that checks every frame it is shown. */
function fakeTerminal(): { readonly terminal: Terminal; readonly frames: Grid[]; readonly resize: (size: readonly [number, number]) => void } {
  const frames: Grid[] = []
  let size: readonly [number, number] = SIZES[0]
  const show = (grid: Grid): void => {
    expect([grid.cols, grid.rows, grid.codes.length]).toEqual([size[0], size[1], size[0] * size[1]])
    for (const { x, y, width, height } of grid.hits) expect(x >= 0 && y >= 0 && width >= 0 && height >= 1, `a hit at ${x},${y} of ${width}x${height}`).toBe(true)
    frames.push(grid)
  }
  const terminal = { size: () => ({ cols: size[0], rows: size[1] }), show, setTheme: () => undefined, setMouse: () => undefined, copy: () => undefined, suspend: () => undefined, screen: undefined } as unknown as Terminal
  return { terminal, frames, resize: (next) => { size = next } }
}

async function play(options: TuiOptions, seed: number): Promise<Grid[]> {
  const random = seeded(seed), { terminal, frames, resize } = fakeTerminal(), session = new Session({ ...options, ascii: true }, terminal, () => { throw new Error('quit') })
  try {
    for (let i = 0; i < 400; i += 1) {
      const chance = random()
      if (chance < 0.5) session.key(pick(random, TYPED))
      else if (chance < 0.85) session.key(pick(random, NAMED))
      else if (chance < 0.95) session.mouse({ does: pick(random, ['click', 'click', 'up', 'down'] as const), x: Math.floor(random() * 125), y: Math.floor(random() * 42) })
      else { resize(pick(random, SIZES)); session.resized() }
      if (random() < 0.3) await turn()
    }
    // From wherever this has led to.
    resize(SIZES[0])
    for (let i = 0; i < 20; i += 1) session.key('escape')
    session.key('1')
    session.key('0')
    session.resized()
    const before = frames.length
    while (frames.length === before) { session.resized(); await new Promise((resolve) => setTimeout(resolve, 20)) }
    return frames
  } finally {
    session.close()
  }
}

const SEEDS = [1, 2, 3]

describe('any keys', () => {
  test.each(SEEDS)('over a live stream that can be wound back, seed %i', async (seed) => {
    const tape = new MemoryTape(2 ** 26), story: Story = new Story(new Feed(SILENT).model), feed = new Feed(SILENT, { afterFrame: (model) => story.see(model) })
    const source = openReplay({ path: DEMO, speed: 'max' })
    for await (const batch of source.batches()) { feed.take(batch); tape.push(batch.items) }
    await source.close()
    const rewind = new Rewind(feed, tape)
    const frames = await play({ mode: 'live', model: () => rewind.model, story, lens, control: rewind.control, wallNow: () => 0, save: () => '/nowhere' }, seed)
    expect(rewind.control.playback?.().live?.isFollowing).toBe(true)
    expect(frames.at(-1)?.lines()[0]).toContain('LIVE 04:18:24')
    await rewind.close()
  })
  test.each(SEEDS)('over a recording, seed %i', async (seed) => {
    const source = openReplay({ path: DEMO, speed: 1 }), whole = overlook(DEMO), feed = new Feed(source), pumped = (async () => { for await (const batch of source.batches()) feed.take(batch) })()
    const control = { setPaused: (paused: boolean) => source.setPaused(paused), setSpeed: (speed: number) => source.setSpeed(speed), seek: (tsNs: number) => source.seek(tsNs), playback: () => source.playback() }
    const frames = await play({ mode: 'replay', model: () => feed.model, story: whole.story, lens, control, wallNow: () => 0 }, seed)
    expect(frames.at(-1)?.lines()[0]).toMatch(/< (?:REPLAY|GOING TO)/)
    await whole.close()
    await source.close()
    await pumped
  })
})
