/** The live screen of the real program, fed by a bridge that says what the bundled recording holds: live and replay are the same picture. */
import { readFileSync } from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import { CLI } from '../helpers/cli.ts'
import { fakeBridge } from '../helpers/fake-live.ts'
import { freshDirectories } from '../helpers/files.ts'
import { ROOT, SHELL_MODES, Tui } from '../helpers/pty.ts'

const DEMO = `${ROOT}test/fixtures/recordings/three-kills-v1.oom`
const fresh = freshDirectories()
const open: Tui[] = []
afterEach(({ task }) => { open.at(-1)?.picture(`live ${task.name}`); for (const tui of open.splice(0)) tui.kill() })

async function start(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Tui> {
  const t = new Tui('node', [CLI, ...args], { cols: 120, rows: 40, env })
  open.push(t)
  await t.until((x) => / (?:END|LIVE) 04:18:24/.test(x.lines()[0] ?? '') && x.text().includes('pod 1f0c2a3e'), 'the last moment of the recording')
  return t
}
const live = (args: readonly string[] = []): Promise<Tui> => start(['live', '--no-probes', ...args], fakeBridge(fresh(), [{ frames: [readFileSync(DEMO)] }]).env)
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

it('opens the newest kill by one key, and offers only what works here and now', async () => {
  const t = await live()
  t.keys(']')
  await t.see('KILL 3 of 3   04:18:19   node (pid 6220) killed')
  t.keys('\x1b')
  await t.see('USED/LIMIT')
  t.keys('?')
  await t.see('hold the picture; recording and counting go on')
  expect(t.text()).toContain('look back by 1 s, by 10 s')
  expect(t.text()).not.toMatch(/back to live|one sample forth|play faster/)
})

it('leads a new person, who has read the help, from the start to why a pod died in two keys', async () => {
  const t = await live()
  t.keys('?')
  await t.see('the case of the newest kill')
  t.keys('?')
  await t.see('USED/LIMIT')
  t.keys(']')
  await t.see('CONTAINER LIMIT. Container 248f2a0e12a9')
})

it('remembers nothing when it is told so, and then offers no way back', async () => {
  const t = await live(['--look-back', '0'])
  t.keys('?')
  await t.see('hold the picture; recording and counting go on')
  expect(t.text()).not.toMatch(/go to a time|look back|play faster/)
  t.keys('\x1b')
  await t.see('USED/LIMIT')
  t.keys('h')
  t.keys(' ')
  await t.see('■ PAUSED 04:18:24')
  t.keys(' ')
  await t.see('● LIVE 04:18:24')
})

it('says what it waits for when the first look takes long, and ends by ctrl-C', async () => {
  const t = new Tui('node', [CLI, 'live', '--no-probes'], { cols: 120, env: fakeBridge(fresh(), [{}]).env })
  open.push(t)
  await t.see('looking at every cgroup of this node for the first time; ctrl-C ends')
  t.keys('\x03')
  expect(await t.ended()).toBe(130)
  expect(t.raw).not.toContain('\x1b[?1049h')
})

describe('looking back', () => {
  it('goes to a time, says how far behind that is, steps, and comes back to the present', async () => {
    const t = await live()
    t.keys('b04:18:16\r')
    await t.see(/■ PAUSED 04:18:15\.\d \(9s behind\)/)
    await t.see('2 kills since, next 04:18:17: press ]')
    t.keys('l')
    await t.see(/■ PAUSED 04:18:16\.\d \(8s behind\)/)
    t.keys('T')
    await t.see(/■ PAUSED 04:18:16\.\d \(8s behind\)/)
    t.keys('?')
    await t.see('back to live')
    t.keys('?\x1b[F')
    await t.see('● LIVE 04:18:24')
    expect(t.text()).toContain('USED/LIMIT')
  })

  it('paints what a replay of the same moment paints', async () => {
    const [a, b] = [await live(), await replay()]
    for (const t of [a, b]) t.keys('b04:18:18\r')
    await a.see(/PAUSED 04:18:1[78]\.\d \(\ds behind\)/)
    await b.see(/REPLAY 04:18:1[78]\.\d \(-\ds\) PAUSED/)
    for (const t of [a, b]) await t.until((x) => body(x, 'WORKLOAD').join('').includes('502065b29ff4') || body(x, 'WORKLOAD').join('').includes('7d9f8b6c'), 'the pods of that moment')
    expect(/04:18:1\d\.\d/.exec(a.text())?.[0]).toBe(/04:18:1\d\.\d/.exec(b.text())?.[0])
    expect(body(a, 'WORKLOAD')).toEqual(body(b, 'WORKLOAD'))
  })

  it('goes from kill to kill, opens the case of each, and from a case to its moment', async () => {
    const t = await live()
    t.keys('[')
    await t.see('KILL 3 of 3   04:18:19   node (pid 6220) killed')
    await t.see(/■ PAUSED 04:18:19\.\d \(5s behind\)/)
    t.keys('[')
    await t.see(/■ PAUSED 04:18:17\.\d \(7s behind\)/)
    t.keys('\r')
    await t.see('chain of limits')
    t.keys('\x1b')
    await t.see('USED/LIMIT')
    t.keys(']]')
    await t.see('no later kill')
    t.keys('K')
    await t.see('VICTIM')
    t.keys('G\r')
    await t.see('KILL 1 of 3')
    t.keys('\r')
    await t.see(/■ PAUSED 04:18:13\.\d \(11s behind\)/)
  })

  it('plays from there, faster, and is live again when it has caught up', async () => {
    const t = await live()
    t.keys('H')
    await t.see(/■ PAUSED 04:18:14\.\d \(10s behind\)/)
    t.keys('-- ')
    await t.see(/◄ BACK 04:18:1\d \(\d+s behind\) 0\.25x/)
    t.keys('++++++++++')
    await t.see('● LIVE 04:18:24')
  })

  it('does not go before what is kept, nor beyond the present', async () => {
    const t = await live()
    t.keys('b-5m\r')
    await t.see('older moments are no longer kept than 04:18:08')
    await t.see(/■ PAUSED 04:18:0[89]\.\d \(1[56]s behind\)/)
    t.keys('b+5m\r')
    await t.see('● LIVE 04:18:24')
    // A time of day before what is kept is no time of tomorrow.
    t.keys('b04:00:00\r')
    await t.see('older moments are no longer kept than 04:18:08')
    await t.see(/■ PAUSED 04:18:0[89]\.\d/)
  })

  it('is left by the key that held the picture, and gives the terminal back', async () => {
    const t = await live()
    t.keys(' ')
    await t.see('■ PAUSED 04:18:24')
    t.keys(' ')
    await t.see('● LIVE 04:18:24')
    t.keys(' h')
    await t.see('■ PAUSED 04:18:23')
    t.keys('q')
    expect(await t.ended()).toBe(0)
    expect(t.modes()).toEqual(SHELL_MODES)
  })
})
