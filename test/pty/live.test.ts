/** The live screen of the real program, fed by a bridge that says what the bundled recording holds: live and replay are the same picture. */
import { readFileSync } from 'node:fs'
import { afterEach, expect, it } from 'vitest'
import { CLI } from '../helpers/cli.ts'
import { fakeBridge } from '../helpers/fake-live.ts'
import { freshDirectories } from '../helpers/files.ts'
import { ROOT, SHELL_MODES, Tui } from '../helpers/pty.ts'

const DEMO = `${ROOT}docs/demo.oom`
const fresh = freshDirectories()
const open: Tui[] = []
afterEach(({ task }) => { open.at(-1)?.picture(`live ${task.name}`); for (const tui of open.splice(0)) tui.kill() })

async function start(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Tui> {
  const t = new Tui('node', [CLI, ...args], { cols: 120, rows: 40, env })
  open.push(t)
  await t.until((x) => / (?:END|LIVE) 04:18:24/.test(x.lines()[0] ?? '') && x.text().includes('pod 1f0c2a3e'), 'the last moment of the recording')
  return t
}
const live = (): Promise<Tui> => start(['live', '--no-probes'], fakeBridge(fresh(), [{ frames: [readFileSync(DEMO)] }]).env)
const replay = (): Promise<Tui> => start(['replay', DEMO, '--at', '04:18:24'])

/** Without the rows that say how old the picture is, what is doubtful about this stream, the bar (whose span differs) and the keys. */
const body = (t: Tui, from: string): string[] => { const lines = t.lines(), first = lines.findIndex((line) => line.includes(from)); return lines.slice(first, 36).map((line) => line.trimEnd()) }

it('paints the same rows and the same detail as a replay of the same moment', async () => {
  const [a, b] = [await live(), await replay()]
  expect(body(a, 'WORKLOAD').length).toBeGreaterThan(30)
  expect(body(a, 'WORKLOAD')).toEqual(body(b, 'WORKLOAD'))
})

it('paints the same case file as a replay of the same kill', async () => {
  const [a, b] = [await live(), await replay()]
  for (const t of [a, b]) {
    t.keys('Kj\r')
    await t.see('KILL 2 of 3   04:18:17   python3 (pid 6168) killed')
  }
  expect(body(a, 'verdict')).toEqual(body(b, 'verdict'))
  expect(a.text()).toContain('27M -> 96M')
})

it('opens the newest kill by one key, and offers nothing that needs a recording', async () => {
  const t = await live()
  t.keys(']')
  await t.see('KILL 3 of 3   04:18:19   node (pid 6220) killed')
  expect(t.lines()[39]).not.toContain('to its moment')
  t.keys('\x1b')
  await t.see('USED/LIMIT')
  t.keys('?')
  await t.see('hold the picture; recording and counting go on')
  expect(t.text()).not.toMatch(/go to a time|one sample forth|replay faster/)
})

it('holds the picture and gives the terminal back', async () => {
  const t = await live()
  t.keys(' ')
  await t.see('■ PAUSED 04:18:24')
  t.keys('q')
  expect(await t.ended()).toBe(0)
  expect(t.modes()).toEqual(SHELL_MODES)
})
