/** The whole picture as cells, without a terminal: every page at every size, and when a frame is drawn at all. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Playback } from '../../../src/tui/app.ts'
import { Grid, SELECTED, STYLE } from '../../../src/tui/grid.ts'
import type { CommandPage } from '../../../src/tui/paint-command.ts'
import { paintTimeline } from '../../../src/tui/paint-panes.ts'
import { openCells } from '../../../src/tui/pane-cells.ts'
import { paint } from '../../../src/tui/paint.ts'
import type { Show } from '../../../src/tui/paint.ts'
import { sceneOf } from '../../../src/tui/scene.ts'
import { Session } from '../../../src/tui/session.ts'
import { TOGGLE, type Stage } from '../../../src/tui/stage.ts'
import type { Terminal } from '../../../src/tui/terminal.ts'
import { START } from '../../../src/tui/ui.ts'
import type { Page, Ui } from '../../../src/tui/ui.ts'
import { Story } from '../../../src/view/story.ts'
import type { NodeModel } from '../../../src/model/node.ts'
import { demoNode, liveOn } from '../../helpers/demo-node.ts'
import { addContainer, addKill, addMemcg, addPod, emptyNode, M, tell, TEST_LENS, WALL_MS } from '../../helpers/node-model.ts'

function show(model: NodeModel, ascii = false): Show {
  return { scene: sceneOf({ lens: TEST_LENS, model, story: new Story(model) }), mode: { text: '● LIVE', style: STYLE.bar }, can: { mode: 'live', speed: false, seek: false, charts: true, save: true }, fault: undefined, ascii }
}
const PAGES: readonly Page[] = ['overview', 'row', 'kills', 'case', 'help', 'charts', 'health', 'stalls', 'node', 'spikes', 'command']

/** A command whose terminal, title and summary all hold these. */
async function commandOf(texts: readonly string[], { isRunning = true } = {}): Promise<CommandPage> {
  const cells = await openCells({ cols: 60, rows: 12 }), [title = ''] = texts
  cells.write(texts.join('\r\n'))
  await vi.waitFor(() => { expect(cells.version).toBe(1) })
  const panel = { share: 0.95, lines: texts.map((text) => ({ label: title, text, tone: 'urgent' as const })), chart: undefined }
  return { title, isRunning, cells, panel, summary: isRunning ? undefined : texts }
}

describe('a picture', () => {
  const demo = show(demoNode({ stalls: true, facts: true })), empty = show(emptyNode())
  it.each(PAGES)('of the page %s fits every size from 1x1 to 220x70', (page) => {
    const uis: readonly Ui[] = [{ ...START, page, selected: demo.scene.rows[3]?.key, kill: demo.scene.kills[1]?.id }, { ...START, page, menu: 4, filter: 'web', prompt: { for: 'filter', line: { text: 'web', cursor: 2 } } }, { ...START, page, tree: true, inFull: true, prompt: { for: 'time', line: { text: '-5m', cursor: 3 } }, message: 'not a time' }, { ...START, page, selected: 'gone', kill: 'gone', scroll: 99, top: 99, index: 99 }]
    for (const [cols, rows] of [[1, 1], [10, 3], [50, 10], [51, 11], [63, 13], [80, 24], [100, 31], [133, 44], [220, 70]] as const) {
      for (const what of [demo, empty]) for (const ui of uis) {
        const { grid } = paint(what, ui, { cols, rows })
        expect(grid.codes).toHaveLength(cols * rows)
        expect(grid.lines().every((line) => line.length <= cols)).toBe(true)
      }
    }
  })
  it('of a workload names its limit whole where the headline is too short for all', () => {
    const model = emptyNode(), { path } = addPod(model, 'payments/a-pod-of-a-long-name-x2lqp', { used: 90 * M, max: 100 * M, container: 'app' }), what = show(model), headline = (cols: number): string | undefined => paint(what, { ...START, page: 'row', selected: what.scene.rows[0]?.key }, { cols, rows: 24 }).grid.lines()[2]
    tell(model, 'workload', 1, { from: 'kubelet', podUid: /pod([0-9a-f-]{36})/.exec(path)?.[1] as string, owner: 'Deployment/a-pod-of-a-long-name', priority: 1000 })
    expect(headline(120)).toMatch(/priority 1000 · guaranteed · 1 container · limit 100M$/)
    expect(headline(80)).toMatch(/x2lqp  guaranteed · 1 container · limit 100M$/)
    expect(headline(50)).toMatch(/  limit 100M$/)
  })
  it('of a workload keeps what its memory consists of before levels without a limit, and how points are made without a line of its own', () => {
    const model = emptyNode(), { id, parentId } = addPod(model, 'a/b', { used: 90 * M, max: 100 * M, container: 'app' }), linesAt = (cols: number, rows: number): string[] => { const what = show(model); return paint(what, { ...START, page: 'row', selected: what.scene.rows[0]?.key }, { cols, rows }).grid.lines() }
    tell(model, 'memcg_stat', model.nowNs, { memcgId: parentId, anonBytes: 40 * M, activeFileBytes: 10 * M, inactiveFileBytes: 20 * M, fileDirtyBytes: 0, slabReclaimableBytes: 2 * M, slabUnreclaimableBytes: M, kernelStackBytes: M })
    tell(model, 'process', model.nowNs, { pid: 11, startNs: 1, memcgId: id, ppid: 1, uid: 0, threads: 1, comm: 'java' })
    tell(model, 'process_memory', model.nowNs, { pid: 11, startNs: 1, anonBytes: 40 * M, fileBytes: 0, shmemBytes: 0, swapBytes: 0, pgtablesBytes: M, oomScoreAdj: 0, readNs: model.nowNs })
    const small = linesAt(80, 24).join('\n'), usual = linesAt(120, 40)
    for (const told of [/anon +━+╸?·* +40M/, /kernel, other +·+ +1\.0M/, /reclaimable ~32M +│/, />(container ")?app"? +90M +100M +90%/]) expect(small).toMatch(told)
    expect(small).not.toMatch(/the pod +90M/)
    expect(usual.join('\n')).toMatch(/the pod +90M +max/)
    expect(usual.join('\n')).toMatch(/COMMAND .*MEMORY +ANON +SHM +FILE +PGTABLES +ADJ +POINTS +READ AGO/)
    expect(usual[usual.findIndex((line) => line.includes('java')) + 1]).toMatch(/^└─ points = rss \+ swap \+ page tables in pages \+ oom_score_adj x 25600 \/ 1000 ─+┘$/)
  })
  it('of the spikes and of a command leave something to click: each row, the bar of time, the way out of the pane', async () => {
    const model = emptyNode(), memcg = addMemcg(model, '/bursts', { used: 100 * M })
    for (const [second, used] of [[0, 100], [0.1, 300], [0.2, 100], [3, 100], [3.1, 400], [3.2, 100], [6, 100]] as const) tell(model, 'memcg_usage', model.nowNs + second * 1e9, { memcgId: memcg.id, currentBytes: used * M })
    const what = show(model), ids = what.scene.spikes().rows.map(({ id }) => id), targets = (page: Page, command?: CommandPage) => paint({ ...what, command }, { ...START, page }, { cols: 120, rows: 40 }).grid.hits.map(({ target }) => target)
    expect(ids).toHaveLength(2)
    expect(targets('spikes').filter(({ what: kind }) => kind === 'item')).toEqual(ids.map((key) => ({ what: 'item', key })))
    expect(targets('spikes')).toContainEqual(expect.objectContaining({ what: 'time' }))
    for (const isRunning of [true, false]) expect(targets('command', await commandOf(['make'], { isRunning }))).toContainEqual({ what: 'pane' })
  })
  it('marks spikes on the bar by more than a colour: full what kubectl top missed, also under one it showed', () => {
    const spikes = [{ tsNs: 10, isMissed: true }, { tsNs: 10, isMissed: false }, { tsNs: 50, isMissed: false }, { tsNs: 70, isMissed: undefined }]
    const barOf = (selectedSpikeNs?: number): string | undefined => {
      const grid = new Grid(100, 3)
      paintTimeline(grid, 0, { startNs: 0, endNs: 100, percent: [], kills: [], triggers: [] }, { timeAt: () => '', spikes, selectedSpikeNs })
      return grid.lines()[2]?.replaceAll(' ', '')
    }
    expect(barOf()).toBe('●○○')
    expect([barOf(10), barOf(50)]).toEqual(['●○○', '●○○'])
  })
  it('has no key in a filter, whatever words were typed there', () => {
    const keysOf = (filter: string): string[] => paint(demo, { ...START, filter }, { cols: 120, rows: 40 }).grid.hits.flatMap(({ target }) => (target.what === 'key' ? [target.key] : []))
    expect(keysOf('web q end')).toEqual(keysOf('web'))
    expect(keysOf('web')).toContain('escape')
  })
  it('says of a pod whose containers have limits of their own how many, and of none that it has none', () => {
    const model = emptyNode(), container = addPod(model, 'shop/two', { used: 40 * M, max: 96 * M, container: 'api' })
    addContainer(model, container, { used: 10 * M, max: 64 * M })
    addPod(model, 'shop/free', { used: 10 * M })
    const lines = paint(show(model), START, { cols: 120, rows: 40 }).grid.lines(), of = (name: string): string | undefined => lines.find((line) => line.slice(0, 32).includes(name))
    expect(of('shop/two')).toContain('2 limits')
    expect(of('shop/free')).toContain('no limit')
  })
  it('says of a pod that it was OOM-killed, not of the container that lives on', () => {
    const model = emptyNode(), api = addPod(model, 'shop/checkout', { used: 40 * M, max: 96 * M, container: 'api' })
    const beside = addContainer(model, api, { used: 63 * M, max: 64 * M })
    addContainer(model, api, { used: M })
    tell(model, 'workload', model.nowNs, { from: 'test', containerId: beside.path.slice(-64), container: 'istio-proxy' })
    addKill(model, api, { secondsAgo: 2 })
    tell(model, 'memcg_death', model.nowNs, { memcgId: api.id, path: api.path })
    const [, alert, , row] = paint(show(model), START, { cols: 120, rows: 40 }).grid.lines()
    expect(row).toContain('shop/checkout')
    expect(alert).toContain('!! shop/checkout was OOM-killed 2s ago')
  })
  it.each([[50, 10], [60, 16], [80, 24]] as const)('at %ix%i has on every page the key that explains the others', (cols, rows) => {
    for (const page of PAGES.filter((candidate) => candidate !== 'command')) expect([page, paint(demo, { ...START, page, selected: demo.scene.rows[0]?.key, kill: demo.scene.kills[0]?.id }, { cols, rows }).grid.lines().at(-1)]).toEqual([page, expect.stringContaining('? help')])
  })
  it('says what space does: a recording that is wound plays', () => {
    for (const page of ['overview', 'row', 'kills', 'help', 'charts', 'health', 'stalls', 'node', 'spikes'] as const) {
      const barOf = (can: Show['can']): string | undefined => paint({ ...demo, can }, { ...START, page, selected: demo.scene.rows[0]?.key }, { cols: 160, rows: 40 }).grid.lines().at(-1)
      expect([page, barOf({ ...demo.can, mode: 'replay', seek: true })]).toEqual([page, expect.stringContaining('space play')])
      expect([page, barOf(demo.can)]).toEqual([page, expect.stringContaining('space pause')])
    }
  })
  it('says all of why somebody died under the list of kills at 80x24, and where there is no room for it, that there is more', () => {
    const model = emptyNode(), pod = addPod(model, `${'long-namespace'.repeat(2)}/${'checkout-7d9c5b7f6d-x2x4z'.repeat(5)}`, { used: 96 * M, max: 96 * M })
    addKill(model, pod, { secondsAgo: 2 })
    const what = show(model), sentence = what.scene.kills[0]?.sentence ?? '', textAt = (cols: number, rows: number): string => paint(what, { ...START, page: 'kills' }, { cols, rows }).grid.lines().map((line) => line.trim()).join(' ')
    expect(sentence.length).toBeGreaterThan(3 * 76)
    expect(textAt(80, 24)).toContain(sentence.slice(-40))
    expect(paint(what, { ...START, page: 'kills' }, { cols: 50, rows: 10 }).grid.lines().at(-2)).toMatch(/…\s*$/)
  })
  it('ends no line of a menu in the middle without a sign', () => {
    for (const ui of [{ ...START, menu: 0 }, { ...START, chooser: 0 }]) expect(paint(demo, ui, { cols: 80, rows: 24 }).grid.lines().find((line) => line.includes('memory.current of the level'))).toMatch(/…/)
  })
  it('names on the page of a workload who dies next, where there is room beside the charts', () => {
    const model = emptyNode(), api = addPod(model, 'shop/checkout', { used: 95 * M, max: 96 * M, container: 'api' })
    for (let pid = 1; pid <= 6; pid++) {
      tell(model, 'process', model.nowNs, { pid, startNs: pid, memcgId: api.id, ppid: 1, uid: 0, threads: 1, comm: `task${pid}` })
      tell(model, 'process_memory', model.nowNs, { pid, startNs: pid, anonBytes: pid * M, fileBytes: 0, shmemBytes: 0, swapBytes: 0, pgtablesBytes: 0, oomScoreAdj: 0, readNs: model.nowNs })
    }
    const what = show(model), shownAt = (cols: number, rows: number): string[] => paint(what, { ...START, page: 'row', selected: what.scene.rows[0]?.key }, { cols, rows }).grid.lines().flatMap((line) => /^│ +\d+ (task\d)/.exec(line)?.[1] ?? [])
    expect(shownAt(120, 40)).toEqual(['task6', 'task5', 'task4', 'task3'])
    expect(shownAt(200, 60)).toEqual(['task6', 'task5', 'task4', 'task3', 'task2', 'task1'])
    expect(shownAt(80, 24)).toEqual([])
  })
  it('says on the page of a workload who dies next before what its panes show anyway, also at 80x24', () => {
    const model = emptyNode(), api = addPod(model, 'shop/checkout', { used: 95 * M, max: 96 * M, container: 'api', inactiveFile: M })
    tell(model, 'process', model.nowNs, { pid: 7, startNs: 7, memcgId: api.id, ppid: 1, uid: 0, threads: 1, comm: 'java' })
    tell(model, 'process_memory', model.nowNs, { pid: 7, startNs: 7, anonBytes: 90 * M, fileBytes: 0, shmemBytes: 0, swapBytes: 0, pgtablesBytes: 0, oomScoreAdj: 0, readNs: model.nowNs })
    const what = show(model), text = paint(what, { ...START, page: 'row', selected: what.scene.rows[0]?.key }, { cols: 80, rows: 24 }).grid.lines().join(' ')
    expect(text).toContain('Next victim if this limit were hit now: java (pid 7)')
    expect(text.indexOf('Other levels') < 0 || text.indexOf('Other levels') > text.indexOf('Next victim')).toBe(true)
  })
  it('calls what is opened from the tree by its name, not by a path of ids', () => {
    const model = emptyNode()
    addPod(model, 'shop/checkout', { used: 95 * M, max: 96 * M, container: 'api' })
    addMemcg(model, '/system.slice', { used: M })
    const what = show(model), titles = what.scene.treeRows().map(({ key }) => paint(what, { ...START, page: 'row', tree: true, selected: key }, { cols: 120, rows: 40 }).grid.lines()[2]?.split('  ')[0]?.trim())
    expect(titles).toEqual(expect.arrayContaining(['shop/checkout', 'shop/checkout:api', 'system.slice']))
    expect(titles.filter((title) => title?.includes('0000'))).toEqual([])
  })
  it('finds a workload by its container and by a command in it, too, in the list and in the tree, and leaves it out by them', () => {
    const model = emptyNode(), api = addPod(model, 'shop/checkout', { used: 40 * M, max: 96 * M, container: 'api' }), beside = addContainer(model, api, { used: M, max: 64 * M })
    addPod(model, 'data/redis', { used: M })
    tell(model, 'workload', model.nowNs, { from: 'test', containerId: beside.path.slice(-64), container: 'istio-proxy' })
    tell(model, 'process', model.nowNs, { pid: 7, startNs: 7, memcgId: beside.id, ppid: 1, uid: 0, threads: 1, comm: 'envoy' })
    const what = show(model), shownBy = (filter: string, tree = false): string[] => { const list = what.scene.select({ ...START, filter, tree }); return list.keys.map((_, i) => list.at(i)?.name.trim() ?? '') }
    for (const filter of ['istio', 'envoy', 'checkout', 'ns:shop']) expect([filter, shownBy(filter)]).toEqual([filter, ['shop/checkout']])
    for (const filter of ['!istio', '!envoy', '!checkout', '!ns:shop']) expect([filter, shownBy(filter)]).toEqual([filter, ['data/redis']])
    expect(shownBy('envoy', true)).toEqual(['- shop/checkout', 'container "istio-proxy"'])
    expect(shownBy('!envoy', true).some((name) => name.includes('istio-proxy'))).toBe(false)
  })
  it('tells the zones of several NUMA nodes apart at 80 columns, too', () => {
    const model = emptyNode(), labels = [0, 1].flatMap((numaNode) => ['DMA', 'DMA32', 'Normal'].map((zone) => { tell(model, 'node_buddy', model.nowNs, { numaNode, zone, freeBlocks: Array.from({ length: 11 }, () => 1) }); return `node ${numaNode} ${zone}` }))
    for (const label of labels) tell(model, 'node_zone', model.nowNs, { numaNode: Number(label.charAt(5)), zone: label.slice(7), freePages: 900, minPages: 1, lowPages: 2, highPages: 3, managedPages: 1000, protectionPages: [0] })
    const lines = paint(show(model), { ...START, page: 'node', scroll: 999 }, { cols: 80, rows: 60 }).grid.lines(), from = lines.findIndex((line) => line.includes('free blocks by size'))
    expect(lines.slice(from + 2, from + 8).map((line) => line.slice(2, 15).trim())).toEqual(labels)
  })
  it('cuts no figure of its own costs at 120 columns', () => {
    const model = emptyNode()
    tell(model, 'sampling', model.nowNs, { budgetCenti: 200, usedCenti: 199, pressureCenti: 800, quietMemcgs: 90, activeMemcgs: 8, quickMemcgs: 2, slowPeriodNs: 4e9, activePeriodNs: 2e8, quickPeriodNs: 5e6, slowTurns: 9, activeTurns: 9, quickTurns: 9, lateTurns: 8200 })
    const lines = paint(show(model), { ...START, page: 'health', scroll: 999 }, { cols: 120, rows: 70 }).grid.lines().map((line) => line.slice(0, 60)), from = lines.findIndex((line) => line.includes('what oomscope costs'))
    expect(lines.slice(from, from + 12).join('\n')).toMatch(/8\.2k looks, a whole period late/)
    expect(lines.slice(from, from + 12).filter((line) => line.includes('…'))).toEqual([])
  })
  it('marks exactly the selected row', () => {
    const { grid } = paint(demo, { ...START, selected: demo.scene.rows[2]?.key }, { cols: 80, rows: 24 })
    const selected = Array.from({ length: 24 }, (_, y) => y).filter((y) => ((grid.styles[y * 80] ?? 0) & SELECTED) !== 0)
    expect(selected).toEqual([5])
  })
  it('keeps the selected row on screen when the list is longer than the screen', () => {
    const model = emptyNode()
    for (let i = 0; i < 100; i++) addPod(model, `ns/pod-${String(i).padStart(3, '0')}`, { used: (200 - i) * M })
    const what = show(model), key = what.scene.rows.find((row) => row.name === 'ns/pod-077')?.key
    expect(paint(what, { ...START, selected: key }, { cols: 80, rows: 24 }).grid.lines().some((line) => line.includes('ns/pod-077'))).toBe(true)
  })
  it('is 7-bit in ASCII mode on every page', () => {
    for (const page of PAGES) expect(paint(show(demoNode(), true), { ...START, page, selected: demo.scene.rows[0]?.key, kill: demo.scene.kills[0]?.id }, { cols: 120, rows: 40 }).grid.codes.every((code) => code >= 0x20 && code <= 0x7e)).toBe(true)
  })
  it.each(PAGES)('of the page %s keeps names with escapes, C1, wide, combining, direction and tag characters in their cells', async (page) => {
    const evil = 'evil\u001b]0;owned\u0007\u001b[2J\u009b31m{bold}x{/bold}', wide = '漢字\u{1f600}e\u0301\u202egpj\u200d\u{e0041}', model = demoNode()
    const victim = addPod(model, `${evil}/${wide}`, { used: 200 * M, max: 210 * M, inactiveFile: 0, some: 90, full: 80, container: wide })
    addKill(model, victim, { secondsAgo: 3, comm: evil, pid: 666 })
    model.health.notices.push({ tsNs: model.nowNs, from: evil, text: wide })
    model.health.losses.set(evil, { count: 3, detail: wide })
    model.rungs.set(evil, { kind: 'rung', tsNs: 0, question: evil, rung: wide, state: 'refused', reason: evil })
    for (const memcg of [victim, addMemcg(model, `/${evil}${wide}.slice`, { used: 100 * M })]) for (const [second, used] of [[0, 100], [0.1, 205], [0.2, 100], [3, 100]] as const) tell(model, 'memcg_usage', model.nowNs + second * 1e9, { memcgId: memcg.id, currentBytes: used * M })
    const what = show(model), [row] = what.scene.rows.filter(({ name }) => name.startsWith('evil')), [kill] = what.scene.kills
    expect(what.scene.spikes().rows.filter(({ place }) => place.startsWith('evil'))).toHaveLength(2)
    const commands = await Promise.all([true, false].map((isRunning) => commandOf([evil, wide], { isRunning })))
    for (const command of commands) for (const [cols, rows] of [[80, 24], [160, 50]] as const) for (const more of [{}, { inFull: true }, { tree: true }, { byCgroup: true }]) {
      for (const line of paint({ ...what, command, fault: evil }, { ...START, page, selected: row?.key, kill: kill?.id, message: page === 'help' ? wide : undefined, filter: page === 'help' ? evil : '', ...more }, { cols, rows }).grid.lines()) {
        expect(line).toMatch(/^[\u0020-\u007e\u00a1-\u024f\u0370-\u052f\u2026\u2212\u2500-\u259f\u25a0-\u25cf\u2800-\u28ff]*$/)
      }
    }
  })
  it('holds no control character whatever a painter writes', () => {
    const grid = new Grid(10, 1)
    grid.text({ x: -3, y: 0 }, 'left of it')
    grid.text({ x: 0, y: 5 }, 'below it')
    grid.text({ x: 0, y: 0 }, '\u001b[2J\u0000\u009b')
    grid.textRight({ x: 6, y: 0, width: 4 }, 'too long')
    expect(grid.lines()).toEqual(['?[2J??too'])
  })
})

describe('a session', () => {
  beforeEach(() => { vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setImmediate', 'performance', 'setTimeout'] }) })
  afterEach(() => { vi.useRealTimers() })

  function start(model: NodeModel, stage?: Stage): { readonly session: Session; readonly frames: Grid[]; readonly quits: () => number } {
    const frames: Grid[] = []
    let quits = 0
    const terminal = { size: () => ({ cols: 80, rows: 24 }), show: (grid: Grid) => { frames.push(grid) } } as unknown as Terminal
    const session = new Session({ model: () => model, mode: 'live', lens: TEST_LENS, wallNow: () => WALL_MS + (model.nowNs - 7200e9) / 1e6, ...(stage === undefined ? {} : { stage }) }, terminal, () => { quits += 1 })
    return { session, frames, quits: () => quits }
  }

  it('asks before it ends a running command, and again when another key came in between', async () => {
    const cells = await openCells({ cols: 80, rows: 20 }), panel = { share: undefined, lines: [], chart: undefined }
    const { session, quits } = start(demoNode(), { title: 'sleep', cells, isRunning: () => true, type: () => undefined, resize: () => undefined, panel: () => panel, summary: () => undefined })
    session.bytes(TOGGLE)
    for (const key of ['q', 'j', 'q']) session.key(key)
    expect(quits()).toBe(0)
    session.key('q')
    expect(quits()).toBe(1)
    session.close()
  })
  it('draws nothing while nothing changes', () => {
    const { session, frames } = start(demoNode())
    vi.advanceTimersByTime(60_000)
    expect(frames).toHaveLength(1)
    session.close()
  })
  it('holds what nobody has looked at yet, too: rows further down show the minute before the pause, however long it was', () => {
    const model = emptyNode(), last = Array.from({ length: 40 }, (_, i) => addMemcg(model, `/worker-${i + 10}`, { used: (500 - i) * M })).at(-1), rowOf = (frame: Grid | undefined): string | undefined => frame?.lines().find((line) => line.includes('worker-49'))
    const watched = start(model), paused = start(model)
    watched.session.key('G')
    paused.session.key('space')
    vi.advanceTimersByTime(1000)
    for (let second = 1; second <= 200; second++) tell(model, 'memcg_usage', (7200 + second) * 1e9, { memcgId: last?.id ?? 0, currentBytes: second * M })
    paused.session.key('G')
    vi.advanceTimersByTime(1000)
    expect(rowOf(paused.frames.at(-1))).toContain('461M')
    expect(rowOf(paused.frames.at(-1))).toBe(rowOf(watched.frames[1]))
    for (const { session } of [watched, paused]) session.close()
  })
  it('draws at most ten frames a second however many keys arrive, and loses none of them', () => {
    const { session, frames } = start(demoNode())
    for (let i = 0; i < 200; i++) { session.key(i % 2 === 0 ? 'j' : 'k'); vi.advanceTimersByTime(5) }
    session.key('j')
    vi.advanceTimersByTime(100)
    expect(frames.length).toBeGreaterThan(5)
    expect(frames.length).toBeLessThanOrEqual(13)
    const last = frames.at(-1) as Grid
    expect((last.styles[4 * 80] ?? 0) & SELECTED).toBe(SELECTED)
    session.close()
  })
  it('refreshes the numbers twice a second, but shows a kill at the next frame', () => {
    const model = demoNode(), { session, frames } = start(model)
    for (let i = 0; i < 40; i++) { model.nowNs += 1e8; vi.advanceTimersByTime(100) }
    expect(frames.length).toBeLessThanOrEqual(10)
    vi.advanceTimersByTime(1000)
    model.nowNs += 1e8
    vi.advanceTimersByTime(100)
    const before = frames.length
    model.cases.push({ ...(model.cases[0] as NonNullable<(typeof model.cases)[0]>), id: 'new', tsNs: model.nowNs })
    model.nowNs += 1e8
    vi.advanceTimersByTime(100)
    expect(frames.length).toBe(before + 1)
    session.close()
  })
  it('holds the picture while the model goes on, then jumps to the present', () => {
    const model = demoNode(), { session, frames } = start(model)
    session.key('space')
    vi.advanceTimersByTime(200)
    for (let i = 0; i < 30; i++) { liveOn(model); vi.advanceTimersByTime(1000) }
    expect(frames.at(-1)?.lines()[0]).toMatch(/PAUSED 14:03:27 \(30s behind\)/)
    session.key('space')
    vi.advanceTimersByTime(200)
    expect(frames.at(-1)?.lines()[0]).toMatch(/LIVE 14:03:57/)
    session.close()
  })
  it('asks to quit once per quit key', () => {
    const { session, quits } = start(demoNode())
    session.key('q')
    expect(quits()).toBe(1)
    session.close()
  })
  it('says where it goes while a jump takes long, and shows the moment when it is there', () => {
    const model = demoNode(), frames: Grid[] = [], terminal = { size: () => ({ cols: 80, rows: 24 }), show: (grid: Grid) => { frames.push(grid) } } as unknown as Terminal
    let playback: Playback = { speed: 1, paused: false, ended: false, caughtUp: true, startNs: 0, endNs: model.nowNs }
    const control = { seek: () => { playback = { ...playback, paused: true, caughtUp: false } }, setPaused: () => undefined, setSpeed: () => undefined, playback: () => playback }
    const session = new Session({ model: () => model, mode: 'replay', lens: TEST_LENS, wallNow: () => 0, control }, terminal, () => undefined)
    session.key('H')
    vi.advanceTimersByTime(200)
    expect(frames.at(-1)?.lines()[0]).not.toContain('GOING TO')
    vi.advanceTimersByTime(300)
    expect(frames.at(-1)?.lines()[0]).toContain('◄ GOING TO 14:03:17')
    model.nowNs -= 10e9
    playback = { ...playback, caughtUp: true }
    vi.advanceTimersByTime(200)
    expect(frames.at(-1)?.lines()[0]).toContain('◄ REPLAY 14:03:17.0')
    playback = { ...playback, partial: true }
    vi.advanceTimersByTime(200)
    expect(frames.at(-1)?.lines()[0]).toContain('◄ REPLAY 14:03:17 reading the minutes before')
    playback = { ...playback, partial: false }
    vi.advanceTimersByTime(200)
    expect(frames.at(-1)?.lines()[0]).toContain('◄ REPLAY 14:03:17.0')
    session.close()
  })
  it('says how late a live picture is', () => {
    const model = demoNode(), frames: Grid[] = [], terminal = { size: () => ({ cols: 80, rows: 24 }), show: (grid: Grid) => { frames.push(grid) } } as unknown as Terminal
    const session = new Session({ model: () => model, mode: 'live', lens: TEST_LENS, wallNow: () => WALL_MS + 7000 }, terminal, () => undefined)
    expect(frames[0]?.lines()[0]).toContain('LIVE 14:03:27 (7s late)')
    session.close()
  })
})
