/** The mouse, in the real program: what a click and the wheel do, that the terminal gets it back, and that keys typed between are not lost. */
import { readFileSync } from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import { CLI } from '../helpers/cli.ts'
import { fakeBridge } from '../helpers/fake-live.ts'
import { freshDirectories } from '../helpers/files.ts'
import { ROOT, selectedRow, SHELL_MODES, Tui } from '../helpers/pty.ts'
import type { TuiOptions } from '../helpers/pty.ts'

const DEMO = `${ROOT}test/fixtures/recordings/three-kills-v1.oom`
const fresh = freshDirectories()
let tui: Tui | undefined
afterEach(({ task }) => { tui?.picture(`mouse ${task.name}`); tui?.kill(); tui = undefined })

async function atEnd(options: TuiOptions & { readonly args?: readonly string[] } = {}): Promise<Tui> {
  const { args = [], ...rest } = options
  tui = new Tui('node', [CLI, 'replay', DEMO, '--at', '04:18:24', ...args], { cols: 120, rows: 40, ...rest })
  await tui.until((t) => t.text().includes('REPLAY END 04:18:24') && t.text().includes('1f0c2a3e') && t.text().includes('3 kills in this recording') === ((rest.cols ?? 120) > 100), 'the end of the recording')
  return tui
}

/** As a terminal reports it: the press and the release of the first button, counted from 1. */
const click = (t: Tui, x: number, y: number): void => t.keys(`\x1b[<0;${x + 1};${y + 1}M\x1b[<0;${x + 1};${y + 1}m`)
const wheel = (t: Tui, by: 'up' | 'down', times = 1): void => t.keys(`\x1b[<${by === 'up' ? 64 : 65};10;10M`.repeat(times))
const xOf = (t: Tui, y: number, text: string): number => t.lines()[y]?.indexOf(text) ?? -1

describe('the mouse', () => {
  it('selects a row by a click, opens it by a second, and goes back by the key bar', async () => {
    const t = await atEnd(), y = t.rowOf('!!pod 1f0c')
    expect(t.modes().mouse).toBe('vt200')
    click(t, 12, y)
    await t.until(() => selectedRow(t).includes('1f0c2a3e'), 'the clicked row selected')
    click(t, 12, y)
    await t.see('what this means')
    click(t, xOf(t, 39, 'esc back') + 5, 39)
    await t.see('USED/LIMIT')
  })

  it('sorts by the header it is clicked on, and the other way round by a second click', async () => {
    const t = await atEnd()
    click(t, xOf(t, 3, 'USED/LIMIT') + 1, 3)
    await t.until((x) => x.lines()[3]?.includes('USEDv') === true, 'sorted by used')
    click(t, xOf(t, 3, 'USEDv') + 1, 3)
    await t.until((x) => x.lines()[3]?.includes('USED^') === true, 'the other way round')
  })

  it('loses and mistakes no key that comes in one piece with its reports, as over a slow line', async () => {
    const t = await atEnd()
    t.keys('\x1b[<0;1;1m\x1b[B\x1b[<0;1;1m')
    await t.until(() => /^ *!*pod /.test(selectedRow(t)) && !selectedRow(t).includes('86c42f1a'), 'the row below selected')
    expect(t.lines()[0]).toContain('REPLAY END 04:18:24')
    t.keys('/pod\x1b[<0;1;1m\x7f\x7f\x7f')
    await t.until((x) => x.lines().at(-1)?.trimEnd().startsWith(' / ') === true || x.lines().at(-1)?.trimEnd() === ' /', 'an empty filter')
    t.keys('\x1b[<0;1;1m\x03')
    expect(await t.ended()).toBe(0)
  })

  it('moves the selection by the wheel, every notch of it, beyond column 223, too', async () => {
    const t = await atEnd({ cols: 240 })
    wheel(t, 'down')
    await t.until(() => selectedRow(t).includes('7d9f8b6c') || selectedRow(t).includes('1f0c2a3e'), 'another row selected')
    wheel(t, 'up', 3)
    await t.until(() => selectedRow(t).includes('86c42f1a'), 'the first row selected')
    t.keys('?')
    await t.see('Keys')
    const y = t.rowOf('REPLAY END')
    expect(y).toBe(0)
    t.keys('?')
    await t.see('USED/LIMIT')
    click(t, 230, t.rowOf('!!pod 1f0c'))
    await t.until(() => selectedRow(t).includes('1f0c2a3e'), 'the row clicked at column 230 selected')
  })

  it('goes to the moment on the bar that it is clicked on', async () => {
    const t = await atEnd(), x = t.lines()[38]?.indexOf('X') ?? -1
    expect(x).toBeGreaterThan(0)
    click(t, x, 37)
    await t.see(/REPLAY 04:18:1[34]\.\d \(-1[01]s\) PAUSED/)
  })

  it('selects a spike by a click and goes to its moment by a second', async () => {
    const t = await atEnd()
    t.keys('4')
    await t.see('3 spikes in 3 workloads')
    const y = t.rowOf('pod 1f0c')
    click(t, 20, y)
    await t.until(() => selectedRow(t).includes('1f0c2a3e'), 'the clicked spike selected')
    click(t, 20, y)
    await t.until((x) => /REPLAY 04:18:1\d\.\d \(.*PAUSED/.test(x.text()) && selectedRow(x).includes('1f0c2a3e'), 'the overview at its end, its workload selected')
  })

  it('goes to a moment of the live bar, and back to the present by the key bar', async () => {
    tui = new Tui('node', [CLI, 'live', '--no-probes'], { cols: 120, rows: 40, env: fakeBridge(fresh(), [{ frames: [readFileSync(DEMO)] }]).env })
    const t = tui
    await t.until((x) => x.text().includes('LIVE 04:18:24') && x.text().includes('1f0c2a3e'), 'live')
    click(t, 112, 37)
    await t.see(/■ PAUSED 04:18:1\d\.\d \(\d+s behind\)/)
    click(t, xOf(t, 39, 'end live') + 1, 39)
    await t.see('● LIVE 04:18:24')
  })

  it('chooses from menus, and a click beside one closes it', async () => {
    const t = await atEnd()
    t.keys('s')
    await t.see('sort by')
    click(t, 40, t.rowOf('highest usage sampled'))
    await t.gone('sort by')
    await t.until((x) => x.lines()[3]?.includes('PEAKv') === true, 'sorted by the peak')
    t.keys('C')
    await t.see('columns: space')
    click(t, 40, t.rowOf('[x] FULL%'))
    await t.see('[ ] FULL%')
    click(t, 2, 2)
    await t.gone('columns: space')
    expect(t.lines()[3]).not.toContain('FULL%')
  })

  it('is given to the terminal by m and taken again, and with --no-mouse never taken', async () => {
    const t = await atEnd()
    t.keys('m')
    await t.until((x) => x.modes().mouse === 'none', 'the mouse is free')
    await t.see('mouse off: the terminal selects text again')
    t.keys('m')
    await t.until((x) => x.modes().mouse === 'vt200', 'the mouse is taken')
    t.kill()
    const without = await atEnd({ args: ['--no-mouse'] })
    expect(without.modes().mouse).toBe('none')
    expect(without.raw).not.toContain('?1000h')
  })

  it('loses no key that comes with it', async () => {
    const t = await atEnd(), y = t.rowOf('!!pod 1f0c')
    t.keys(`\x1b[<0;13;${y + 1}M\x1b[<0;13;${y + 1}mK`)
    await t.see('VICTIM')
    expect(t.text()).toContain('04:18:13')
  })

  it.each([['q', 'q', 0], ['ctrl-C', '\x03', 0], ['SIGTERM', undefined, 143], ['SIGHUP', undefined, 129]] as const)('is given back on %s', async (name, key, code) => {
    const t = await atEnd()
    if (key === undefined) t.signal(name)
    else t.keys(key)
    expect(await t.ended()).toBe(code)
    expect(t.modes()).toEqual(SHELL_MODES)
  })
})
