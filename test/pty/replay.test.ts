/** The real program over the bundled recording of three real kills: what a person sees and presses. */
import { execFileSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { constants } from 'node:os'
import { afterEach, describe, expect, it } from 'vitest'
import { CLI } from '../helpers/cli.ts'
import { freshDirectories } from '../helpers/files.ts'
import { ROOT, selectedRow, SHELL_MODES, Tui } from '../helpers/pty.ts'
import type { TuiOptions } from '../helpers/pty.ts'
import { streamFrames } from '../helpers/stream.ts'

const DEMO = `${ROOT}test/fixtures/recordings/three-kills-v1.oom`
const fresh = freshDirectories()
let tui: Tui | undefined
afterEach(({ task }) => { tui?.picture(`replay ${task.name}`); tui?.kill(); tui = undefined })

type Start = TuiOptions & { readonly args?: readonly string[] }

/** So slow that the first kill is still to come, however long a test takes. */
const STANDING: Start = { args: ['--speed', '0.01'] }

/** Starts the replay and waits until the whole recording has been looked through. */
async function start({ args = [], ...options }: Start = {}): Promise<Tui> {
  tui = new Tui('node', [CLI, 'replay', DEMO, ...args], { cols: 120, rows: 40, ...options })
  await tui.see(/3 kills(?! in this recording, \d)/)
  return tui
}

/** Stands at the end of the recording. */
async function atEnd(options: Start = {}): Promise<Tui> {
  tui = new Tui('node', [CLI, 'replay', DEMO, '--at', '04:18:24', ...options.args ?? []], { cols: 120, rows: 40, ...options })
  await tui.until((t) => t.text().includes('REPLAY END 04:18:24') && t.text().includes('1f0c2a3e'), 'the end of the recording')
  return tui
}

const POD = ['1f0c2a3e-5b7d-4c1e-9a63-0d2f4b6c8e10', '7d9f8b6c-2c4e-4d8a-b1f3-5a6c7e8f9012', '86c42f1a-9d3b-4e5f-a7c8-1b2d3f4a5c6e'] as const

describe('the overview', () => {
  it('shows the real pods with their limits, their kills and what cannot be known here', async () => {
    const t = await atEnd()
    t.picture('overview-120x40')
    expect(t.lines()[0]).toMatch(/^ oomscope {2}vm · 23\.5G, \d+% used · PSI mem some \d+\.\d full \d+\.\d · OOM kills 3\/h/)
    expect(t.lines()[1]).toMatch(new RegExp(`^!! pod ${POD[2]} was OOM-killed \\ds ago`))
    expect(t.lines()[2]).toContain("not certain: candidates' points are computed from the kernel log")
    expect(t.lines()[3]).toMatch(/WORKLOAD.*FILL.*USED\/LIMIT.*k\.TOP.*OOM/)
    for (const [i, limit] of [[0, '64M'], [1, '96M'], [2, '48M']] as const) {
      const row = t.lines().find((line) => line.startsWith(`!!pod ${POD[i].slice(0, 20)}`)) ?? ''
      expect(row).toContain(`/${limit}`)
      // No PSI of a cgroup and no memory.high on cgroup v1: not known, and not zero.
      expect(row).toMatch(/ - +- +\S+ +- +1 /)
    }
  })

  it('names the pod, its limit and its kills at 80x24, too', async () => {
    const t = await atEnd({ cols: 80, rows: 24 })
    t.picture('overview-80x24')
    expect(t.lines()[4]).toMatch(/^!!pod 86c42f1a-\S+ \S+ +\d+M\/48M/)
    expect(t.lines()[23]).toMatch(/^ space play {2}\[ \] kill {2}enter open/)
  })

  it('knows from the start how many kills are to come, and marks them on the bar of the whole recording', async () => {
    const t = await start(STANDING)
    await t.see('3 kills in this recording, next 04:18:13: press ]')
    expect(t.lines()[36]).toMatch(/04:18:24 ?$/)
    expect(t.lines()[38]?.split('X')).toHaveLength(4)
  })

  it('{ and } lead from event to event: kills, and where tasks began to wait', async () => {
    const t = await atEnd()
    for (const seen of ['KILL 3 of 3', 'KILL 2 of 3', 'here tasks began to wait for memory', 'KILL 1 of 3', 'no earlier event']) { t.keys('{'); await t.see(seen) }
    for (const seen of ['here tasks began to wait for memory', 'KILL 2 of 3', 'KILL 3 of 3', 'no later event']) { t.keys('}'); await t.see(seen) }
  })

  it('filters, counts the matches, and sorts', async () => {
    const t = await atEnd()
    t.keys('/86c4|7d9f\r')
    await t.see('2 of 3')
    expect(t.text()).not.toContain('!!pod 1f0c')
    t.keys('\x1b')
    await t.see('!!pod 1f0c')
    t.keys('>>>')
    await t.until((x) => x.lines()[3]?.includes('USEDv') === true, 'sorted by used')
    expect(t.lines()[4]).toContain('pod 86c42f1a')
  })

  it('is also the tree of cgroups, whose branches close and open', async () => {
    const t = await atEnd()
    t.keys('e')
    await t.see('- kubepods.slice')
    t.picture('tree-120x40')
    const lines = t.lines(), at = (text: string): number => lines.findIndex((line) => line.includes(text))
    expect(at('- kubepods.slice')).toBeLessThan(at('  - kubepods-besteffort.slice'))
    expect(at('  - kubepods-besteffort.slice')).toBeLessThan(at(`    - pod ${POD[2].slice(0, 12)}`))
    expect(at(`    - pod ${POD[2].slice(0, 12)}`)).toBeLessThan(at('container "248f2a0e12a9"'))
    t.keys('/besteffort\r')
    await t.gone('kubepods-burstable')
    t.keys('\x1b')
    await t.see('kubepods-burstable')
    t.keys('g')
    t.keys('\x1b[D')
    await t.see('+ kubepods.slice')
    expect(t.text()).not.toContain('kubepods-besteffort.slice ')
    t.keys('*')
    await t.see('kubepods-besteffort')
    t.keys('e')
    await t.gone('- kubepods.slice')
  })
})

describe('time', () => {
  it('leads a new person, who has read the help, from the start to why a pod died in three keys', async () => {
    const t = await start(STANDING)
    t.keys('?')
    await t.see('Keys')
    expect(t.text()).toContain('to the moment of the kill before, after; enter opens its case')
    // The three keys: leave the help, to the kill, why.
    t.keys('?')
    await t.see('USED/LIMIT')
    t.keys(']')
    await t.see('KILL 1 of 3')
    t.keys('\r')
    await t.see('CONTAINER LIMIT. Container 3c55d6c7d003')
  })

  it('leads from the start to the first kill by one key, and to its case by a second', async () => {
    const t = await start(STANDING)
    t.keys(']')
    await t.see(new RegExp(`KILL 1 of 3 {3}04:18:13 {3}java \\(pid 6118\\) killed {3}pod ${POD[0]}`))
    await t.see('REPLAY 04:18:13.4 (-11s) PAUSED')
    await t.until((x) => selectedRow(x).includes('1f0c2a3e'), 'the pod of the victim selected')
    t.picture('replay-120x40')
    expect(t.text().replace(/\s*│\n│\s*/g, ' ')).toContain('the kernel killed java (pid 6118')
    t.keys('\r')
    await t.gone('USED/LIMIT')
    expect(t.lines().find((line) => line.includes('KILL 1 of 3'))).toContain('java (pid 6118) killed')
    t.keys('\x1b')
    await t.see('USED/LIMIT')
    t.keys(']')
    await t.see('KILL 2 of 3   04:18:17   python3 (pid 6168) killed')
    t.keys(']')
    await t.see('KILL 3 of 3   04:18:19   node (pid 6220) killed')
    t.keys(']')
    await t.see('no later kill')
    t.keys('[[')
    await t.see('KILL 1 of 3   04:18:13')
  })

  it('is scrubbed by seconds and samples, gone to by its clock, played and stopped', async () => {
    const t = await start()
    t.keys('b04:18:16\r')
    await t.see('REPLAY 04:18:15.9')
    t.keys('l')
    await t.see('REPLAY 04:18:16.9')
    t.keys('T')
    await t.see('REPLAY 04:18:16.8')
    t.keys('hh')
    await t.see('REPLAY 04:18:14.8')
    t.keys('b-2s\r')
    await t.see('REPLAY 04:18:12.8')
    t.keys('bnonsense\r')
    await t.see('not a time: write')
    t.keys(' ')
    await t.see(/REPLAY (?:04:18:(?:1[3-9]|2\d) \(-\d+s\)|END)/)
    t.keys('++++++')
    await t.see('REPLAY END 04:18:24')
    t.keys('H')
    await t.see(/REPLAY 04:18:14\.\d/)
  })

  it('starts where --at says', async () => {
    const t = await start({ args: ['--at', '04:18:18', ...STANDING.args ?? []] })
    await t.see('next 04:18:19: press ]')
    t.keys('[')
    await t.see('KILL 2 of 3')
  })
})

describe('the kills', () => {
  it('are all listed before the first of them has been played, and each opens', async () => {
    const t = await start()
    t.keys('K')
    await t.see('VICTIM')
    t.picture('kills-120x40')
    expect(t.lines().slice(4, 7).map((line) => line.slice(1, 38))).toEqual(['04:18:19 container-limit pod 86c42f1a', '04:18:17 container-limit pod 7d9f8b6c', '04:18:13 container-limit pod 1f0c2a3e'])
    expect(t.text().replace(/\s+/g, ' ')).toContain('the kernel killed node (pid 6220')
    t.keys('jj\r')
    await t.see('KILL 1 of 3')
    expect(t.text()).toContain('worker-1')
    t.keys('\r')
    await t.see('REPLAY 04:18:13.4 (-11s) PAUSED')
  })
})

describe('the page of a kill', () => {
  /** Everything on the screen as one line without frames: for sentences that are wrapped. */
  const prose = (t: Tui): string => t.text().replace(/[│\s]+/g, ' ')

  async function openSecond(options: Start = {}): Promise<Tui> {
    const t = await start(options)
    t.keys('Kj\r')
    await t.see('KILL 2 of 3   04:18:17   python3 (pid 6168) killed')
    return t
  }

  it('shows verdict, chain of limits, what filled it, who was judged and the seconds before', async () => {
    const t = await openSecond()
    t.picture('case-120x40')
    expect(t.lines().filter((line) => line.startsWith('┌')).map((line) => line.replace(/[┌┐─]+/g, '|'))).toEqual([
      "| verdict · certain · seen by probes, kernel log, the cgroup's counters |", '| chain of limits, from the inside out | what was in the 96M |',
      "| who was judged: 5 candidates, points computed from the kernel log's table |", '| the 10 s before |',
    ])
    expect(prose(t)).toContain(`CONTAINER LIMIT. Container 502065b29ff4 of pod ${POD[1]} reached its memory limit of 96 MiB`)
    expect(prose(t)).toContain('The victim itself asked for a page (GFP_KERNEL) that could not be had.')
    expect(t.text()).toMatch(/container "502065b29ff4" +96M +max +96M +100% +< OOM/)
    expect(t.text()).toMatch(/anon +━{20,}╸? +95M/)
    // The kernel's log says 26168 pages for the victim and 4578 for the next one: the bars are in that proportion.
    const bars = [/6168 python3.* 26168 (━+)/, /6212 worker-3.* 4578 (━+)/].map((row) => row.exec(t.text())?.[1]?.length ?? 0)
    expect((bars[1] ?? 0) / (bars[0] ?? 1)).toBeCloseTo(4578 / 26168, 1)
    expect(t.lines().filter((line) => line.includes('KILLED'))).toHaveLength(1)
    expect(t.text()).toMatch(/used .*[⠀-⣿]{10}.* 27M -> 96M/)
  })

  it('keeps the verdict, the limit, the victim and the last seconds at 80x24', async () => {
    const t = await openSecond({ cols: 80, rows: 24 })
    t.picture('case-80x24')
    expect(prose(t)).toContain('filled with 95.3 MiB anonymous and 0 B file memory')
    expect(t.text()).toMatch(/container "502065b29ff4" +96M +max +96M +100% +< OOM/)
    expect(t.text()).toMatch(/6168 python3 +102M +0 +26168 ━+ KILLED/)
    expect(t.text()).toContain('and 3 more: tab shows them')
    expect(t.text()).toContain('27M -> 96M')
  })

  it('shows its evidence in full behind tab, and scrolls it', async () => {
    const t = await openSecond({ cols: 80, rows: 24 })
    t.keys('\t')
    await t.see('2026-11-21T04:18:17.379Z  container-limit  (certain)')
    expect(t.text()).toMatch(/^ {2}limit {7}96 MiB, used 96 MiB, *$/m)
    t.keys('G')
    await t.see('what the limit was filled with [kernel log, at the decision]')
    t.keys('\t')
    await t.see('chain of limits')
  })

  it('is copied as text by the terminal (OSC 52)', async () => {
    const t = await openSecond()
    const copied = new Promise<string>((resolve) => t.term.parser.registerOscHandler(52, (data) => { resolve(Buffer.from(data.replace(/^c;/, ''), 'base64').toString()); return true }))
    t.keys('y')
    await t.see(/\d+ lines copied/)
    expect(await copied).toMatch(/^2026-11-21T04:18:17\.379Z {2}container-limit {2}\(certain\)\n {2}Container 502065b29ff4[^]*at the decision\]\n$/)
  })

  it('is written as Markdown and JSON where the person stands, and never over a file that is there', async () => {
    const directory = fresh()
    const t = await openSecond({ cwd: directory })
    t.keys('E')
    await t.see('written: ')
    expect(readdirSync(directory).sort()).toEqual(['oomscope-kill-20261121T041817-6168.json', 'oomscope-kill-20261121T041817-6168.md'])
    const json = JSON.parse(readFileSync(`${directory}/oomscope-kill-20261121T041817-6168.json`, 'utf8')) as Record<string, unknown>
    expect(json).toMatchObject({ cause: 'container-limit', limit: { limitBytes: 96 * 2 ** 20 }, victims: [{ pid: 6168, comm: 'python3', points: 26168 }] })
    expect(readFileSync(`${directory}/oomscope-kill-20261121T041817-6168.md`, 'utf8')).toMatch(/^# OOM kill of python3 6168 in pod [^]*\| 6168 \| python3 \|/)
    t.keys('E')
    await t.see('not written: file exists')
  })
})

describe('the page of a workload', () => {
  it.each([[120, 40], [80, 24]])('shows its minutes, its limits and what it means at %ix%i', async (cols, rows) => {
    const t = await start({ cols, rows })
    t.keys('b04:18:18\r')
    await t.until((x) => x.lines().some((line) => line.startsWith('!!pod 7d9f8b6c')), 'the pod')
    t.keys('\r')
    await t.see('what this means')
    t.picture(`pod-${cols}x${rows}`)
    expect(t.lines()[3]).toContain(`pod ${POD[1]}  burstable · 1 container · limit 96M`)
    expect(t.text()).toContain('memory used, 15 s · max 96M')
    expect(t.text()).toMatch(/anon +━+╸?·* +\d\.\dM/)
    expect(t.text()).toMatch(/>(?:container ")?502065b29ff4"? +\d\.\dM +96M +7%/)
    expect(t.text()).toMatch(/node +1\.\d\dG +23\.5G +8%/)
    expect(t.text().replace(/[│\s]+/g, ' ')).toContain('the kernel killed python3 (pid 6168')
    t.keys('h')
    await t.see('REPLAY 04:18:16.9')
    t.keys('\x1b')
    await t.see('USED/LIMIT')
  })
})

describe('any terminal', () => {
  it('paints without colour under NO_COLOR, and in 7 bits with --ascii', async () => {
    const t = await atEnd({ env: { NO_COLOR: '1' }, args: ['--ascii'] })
    t.picture('overview-ascii-120x40')
    for (let y = 0; y < 40; y++) for (let x = 0; x < 120; x++) expect(t.cell(x, y)).toMatchObject({ fgMode: 0, bgMode: 0 })
    expect([...t.raw].filter((char) => char.charCodeAt(0) > 0x7e)).toEqual([])
    expect(t.cell(10, 4).inverse).toBe(true)
  })

  it.each([['linux', 16], ['screen', 16], ['vt100', 0], ['xterm', 256], ['tmux-256color', 256]] as const)('paints the same on TERM=%s with LANG=C, in at most %i colours', async (term, colours) => {
    const t = await atEnd({ term, env: { LANG: 'C', LC_ALL: 'C' } })
    t.picture(`overview-${term}`)
    expect(t.text()).toMatch(/!!pod 86c42f1a-\S+ ━+╸?·+┃ +12M\/48M/)
    expect(t.text()).not.toMatch(/Error on|lqqk|\?\?\?/)
    if (colours < 256) expect(t.raw).not.toMatch(/\x1b\[[\d;]*[34]8;5;/)
    if (colours === 0) expect(t.raw).not.toMatch(/\x1b\[(?:\d+;)*(?:3[0-7]|4[0-7]|9[0-7]|10[0-7])m/)
    if (colours > 0) expect(t.cell(1, 0).bgMode).not.toBe(0)
    t.keys('q')
    expect(await t.ended()).toBe(0)
    expect(t.modes()).toEqual(SHELL_MODES)
  })

  it('follows the size of the window, down to one line that says what is needed', async () => {
    const t = await atEnd()
    t.resize(80, 24)
    await t.until((x) => x.lines()[23]?.includes('enter open') === true, 'keys in the last row of 24')
    t.resize(30, 6)
    await t.see('needs 50x10, has 30x6')
    t.resize(200, 50)
    await t.until((x) => x.lines()[49]?.includes('q quit') === true, 'keys in the last row of 50')
    expect(t.text()).toContain(`pod ${POD[0]} `)
  })

  it.each([['', 'TERM is not set'], ['dumb', 'TERM is dumb']])('is refused with two lines and exit code 3 when TERM is %j', async (term, why) => {
    tui = new Tui('sh', ['-c', `${term === '' ? 'unset TERM' : 'TERM=dumb'}; exec node "$CLI" replay "$DEMO"`], { cols: 120, env: { CLI, DEMO } })
    expect(await tui.ended()).toBe(3)
    expect(tui.lines().filter((line) => line !== '')).toEqual([`oomscope: cannot show the recording on the screen: ${why}`, 'hint: set TERM, for example TERM=xterm-256color, or use `oomscope kills FILE`'])
    expect(tui.raw).not.toContain('\x1b[?1049h')
  })

  it('is one plain text into a pipe, and refused without a keyboard', async () => {
    tui = new Tui('sh', ['-c', 'node "$CLI" replay "$DEMO" | cat; node "$CLI" replay "$DEMO" </dev/null; echo "code $?"'], { cols: 120, env: { CLI, DEMO } })
    await tui.see('code 3')
    expect(tui.text()).toMatch(/04:18:13 container-limit pod 1f0c2a3e[^]*stdin is not a terminal\nhint: use `oomscope kills FILE`/)
    expect(tui.raw).not.toContain('\x1b[')
  })
})

describe('the terminal is given back', () => {
  it.each([['SIGTERM', 143], ['SIGINT', 130], ['SIGHUP', 129]])('after %s with exit code %i', async (signal, code) => {
    const t = await start()
    t.signal(signal)
    expect(await t.ended()).toBe(code)
    expect(t.modes()).toEqual(SHELL_MODES)
  })

  it.each([['q', 'q'], ['ctrl-C', '\x03']])('after %s with exit code 0', async (_, key) => {
    const t = await start()
    t.keys(key)
    expect(await t.ended()).toBe(0)
    expect(t.modes()).toEqual(SHELL_MODES)
  })

  it('by the launcher even after SIGKILL', async () => {
    tui = new Tui('sh', ['-c', 'sh dist/cli/oomscope.sh replay test/fixtures/recordings/three-kills-v1.oom; echo "code $?"; stty -a | tr " " "\\n" | grep -xE "[-]?(icanon|echo)" | tr "\\n" " "'], { cwd: ROOT, cols: 120, rows: 40 })
    const t = tui
    await t.see('3 kills in this recording')
    process.kill(t.childNamed('node'), 'SIGKILL')
    await t.see('code 137')
    await t.ended()
    expect(t.modes()).toEqual(SHELL_MODES)
    expect(t.text()).toMatch(/oomscope was ended by signal 9\ncode 137\n(icanon echo|echo icanon)/)
  })
})

describe('what was chosen', () => {
  const CONFIG = (home: string): Record<string, unknown> => JSON.parse(readFileSync(`${home}/oomscope/settings.json`, 'utf8')) as Record<string, unknown>

  it('is there again the next time: columns, order and theme', async () => {
    const home = fresh(), env = { XDG_CONFIG_HOME: home }
    const t = await atEnd({ env })
    t.keys('C')
    await t.see('columns: space shows or hides')
    t.keys('jjjjjjj jj \r')
    await t.gone('columns: space')
    await t.gone('FULL%')
    t.keys('>>>')
    await t.until((x) => x.lines()[3]?.includes('USEDv') === true, 'sorted by used')
    expect(t.cell(1, 0)).toMatchObject({ bg: 237 })
    t.keys('x')
    await t.until((x) => x.cell(1, 0).bg === 252, 'the light theme')
    t.keys('q')
    expect(await t.ended()).toBe(0)
    expect(CONFIG(home)).toEqual({ hiddenColumns: ['full', 'high'], sort: { key: 'used', inverted: false }, theme: 'light' })
    const again = await atEnd({ env })
    expect(again.lines()[3]).toMatch(/USEDv.*STALL/)
    expect(again.text()).not.toMatch(/FULL%|HIGH\/s/)
    expect(again.cell(1, 0).bg).toBe(252)
    again.keys('C*\r')
    await again.see('FULL%')
    again.kill()
  })

  it('is kept nowhere with --no-settings, and a broken file is told about and left as it is', async () => {
    const home = fresh(), env = { XDG_CONFIG_HOME: home }
    const t = await atEnd({ env, args: ['--no-settings'] })
    t.keys('x')
    await t.until((x) => x.cell(1, 0).bg === 252, 'the light theme')
    expect(readdirSync(home)).toEqual([])
    t.kill()
    mkdirSync(`${home}/oomscope`)
    writeFileSync(`${home}/oomscope/settings.json`, '{"theme": ')
    const broken = new Tui('node', [CLI, 'replay', DEMO], { cols: 120, rows: 40, env })
    await broken.see('settings.json is ignored: it is not JSON; mend or remove it')
    broken.keys('x')
    await broken.until((x) => x.cell(1, 0).bg === 252, 'the light theme')
    expect(readFileSync(`${home}/oomscope/settings.json`, 'utf8')).toBe('{"theme": ')
    broken.kill()
  })

  it('with --keys below, j and J ask for a time, h helps, and what is typed stays what it is', async () => {
    const t = await start({ args: ['--keys', 'below'] })
    t.keys('b04:18:16\r')
    await t.see('REPLAY 04:18:15.9')
    t.keys('j2s\r')
    await t.see(/REPLAY 04:18:17\.\d/)
    t.keys('J3s\r')
    await t.see(/REPLAY 04:18:14\.\d/)
    t.keys('h')
    await t.see('up down  ^N ^P')
    t.keys('h')
    await t.see('USED/LIMIT')
    t.keys('/jhf')
    await t.see('0 of ')
    t.keys('\x1b')
    await t.gone('0 of ')
  })

  it.each([['light', 252], ['16', 4]] as const)('--theme %s paints in its own colours', async (theme, bar) => {
    const t = await atEnd({ args: ['--theme', theme] })
    expect(t.cell(1, 0).bg).toBe(bar)
    const colours = new Set(t.lines().flatMap((_, y) => Array.from({ length: 120 }, (__, x) => t.cell(x, y)).flatMap(({ fg, bg, fgMode, bgMode }) => [fgMode === 0 ? -1 : fg, bgMode === 0 ? -1 : bg])))
    if (theme === '16') for (const colour of colours) expect(colour).toBeLessThan(16)
    t.picture(`overview-${theme}`)
  })
})

describe('a recording that nobody can wait for', () => {
  /** Its first and its last half minute are like any other's; between them lie zeros that no test lives to see read, and that no disk holds. */
  function endless(): string {
    const path = `${fresh()}/endless.oom`, frames = streamFrames({ seconds: 60 }), file = openSync(path, 'w'), end = Buffer.concat(frames.slice(30))
    writeSync(file, Buffer.concat(frames.slice(0, 30)))
    writeSync(file, end, 0, end.length, 4 * 2 ** 40)
    closeSync(file)
    return path
  }

  it('is on the screen all the same, says how far it has come and where a jump goes, and is left by q', async () => {
    const t = tui = new Tui('node', [CLI, 'replay', endless()], { cols: 120, rows: 40 })
    await t.see('0 kills in this recording, 0% looked through')
    await t.see('group-2')
    t.keys('b12:00:50\r')
    await t.see('GOING TO 12:00:50')
    t.keys('q')
    expect(await t.ended()).toBe(0)
    expect(t.modes()).toEqual(SHELL_MODES)
  })

  it('does not keep the word about a wrong --at waiting', async () => {
    const t = tui = new Tui('node', [CLI, 'replay', endless(), '--at', 'noon'], { cols: 120 })
    await t.see("cannot understand --at 'noon': not a time")
    expect(await t.ended()).toBe(2)
  })

  it.each(['kills', 'spikes', 'recommend', 'replay'])('says how far %s has come, on one line, and ^C ends it without another word', async (command) => {
    const directory = fresh(), t = tui = new Tui('sh', ['-c', 'exec node "$CLI" "$COMMAND" "$ENDLESS" > out'], { cols: 120, cwd: directory, env: { CLI, COMMAND: command, ENDLESS: endless() } })
    await t.see(/oomscope: 0% of \S+endless\.oom read \(ctrl-C ends\)/)
    t.keys('\x03')
    expect(await t.ended()).toBe(130)
    expect(t.text().replaceAll('^C', '').trim()).toBe('')
    expect(readFileSync(`${directory}/out`, 'utf8')).toBe('')
  })

  it('is no log that never comes, either: ^C ends explain, too', async () => {
    const log = `${fresh()}/log`
    execFileSync('mkfifo', [log])
    const t = tui = new Tui('node', [CLI, 'explain', log])
    // Resolves when it has opened the other end.
    const writer = await open(log, 'w')
    t.keys('\x03')
    await t.ended()
    expect(t.exit?.signal).toBe(constants.signals.SIGINT)
    await writer.close()
  })
})
