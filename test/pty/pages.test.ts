/** The pages a digit leads to, over the bundled recording and over an invented node: what is on them, at both usual sizes. */
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { CLI } from '../helpers/cli.ts'
import { buildAppUnderTest, ROOT, Tui } from '../helpers/pty.ts'

const SIZES = [[120, 40], [80, 24]] as const
let app: string
let tui: Tui | undefined
beforeAll(() => { app = buildAppUnderTest() })
afterEach(({ task }) => { tui?.picture(`page ${task.name}`); tui?.kill(); tui = undefined })

/** Stands at the end of the bundled recording. */
async function atEnd([cols, rows]: readonly [number, number]): Promise<Tui> {
  tui = new Tui('node', [CLI, 'replay', `${ROOT}test/fixtures/recordings/three-kills-v1.oom`, '--at', '04:18:24'], { cols, rows })
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

/** An invented node that stands still; `OOMSCOPE_TEST` says what is on it. */
async function invented([cols, rows]: readonly [number, number], what: string): Promise<Tui> {
  tui = new Tui('node', [app], { cols, rows, env: { OOMSCOPE_TEST: what } })
  await tui.see('payments/api')
  return tui
}

describe('the page of the node', () => {
  it.each(SIZES)('says at %ix%i how the node is, what its memory holds, and how far each zone is from its watermarks', async (cols, rows) => {
    const t = await invented([cols, rows], 'facts')
    t.keys('2')
    await t.see('how the node is')
    expect(t.text()).toMatch(/No zone is above its min watermark \(Normal: 48M free, min 48M\)/)
    expect(t.text()).toMatch(/not available +17\.0G ━/)
    for (const [seen, wanted] of [['somebody waits', /somebody waits +12\.4 %/], ['kswapd scanned', /kswapd scanned +41k/], ['Normal  ', /Normal +allocations wait +48M +48M +60M +72M +20\.5G/], ['9.8k', /Normal +9\.8k +1\.1k +90 +2 +·/], ['dentry', /dentry +890M +4\.7M +94%/]] as const) {
      while (!t.text().includes(seen)) { t.keys('j'); await t.nextFrame() }
      expect(t.text()).toMatch(wanted)
    }
  })
  it('shows of a recording what it holds, and says what it does not', async () => {
    const t = await atEnd([120, 40])
    t.keys('2')
    await t.see('how the node is')
    expect(t.text()).toMatch(/memory: 23\.5G/)
    expect(t.text()).toContain('Zones are not told in this stream.')
  })
})

describe('the page of spikes', () => {
  it.each(SIZES)('lists at %ix%i the peaks of the whole recording with what kubectl top showed, and leads to the moment of each', async (cols, rows) => {
    const t = await atEnd([cols, rows])
    t.keys('4')
    await t.see('3 spikes in 3 workloads; kubectl top would have shown none.')
    expect(t.text()).toMatch(/04:18:14\.\d{3} pod 7d9f8b6c\S* +· = +96M +100 +\S+ +- no/)
    // At 80 columns the one in the middle falls into the cell of a trigger.
    expect(t.lines().at(-2)?.split('●')).toHaveLength(cols === 120 ? 4 : 3)
    expect(t.text()).toMatch(/rose from 0B to 48M[\s│]+\(\+48M\) and fell again/)
    expect(t.text()).toContain('100 % of the limit of 48M: nothing was left.')
    t.keys('j')
    await t.see('rose from 0B to 96M')
    t.keys('\r')
    await t.see(/REPLAY 04:18:17\.\d \(-[67]s\) PAUSED/)
    const y = t.rowOf('!!pod 7d9f8b6c')
    expect([t.cell(10, y).bg, t.cell(10, y).bgMode !== 0]).toEqual([24, true])
  })
  it('offers no jump where time cannot be wound', async () => {
    const t = await invented([80, 24], 'facts')
    t.keys('4')
    await t.see('8 spikes in 5 workloads')
    expect(t.lines()[23]).not.toContain('to its moment')
    t.keys('\r')
    await t.see('time cannot be wound here')
  })
})

describe('the page of stalls', () => {
  it.each(SIZES)('says at %ix%i who waited, how long and for what, and draws when', async (cols, rows) => {
    const t = await invented([cols, rows], 'stalls')
    t.keys('3')
    await t.see('all of this node · waits by length and second')
    expect(t.text()).toMatch(/payments\/api-7d9f8b6c5-x2lqp +2\.5m +3\.3k/)
    expect(t.text()).toMatch(/batch\/etl-nightly-0 +97s +761/)
    t.keys('j')
    await t.see(/268ms +░▒▒▒▒▒▒▒░░░░▒▒▒▒▒▒▒▒▒▒▒▒▒/)
    // Long waits are red, those of some milliseconds are not.
    const y = t.rowOf('268ms'), x = (t.lines()[y] ?? '').indexOf('▒')
    expect(t.cell(x, y).fg).toBe(203)
    if (rows < 30) { t.keys('\t'); await t.see('who waited for what') }
    expect(t.text()).toMatch(/java +memory\.high: put to sleep +464 +55s/)
    t.keys('e')
    await t.see('by workload')
    expect(t.text()).toMatch(/payments\/api-\S+ +.*"api"/)
  })
  it('is drawn in ASCII, too', async () => {
    const t = await invented([120, 40], 'stalls,ascii')
    t.keys('3')
    await t.see('all of this node')
    t.keys('j')
    await t.see(/268ms +\.:::::::\.\.\.\.:+/)
  })
  it('says so where nobody waited', async () => {
    tui = new Tui('node', [app], { cols: 80, rows: 24, env: { OOMSCOPE_TEST: 'empty' } })
    await tui.see('No cgroups seen yet.')
    tui.keys('3')
    await tui.see('Nobody has waited for memory in the last two minutes.')
  })
})
