/** The pages a digit leads to, over the bundled recording and over an invented node: what is on them, at both usual sizes. */
import { afterEach, describe, expect, it } from 'vitest'
import { CLI } from '../helpers/cli.ts'
import { ROOT, Tui } from '../helpers/pty.ts'

const SIZES = [[120, 40], [80, 24]] as const
let tui: Tui | undefined
afterEach(({ task }) => { tui?.picture(`page ${task.name}`); tui?.kill(); tui = undefined })

/** Stands at the end of the bundled recording. */
async function atEnd([cols, rows]: readonly [number, number]): Promise<Tui> {
  tui = new Tui('node', [CLI, 'replay', `${ROOT}docs/demo.oom`, '--at', '04:18:24'], { cols, rows })
  await tui.until((t) => t.text().includes('REPLAY END 04:18:24') && t.text().includes('1f0c2a3e'), 'the end of the recording')
  return tui
}

describe('the health page', () => {
  it.each(SIZES)('says at %ix%i what is lost, who answers each question, and why not better', async (cols, rows) => {
    const t = await atEnd([cols, rows])
    t.keys('6')
    await t.see('can this picture be trusted')
    expect(t.text()).toContain('Nothing is known to be lost.')
    expect(t.text()).toContain('10 of 13 questions answered by a probe, 5 proven by a self-test.')
    expect(t.text()).toMatch(/the OOM killer's decision +- +absent/)
    expect(t.text()).toContain('the kill decision is not seen itself, only its result: kprobe:')
    expect(t.lines().at(-1)).toMatch(/ 0% of \d+ *$/)
    t.keys('G')
    await t.see(/100% of \d+/)
    expect(t.text()).toContain('notices of the bridge and of bpftrace')
    expect(t.text()).toMatch(/bridge +oom_score_adj stays as it is/)
    t.keys('1')
    await t.see('USED/LIMIT')
  })
  it('shows what the recorder cost, and nothing of the program that replays', async () => {
    const t = await atEnd([120, 40])
    t.keys('6')
    await t.see('what oomscope costs')
    expect(t.text()).toMatch(/CPU of the bridge +0\.\d %/)
    expect(t.text()).not.toContain('this screen')
  })
})
