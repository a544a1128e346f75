/** The screen of `run` between its command's page and the others, without a terminal: what a look back leaves behind. */
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test, vi } from 'vitest'
import { Feed } from '../../../src/cli/feed.ts'
import { lens } from '../../../src/cli/lens.ts'
import { Rewind } from '../../../src/cli/rewind.ts'
import { MemoryTape } from '../../../src/recording/memory-tape.ts'
import { openReplay } from '../../../src/source/replay.ts'
import type { Source } from '../../../src/source/source.ts'
import type { Grid } from '../../../src/tui/grid.ts'
import { Session } from '../../../src/tui/session.ts'
import { TOGGLE, type Stage } from '../../../src/tui/stage.ts'
import type { Terminal } from '../../../src/tui/terminal.ts'
import { Story } from '../../../src/view/story.ts'

const DEMO = fileURLToPath(new URL('../../fixtures/recordings/three-kills-v1.oom', import.meta.url))
const SILENT: Source = { mode: 'live', batches: async function* () { yield { items: [], isRestart: false } }, counts: () => ({ corruptFrames: 0, corruptBytes: 0, unknownKinds: 0, badRows: 0 }), close: async () => undefined }

/** All of a stream has come and nothing more does; the command has ended. */
async function afterRun(): Promise<{ readonly session: Session; readonly rewind: Rewind; readonly lines: () => string[] }> {
  const tape = new MemoryTape(2 ** 26), story: Story = new Story(new Feed(SILENT).model), feed = new Feed(SILENT, { afterFrame: (model) => story.see(model) }), source = openReplay({ path: DEMO, speed: 'max' })
  for await (const batch of source.batches()) { feed.take(batch); tape.push(batch.items) }
  await source.close()
  let shown: Grid | undefined
  const rewind = new Rewind(feed, tape), size = { cols: 120, rows: 40 }
  const terminal = { size: () => size, show: (grid: Grid) => { shown = grid }, setTheme: () => undefined, setMouse: () => undefined } as unknown as Terminal
  const stage = { title: 'true', cells: { size, version: 0, paint: () => undefined }, isRunning: () => false, type: () => undefined, resize: () => undefined, panel: () => ({ share: undefined, lines: [], chart: undefined }), summary: () => ['all is told'] } as unknown as Stage
  const session = new Session({ mode: 'live', model: () => rewind.model, story, lens, control: rewind.control, wallNow: () => 0, stage }, terminal, () => undefined)
  return { session, rewind, lines: () => { session.resized(); return shown?.lines() ?? [] } }
}

afterEach(() => { vi.useRealTimers() })

test('who comes back to the present by way of the command\'s page is no longer at the kill looked at', async () => {
  const { session, rewind, lines } = await afterRun()
  session.bytes(TOGGLE)
  session.key('[')
  await expect.poll(() => lines()[0]).toContain('PAUSED')
  session.bytes(TOGGLE)
  session.bytes(TOGGLE)
  expect(rewind.control.playback?.().live?.isFollowing).toBe(true)
  await expect.poll(() => lines()[0]).toContain('LIVE')
  session.key('enter')
  // The page of the selected workload, not that of the kill.
  await expect.poll(() => lines().at(-1)).toContain('< > workload')
  session.close()
  await rewind.close()
})

test('a jump that is called off is waited for no longer, though nothing more comes', async () => {
  const { session, rewind } = await afterRun()
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  session.bytes(TOGGLE)
  session.key('h')
  session.key('end')
  await vi.advanceTimersByTimeAsync(1000)
  expect(vi.getTimerCount()).toBe(0)
  session.close()
  await rewind.close()
})
