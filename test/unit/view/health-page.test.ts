/** The health page as data: what is lost, unanswered or failed is said first, and costs are rates of cumulative counters. */
import { describe, expect, it } from 'vitest'
import { healthPage } from '../../../src/view/health-page.ts'
import type { Sheet, TableSection } from '../../../src/view/sheet.ts'
import { emptyNode, tell } from '../../helpers/node-model.ts'

const table = (sheet: Sheet, title: string): TableSection => {
  const section = sheet.find((candidate) => candidate.title.startsWith(title))
  if (section?.kind !== 'table') throw new Error(`no table ${title}`)
  return section
}
const said = (sheet: Sheet): string[] => { const [first] = sheet; return first?.kind === 'text' ? first.lines.map(({ text }) => text) : [] }
const cells = (sheet: Sheet, title: string): string[] => table(sheet, title).rows.map((row) => row.cells.filter((cell) => typeof cell === 'string').join('|'))
const COST = { bridgeRssBytes: 40 * 2 ** 20, lines: 0, bytes: 0, memcgs: 7, openFiles: 70 }

describe('the health page', () => {
  it('says that nothing is known to be lost when nothing is, and not that all is well', () => {
    expect(said(healthPage(emptyNode()))).toEqual(['Nothing is known to be lost.', 'Nothing is told about probes: this stream has no rungs.'])
  })
  it('says losses, failed self-tests and weighty unanswered questions first', () => {
    const model = emptyNode()
    tell(model, 'loss', 1, { where: 'bpftrace', count: 1234, detail: 'perf buffer full' })
    tell(model, 'selftest', 1, { test: 'signal', passed: false, detail: 'not seen within 2 s' })
    tell(model, 'rung', 1, { question: 'fatal-signal', rung: 'none', state: 'absent', reason: 'no tracepoint' })
    tell(model, 'rung', 1, { question: 'kswapd', rung: 'tracepoint', state: 'proven' })
    const sheet = healthPage(model)
    expect(said(sheet)).toEqual(['1.2k facts lost at bpftrace (perf buffer full).', 'Self-test signal failed: not seen within 2 s.', 'Who sent a SIGKILL is not seen.', '1 of 2 questions answered by a probe, 1 proven by a self-test.'])
    expect(cells(sheet, 'how each')).toEqual(['senders of fatal signals|-|absent|who sent a SIGKILL is not seen: no tracepoint', 'background reclaim|tracepoint|proven|'])
    expect(cells(sheet, 'lost')[0]).toBe('bpftrace|1.2k|perf buffer full')
  })
  it('makes rates of cumulative costs, and none of a counter that began again', () => {
    const model = emptyNode()
    for (let second = 0; second <= 30; second++) tell(model, 'cost', second * 1e9, { ...COST, bridgeCpuNs: second * 20e6, rows: second * 250, tracerCpuNs: second < 20 ? second * 1e9 : (second - 20) * 50e6, tracerRssBytes: 2 ** 30 })
    expect(cells(healthPage(model, { own: { cpuPercent: 2.5, rssBytes: 90 * 2 ** 20, heapBytes: 30 * 2 ** 20 }, kept: { bytes: 3 * 2 ** 20, maxBytes: 64 * 2 ** 20, startNs: 1e9, endNs: 725e9 } }), 'what oomscope costs')).toEqual(
      ['CPU of the bridge|2.0 %', 'CPU of bpftrace|5.0 %', 'CPU of this screen|2.5 %|', 'RSS of the bridge|40M|', 'RSS of bpftrace|1.00G|', 'RSS of this screen|90M|heap 30M', 'kept to look back|3.0M|64M at most, reaches 12m04s back', 'facts|250/s', 'bytes written|0B/s', 'memcgs sampled|7|', 'descriptors open|70|'])
  })
  it('tells who is sampled how often, and that the budget made it rarer', () => {
    const model = emptyNode(), sampling = { budgetCenti: 200, usedCenti: 37, pressureCenti: 100, quietMemcgs: 90, activeMemcgs: 8, quickMemcgs: 2, slowPeriodNs: 1e9, activePeriodNs: 1e8, quickPeriodNs: 5e6, slowTurns: 9, activeTurns: 9, quickTurns: 9, lateTurns: 0 }
    tell(model, 'cost', 1e9, COST)
    tell(model, 'sampling', 1e9, sampling)
    expect(cells(healthPage(model), 'what oomscope costs')).toEqual(expect.arrayContaining([
      'CPU of sampling|0.4 %|of 2 % it may use', '  quiet|90|every 1s', '  moving|8|every 100 ms', '  near a limit|2|every 5 ms']))
    expect(cells(healthPage(model), 'what oomscope costs').join()).not.toContain('late')
    tell(model, 'sampling', 2e9, { ...sampling, usedCenti: 199, pressureCenti: 800, slowPeriodNs: 4e9, activePeriodNs: 2e8, lateTurns: 3 })
    expect(cells(healthPage(model), 'what oomscope costs')).toEqual(expect.arrayContaining([
      'CPU of sampling|2.0 %|of 2 % it may use, so rarer', '  quiet|90|every 4s', '  moving|8|every 200 ms', '  late|3|looks, a whole period late']))
  })
  it('remembers two minutes of costs and no more, however long it runs', () => {
    const model = emptyNode()
    for (let second = 0; second < 10_000; second++) tell(model, 'cost', second * 1e9, { ...COST, bridgeCpuNs: 0, rows: 0 })
    expect(model.health.costs).toHaveLength(121)
  })
  it('keeps what became of the tracer once, though keyframes repeat it', () => {
    const model = emptyNode()
    for (const [tsNs, state] of [[1, 'starting'], [2, 'ready'], [2, 'ready'], [3, 'exited'], [4, 'restarted'], [5, 'ready']] as const) tell(model, 'tracer', tsNs, { state, pid: 42 })
    expect(table(healthPage(model), 'bpftrace').title).toBe('bpftrace, 1 restart')
    expect(cells(healthPage(model), 'bpftrace').map((line) => line.split('|')[1])).toEqual(['ready', 'restarted', 'exited', 'ready', 'starting'])
  })
  it('counts names by the source they come from', () => {
    const model = emptyNode()
    tell(model, 'workload', 1, { from: 'pod-logs', podUid: 'u1', containerId: 'c1', namespace: 'a', pod: 'b' })
    tell(model, 'workload', 1, { from: 'pod-logs', podUid: 'u2', namespace: 'a', pod: 'c' })
    expect(cells(healthPage(model), 'where names')).toEqual(['pod-logs|2|1'])
  })
})
