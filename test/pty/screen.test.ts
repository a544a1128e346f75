/** What a person sees and presses, in a real terminal over an invented node. */
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { buildAppUnderTest, selectedRow, SHELL_MODES, Tui } from '../helpers/pty.ts'
import type { TuiOptions } from '../helpers/pty.ts'

let app: string
let tui: Tui | undefined
beforeAll(() => { app = buildAppUnderTest() })
afterEach(({ task }) => { tui?.picture(`screen ${task.name}`); tui?.kill(); tui = undefined })

/** Starts the screen and waits for its first frame. `test` chooses the node (see app-under-test.ts). */
async function start(test = '', options: TuiOptions = {}): Promise<Tui> {
  tui = new Tui('node', [app], { ...options, env: { OOMSCOPE_TEST: test, ...options.env } })
  await tui.until((t) => t.frames >= 1, 'the first frame')
  return tui
}

describe('the overview', () => {
  it('starts with the most urgent pod first, its numbers, the alert and the status', async () => {
    const t = await start()
    expect(t.modes()).toMatchObject({ alternate: true, cursorHidden: true, mouse: 'none' })
    expect(t.lines()[0]).toMatch(/oomscope {2}worker-3 · 71% used · PSI 12\.4\/4\.1 · OOM kills 4\/h +● LIVE 14:03:27/)
    expect(t.lines()[1]).toMatch(/^!! payments\/api-.* is ~4s from its container limit of 1\.00G/)
    expect(t.lines()[3]).toMatch(/^!!payments\/api-.*998M\/1\.00G +731M +61\.2 +812 +2/)
    expect(selectedRow(t)).toContain('payments/api')
    expect(t.lines()[23]).toContain('? help')
  })

  it('moves the selection with every movement key', async () => {
    const t = await start()
    t.keys('jj')
    await t.until(() => selectedRow(t).includes('search/indexer'), 'third row selected')
    t.keys('k')
    await t.until(() => selectedRow(t).includes('batch/etl'), 'second row selected')
    t.keys('G')
    await t.until(() => selectedRow(t).includes('vvs7m'), 'last row selected')
    t.keys('\x1b[A')
    await t.until(() => selectedRow(t).includes('kube-system/cilium'), 'last but one selected')
    t.keys('\x1b[H')
    await t.until(() => selectedRow(t).includes('payments/api'), 'first row selected')
  })

  it('keeps the selection on the pod, not on the row, when the order changes', async () => {
    const t = await start('', { cols: 120, rows: 40 })
    t.keys('jj')
    await t.until(() => selectedRow(t).includes('search/indexer'), 'indexer selected')
    t.keys('>')
    await t.until(() => t.lines()[2]?.includes('WORKLOADv') === true, 'sorted by name')
    expect(selectedRow(t)).toContain('search/indexer')
    expect(t.lines()[3]).toContain('argo/controller-0')
    t.keys('I')
    await t.until(() => t.lines()[2]?.includes('WORKLOAD^') === true, 'reversed')
    expect(selectedRow(t)).toContain('search/indexer')
  })

  it('gives the selection to the neighbour when the selected pod is gone', async () => {
    const t = await start('vanish', { env: { OOMSCOPE_TEST_POD: 'etl-nightly-0' } })
    t.keys('j')
    await t.until(() => selectedRow(t).includes('batch/etl'), 'second row selected')
    t.signal('SIGUSR2')
    await t.gone('!!batch/etl')
    expect(selectedRow(t)).toContain('search/indexer')
  })

  it('follows a workload beyond its death: to the next pod of the same owner, on its page, too', async () => {
    const t = await start('replace', { cols: 120, rows: 40, env: { OOMSCOPE_TEST_POD: 'indexer-5c7b9d-kk8wz', OOMSCOPE_TEST_HEIR: 'search/indexer-5c7b9d-zz7wq' } })
    t.keys('jjF')
    await t.see('F follows search/indexer-5c7b9d-kk8wz')
    t.keys('\r')
    // Its page: its name stands on the overview, too.
    await t.see(/search\/indexer-5c7b9d-kk8wz  [^]*what this means/)
    t.signal('SIGUSR2')
    await t.see('It is gone: its cgroups were removed. The next one will be shown.')
    t.keys('\x1b')
    await t.see('F waits for the next search/indexer')
    t.signal('SIGUSR2')
    await t.see('search/indexer-5c7b9d-zz7wq has come in its place')
    expect(selectedRow(t)).toContain('search/indexer-5c7b9d-zz7wq')
    t.keys('F')
    await t.see('no longer following search/indexer-5c7b9d-zz7wq')
    t.keys('k')
    await t.until(() => !selectedRow(t).includes('zz7wq'), 'the selection moves freely')
  })

  it('sorts by the column chosen in the menu', async () => {
    const t = await start()
    t.keys('s')
    await t.see('sort by')
    t.keys('jjj\r')
    await t.gone('sort by')
    await t.until(() => t.lines()[2]?.includes('USEDv') === true, 'sorted by used')
    expect(t.lines()[3]).toContain('ml/embedder-0')
  })

  it('loses nothing that is typed ahead: filter, accept and move in one chunk', async () => {
    const t = await start()
    t.keys('/^web/\rj')
    await t.see('3 of 22')
    await t.until(() => selectedRow(t).includes('web/frontend-86c4-9qqtz'), 'second match selected')
    expect(t.text()).not.toContain('kafka')
    t.keys('\x1b')
    await t.see('kafka/broker-1')
  })

  it('edits the filter like a shell line and inverts it with !', async () => {
    const t = await start()
    t.keys('/xweb')
    await t.see('0 of 22')
    t.keys('\x01\x1b[3~')
    await t.see('3 of 22')
    t.keys('\x01!')
    await t.see('19 of 22')
    t.keys('\x15')
    await t.see('3 of 22')
    t.keys('\x1b')
    await t.gone('3 of 22')
  })

  it('holds the picture on space, says how far behind it is, and goes on', async () => {
    const t = await start('moving')
    t.keys(' ')
    await t.see(/PAUSED \d\d:\d\d:\d\d \(\S+ behind\)/)
    const held = /PAUSED (\S+)/.exec(t.text())?.[1]
    await t.see(/PAUSED \S+ \((?![0-2]s )\S+ behind\)/)
    expect(/PAUSED (\S+)/.exec(t.text())?.[1]).toBe(held)
    t.keys(' ')
    await t.see('● LIVE')
  })
})

describe('the other pages', () => {
  it('lists the kills, newest first, opens one as a page of text, steps through them and comes back', async () => {
    const t = await start()
    t.keys('K')
    await t.see('VICTIM')
    expect(t.lines().slice(3, 7).map((line) => line.slice(1, 9))).toEqual(['14:01:12', '13:38:27', '13:33:27', '13:08:27'])
    expect(t.text().replace(/\s+/g, ' ')).toContain('Container etl of pod batch/etl-nightly-0 reached its memory limit of 2 GiB')
    t.keys('j\r')
    await t.see('KILL 3 of 4   13:38:27')
    await t.see('CONTAINER LIMIT. Container api of pod payments/api-7d9f8b6c5-x2lqp')
    t.keys('[')
    await t.see('KILL 2 of 4')
    t.keys(']]')
    await t.see('KILL 4 of 4')
    t.keys('\t')
    await t.see('container-limit  (likely)')
    t.keys('G')
    await t.see('out_of_memory()')
    t.keys('\x1b')
    await t.see('VICTIM')
    t.keys('\x1b')
    await t.see('USED/LIMIT')
  })

  it('opens the newest kill from the overview with ]', async () => {
    const t = await start()
    t.keys(']')
    await t.see('KILL 4 of 4')
    t.keys('\x1b')
    await t.see('USED/LIMIT')
  })

  it('opens a workload: why it is urgent, its limits, and its minutes as charts', async () => {
    const t = await start()
    t.keys('\r')
    await t.see('payments/api-7d9f8b6c5-x2lqp  guaranteed · 1 container · limit 1.00G')
    expect(t.text()).toContain('Is ~4s from its container limit of 1.00G (+6.6M/s).')
    expect(t.text()).toContain('kubectl top would say 731M')
    expect(t.text()).toMatch(/>api +998M +922M +1\.00G +97%/)
    expect(t.text()).toMatch(/stall ms\/s[^]* 812 [⠀-⣿]{30}/)
    t.keys('\x7f')
    await t.see('USED/LIMIT')
  })

  it('shows only keys that work here, live and in replay', async () => {
    const t = await start()
    t.keys('?')
    await t.see('hold the picture; recording and counting go on')
    expect(t.text()).not.toContain('play faster')
    t.keys('?')
    await t.see('USED/LIMIT')
    t.kill()
    const r = await start('replay')
    r.keys('?')
    await r.see('play faster, slower')
  })

  it('draws charts with blessed-contrib, in the new size after a resize, and removes them', async () => {
    const t = await start('', { cols: 100, rows: 30 })
    t.keys('D')
    await t.see('memory used (GiB)')
    t.resize(140, 45)
    await t.until((x) => x.lines().some((line) => line.includes('memory used (GiB)') && line.trimEnd().length === 140), 'the chart is as wide as the screen')
    t.keys('\x1b')
    await t.gone('memory used (GiB)')
    await t.see('USED/LIMIT')
  })

  it('pauses, changes speed, and replays the moment of a kill in replay', async () => {
    const t = await start('replay')
    await t.see('◄ REPLAY 14:03:27')
    t.keys('+')
    await t.see('◄ REPLAY 14:03:27 2x')
    t.keys('--')
    await t.see('0.5x')
    t.keys('[')
    await t.see('◄ REPLAY 14:01:12.0 PAUSED')
    await t.see('KILL 4 of 4   14:01:12   python3 (pid 48213) killed   batch/etl-nightly-0')
    expect(selectedRow(t)).toContain('batch/etl')
    t.keys(' ')
    await t.see('◄ REPLAY 14:01:12')
  })
})

describe('any terminal', () => {
  it('lays itself out again after a resize and says what it needs when it is too small', async () => {
    const t = await start('', { cols: 120, rows: 40 })
    await t.see('why it is first')
    expect(t.lines()[39]).toContain('q quit')
    t.resize(49, 10)
    await t.see('needs 50x10, has 49x10')
    t.resize(50, 10)
    await t.see('USED/LIMIT')
    expect(t.lines()[9]).toContain('enter open')
    t.resize(80, 24)
    await t.until((x) => x.lines()[23]?.includes('? help') === true, 'key bar in the last row')
    t.keys('q')
    expect(await t.ended()).toBe(0)
  })

  it('quits from a terminal that is too small', async () => {
    const t = await start('', { cols: 20, rows: 5 })
    await t.see(/needs 50x10, has\s+20x5/)
    t.keys('q')
    expect(await t.ended()).toBe(0)
  })

  it('uses no colour with NO_COLOR and still shows the selection', async () => {
    const t = await start('', { env: { NO_COLOR: '1' } })
    for (let y = 0; y < 24; y++) for (let x = 0; x < 80; x++) expect(t.cell(x, y)).toMatchObject({ fgMode: 0, bgMode: 0 })
    expect(t.cell(10, 3).inverse).toBe(true)
    expect(t.raw).not.toMatch(/\x1b\[[\d;]*[34]8;5;/)
  })

  it('writes 7-bit characters only with --ascii', async () => {
    const t = await start('ascii', { cols: 120, rows: 40 })
    expect([...t.raw].filter((char) => char.charCodeAt(0) > 0x7e)).toEqual([])
    expect(t.text()).toContain('+- payments/api-7d9f8b6c5-x2lqp . why it is first')
  })

  it.each(['screen-256color', 'alacritty', 'linux', 'xterm-kitty'])('looks the same with TERM=%s and without LANG', async (term) => {
    const t = await start('', { term, env: { LANG: '', LC_ALL: '' } })
    expect(t.text()).toContain('━━━━')
    expect(t.text()).not.toMatch(/Error on|lqqk/)
  })

  it('names what is lost or weak, and a source that has ended', async () => {
    const t = await start('loss,fault', { cols: 120, rows: 40 })
    expect(t.lines()[1]).toContain('The bridge ended with exit code 1')
    expect(t.lines()[2]).toContain('1.2k facts lost at bpftrace (perf buffer full) · kill decision: refused')
  })

  it('shows an empty node without a word that is not true', async () => {
    const t = await start('empty')
    await t.see('No cgroups seen yet.')
    t.keys('K')
    await t.see('No kill seen so far.')
    t.keys(']jk\rq')
    expect(await t.ended()).toBe(0)
  })

  it('lets no name out of its cell: no title, no clearing, no colour, no tag, no shifted column', async () => {
    const t = await start('hostile', { cols: 120, rows: 40 })
    const titles: string[] = []
    t.term.onTitleChange((title) => titles.push(title))
    await t.see('evil/')
    t.keys('K')
    await t.see('VICTIM')
    expect(t.text()).toContain('?[31mx?2J')
    t.keys('\x1b')
    await t.see('USED/LIMIT')
    expect(t.raw).not.toContain('\x1b]0;')
    expect(t.raw).not.toContain('\u009b')
    expect(t.raw).not.toContain('\u202e')
    expect(t.raw).not.toContain('\x1b[31mred')
    expect(titles).toEqual([])
    expect(t.text()).toContain('evil/?]0;owned??[2J?31mred{bold}tag{/bold}'.slice(0, 20))
    const column = t.lines()[2]?.indexOf('USED/LIMIT') ?? -1
    for (const line of t.lines().slice(3, 8)) expect(line.charAt(column + 4)).toBe('/')
  })
})

describe('the terminal is given back', () => {
  it.each([['q', 0], ['\x03', 0]])('on the key %j with exit code %i', async (key, code) => {
    const t = await start('say-quit')
    t.keys(key)
    expect(await t.ended()).toBe(code)
    expect(t.modes()).toEqual(SHELL_MODES)
    expect(t.text()).toContain('quit called')
  })

  it.each([['SIGTERM', 143], ['SIGINT', 130], ['SIGHUP', 129], ['SIGQUIT', 131]])('on %s with exit code %i', async (signal, code) => {
    const t = await start('say-quit')
    t.signal(signal)
    expect(await t.ended()).toBe(code)
    expect(t.modes()).toEqual(SHELL_MODES)
    expect(t.text()).toContain('quit called')
  })

  it.each([['throw', 'a bug of the test'], ['reject', 'a rejection of the test']])('before the error is printed when something %ss, the mouse with it', async (how, message) => {
    const t = await start(`${how},mouse`)
    expect(t.modes().mouse).toBe('vt200')
    t.signal('SIGUSR2')
    expect(await t.ended()).toBe(70)
    expect(t.modes()).toEqual(SHELL_MODES)
    expect(t.text()).toContain(`bug: Error: ${message}`)
  })

  it('and taken again by fg after ^Z', async () => {
    tui = new Tui('bash', ['--norc', '--noprofile', '-i'], { env: { OOMSCOPE_TEST: 'mouse', PS1: 'shell> ', APP: app } })
    await tui.see('shell> ')
    tui.keys('node $APP\r')
    await tui.see('USED/LIMIT')
    tui.keys('\x1a')
    await tui.see('Stopped')
    expect(tui.modes()).toMatchObject({ alternate: false, cursorHidden: false, mouse: 'none' })
    tui.keys('fg\r')
    await tui.until((t) => t.modes().alternate && t.modes().mouse === 'vt200' && t.text().includes('USED/LIMIT'), 'the screen and the mouse again')
    tui.keys('q')
    await tui.until((t) => !t.modes().alternate && /shell> $/.test(t.text().trimEnd() + ' '), 'the shell again')
  })

  it('and taken again in the size it has by then: a terminal tells it only to who runs in front', async () => {
    tui = new Tui('bash', ['--norc', '--noprofile', '-i'], { env: { PS1: 'shell> ', APP: app } })
    await tui.see('shell> ')
    tui.keys('node $APP\r')
    await tui.see('USED/LIMIT')
    tui.keys('\x1a')
    await tui.see('Stopped')
    tui.resize(110, 30)
    tui.keys('fg\r')
    await tui.until((t) => t.modes().alternate && t.lines()[29]?.includes('? help') === true && t.lines()[0]?.trimEnd().length === 109, 'the whole of the larger terminal')
  })

  it('and taken again at once after a ^Z that stops nobody: where no shell waits (kubectl exec), the kernel ignores it', async () => {
    const t = await start('mouse')
    t.keys('\x1a')
    await t.until((x) => x.raw.includes('\x1b[?1049l') && x.modes().alternate && x.modes().mouse === 'vt200' && x.text().includes('USED/LIMIT'), 'the screen again')
    t.keys('j')
    await t.until(() => selectedRow(t).includes('batch/etl'), 'second row selected')
  })

  it.each(['', 'dumb'])('and never taken with TERM=%j: two lines and exit code 3', async (term) => {
    tui = new Tui('sh', ['-c', term === '' ? 'unset TERM; exec node "$APP"' : 'exec node "$APP"'], { term: term || 'xterm', env: { APP: app } })
    expect(await tui.ended()).toBe(3)
    expect(tui.text().replaceAll('\n', '')).toContain(`cannot show the screen: TERM is ${term || 'not set'}hint: `)
    expect(tui.raw).not.toContain('\x1b[?1049h')
  })

  it('and never taken when stdout is a pipe', async () => {
    tui = new Tui('sh', ['-c', 'node "$APP" | cat; echo over'], { env: { APP: app } })
    await tui.see('over')
    expect(tui.text()).toContain('stdin or stdout is not a terminal')
  })
})
