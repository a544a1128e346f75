/** The page of stalls as data: who waited, how long, for what, at which latencies, and what is said where it is not counted. */
import { describe, expect, it } from 'vitest'
import { momentOf } from '../../../src/view/moment.ts'
import { overviewRows } from '../../../src/view/overview.ts'
import { stallSentences, waitersSection } from '../../../src/view/stall-detail.ts'
import { heatOf, NODE_KEY, stallRows } from '../../../src/view/stalls.ts'
import type { StallRow } from '../../../src/view/stalls.ts'
import type { NodeModel } from '../../../src/model/node.ts'
import { addRefaults, addWaits } from '../../helpers/demo-stalls.ts'
import { addContainer, addPod, emptyNode, M, tell, TEST_LENS } from '../../helpers/node-model.ts'

const rowsOf = (model: NodeModel, byCgroup = false): StallRow[] => stallRows(TEST_LENS, model, { rows: overviewRows(momentOf(TEST_LENS, model)), byCgroup })
const texts = (model: NodeModel, row: StallRow): string[] => stallSentences(model, row).map(({ text }) => text)

describe('the rows', () => {
  it('are none while nobody waits', () => {
    const model = emptyNode()
    addPod(model, 'a/calm', { used: M, some: 0 })
    expect(rowsOf(model)).toEqual([])
  })
  it('are the node, then whoever waited longest; the kinds sum up to the whole', () => {
    const model = emptyNode(), b = addPod(model, 'a/b', { used: M }), c = addPod(model, 'a/c', { used: M })
    addWaits(model, b, { what: 'memcg_reclaim', comm: 'b', pid: 1, perS: () => 2, log2Ns: () => 20 })
    addWaits(model, c, { what: 'over_high', comm: 'c', pid: 2, perS: () => 2, log2Ns: () => 24 })
    addWaits(model, c, { what: 'throttled', comm: 'c', pid: 2, perS: () => 1, log2Ns: () => 22 })
    const rows = rowsOf(model), [node, first, second] = rows as [StallRow, StallRow, StallRow]
    expect(rows.map(({ name }) => name)).toEqual(['all of this node', 'a/c', 'a/b'])
    expect(node.waitedNs).toBeCloseTo((first.waitedNs ?? 0) + (second.waitedNs ?? 0), -6)
    expect(first.waitedNs).toBe(first.byKind[2])
    expect(first.byKind[4]).toBeGreaterThan(0)
    // Two in each of 118 seconds; throttling is a part of reclaim, not a wait of its own.
    expect([first.waits, second.waits]).toEqual([236, 236])
    expect(second.freedBytes).toBe(236 * 32 * 4096)
  })
  it('tell the longest wait exactly when it was told on its own, else as the end of its class', () => {
    const model = emptyNode(), long = addPod(model, 'a/long', { used: M }), short = addPod(model, 'a/short', { used: M })
    addWaits(model, long, { what: 'memcg_reclaim', comm: 'l', pid: 1, perS: () => 1, log2Ns: () => 26 })
    addWaits(model, short, { what: 'memcg_reclaim', comm: 's', pid: 2, perS: () => 1, log2Ns: () => 16 })
    const longest = new Map(rowsOf(model).map((row) => [row.name, row.longest]))
    const told = Math.max(...model.recent.flatMap((event) => (event.kind === 'stall' ? [event.durationNs] : [])))
    expect(longest.get('a/long')).toEqual({ ns: told, isExact: true })
    expect(longest.get('a/short')).toEqual({ ns: 2 ** 18, isExact: false })
  })
  it('can be the cgroups themselves: the waits are where the task is', () => {
    const model = emptyNode(), b = addPod(model, 'a/b', { used: M, container: 'main' })
    addWaits(model, b, { what: 'direct_reclaim', comm: 'b', pid: 1, perS: () => 1, log2Ns: () => 20 })
    expect(rowsOf(model, true).map(({ key, name }) => [key, name])).toEqual([[NODE_KEY, 'all of this node'], [`memcg:${b.id}`, 'a/b container "main"']])
  })
  it('are made of pressure where no probe counts, and say so', () => {
    const model = emptyNode()
    addPod(model, 'a/b', { used: M, some: 30, full: 10 })
    for (const question of ['memcg-reclaim', 'direct-reclaim', 'over-high', 'compaction', 'throttled']) tell(model, 'rung', 1, { question, rung: 'none', state: 'absent' })
    const row = rowsOf(model).find(({ name }) => name === 'a/b') as StallRow
    expect([row.waitedNs, row.nowMsPerS, row.byKind]).toEqual([undefined, undefined, [undefined, undefined, undefined, undefined, undefined]])
    expect(row.somePercent).toBeCloseTo(30, 0)
    expect(texts(model, row)).toContain('No probe counts waiting here: only pressure (PSI) tells of it.')
  })
})

describe('the heat map', () => {
  it('has a column a second and a line a latency class, the newest second last', () => {
    const model = emptyNode(), b = addPod(model, 'a/b', { used: M })
    addWaits(model, b, { what: 'memcg_reclaim', comm: 'b', pid: 1, perS: (ago) => (ago === 5 ? 7 : 0), log2Ns: () => 22.5 })
    const heat = heatOf(model, [b.id], 60), sums = heat[0]?.map((_, column) => heat.reduce((sum, line) => sum + (line[column] ?? 0), 0))
    expect(sums?.indexOf(7)).toBe(60 - 1 - 6)
    expect(sums?.reduce((sum, count) => sum + count, 0)).toBe(7)
  })
})

describe('the detail of a row', () => {
  it('names who waited for what: its own limit, the limit above, or one that is not told', () => {
    const model = emptyNode(), b = addPod(model, 'a/b', { used: M })
    const wait = { what: 'memcg_reclaim', comm: 'b\u001b[2J', pid: 1, perS: (ago: number) => (ago === 3 ? 1 : 0), log2Ns: () => 27 } as const
    addWaits(model, b, { ...wait, target: b.id })
    addWaits(model, b, { ...wait, target: b.parentId })
    addWaits(model, b, wait)
    const { rows } = waitersSection(TEST_LENS, model, rowsOf(model)[1] as StallRow)
    expect(rows.map(({ cells }) => cells[1]).sort()).toEqual(['reclaim at a limit (whose, is not told here)', 'reclaim at its own limit', 'reclaim at the limit above it: the pod'])
    expect(rows[0]?.cells[0]).toBe('b?[2J')
  })
  it('of the whole node it names the workload, too, and takes a container that was started again for the same', () => {
    const model = emptyNode(), wait = { what: 'memcg_reclaim', comm: 'web', pid: 1, perS: (ago: number) => (ago === 3 ? 1 : 0), log2Ns: () => 27 } as const
    const first = addPod(model, 'a/b', { used: M, container: 'api' }), second = addContainer(model, first, { used: M }), other = addPod(model, 'c/d', { used: M, container: 'api' })
    tell(model, 'workload', model.nowNs, { from: 'test', containerId: second.path.slice(-64), container: 'api' })
    addWaits(model, first, { ...wait, target: first.id })
    addWaits(model, second, { ...wait, target: second.id })
    addWaits(model, other, { ...wait, target: other.id })
    const [node, ...workloads] = rowsOf(model) as [StallRow, ...StallRow[]], told = (row: StallRow): unknown[] => waitersSection(TEST_LENS, model, row).rows.map(({ cells }) => cells.slice(0, 4))
    expect(told(node)).toEqual([['web', 'a/b:api', 'reclaim at its own limit', '2'], ['web', 'c/d:api', 'reclaim at its own limit', '1']])
    expect(workloads.map((row) => told(row))).toEqual([[['web', 'reclaim at its own limit', '2', expect.anything()]], [['web', 'reclaim at its own limit', '1', expect.anything()]]])
  })
  it('says from which length on single waits are told, where the stream does', () => {
    const model = emptyNode(), b = addPod(model, 'a/b', { used: M })
    addWaits(model, b, { what: 'memcg_reclaim', comm: 'b', pid: 1, perS: () => 1, log2Ns: () => 20 })
    const { title, empty } = waitersSection(TEST_LENS, model, rowsOf(model)[1] as StallRow)
    expect([title, empty]).toEqual(['who waited for what: single waits', 'No single wait in the last two minutes.'])
    tell(model, 'hello', model.nowNs, { ...model.hello, stallNs: 2.5e6 })
    expect(waitersSection(TEST_LENS, model, rowsOf(model)[1] as StallRow)).toMatchObject({ title: 'who waited for what: single waits of 2.5ms and more', empty: 'No single wait of 2.5ms or more in the last two minutes.' })
  })
  it('says when so many single waits came that only the newest are kept, and does not call the longest of these the longest', () => {
    const model = emptyNode(), b = addPod(model, 'a/b', { used: M })
    addWaits(model, b, { what: 'memcg_reclaim', comm: 'b', pid: 1, perS: (ago) => (ago === 90 ? 1 : 50), log2Ns: (ago) => (ago === 90 ? 30 : 25) })
    const [node, row] = rowsOf(model) as [StallRow, StallRow], kept = (model.nowNs - model.recentFromNs) / 1e9
    expect(kept).toBeGreaterThan(30)
    expect(kept).toBeLessThan(90)
    expect(waitersSection(TEST_LENS, model, row).title).toBe(`who waited for what: single waits, of the last ${Math.round(kept)}s only: more are not kept`)
    expect([node.longest, row.longest]).toEqual([0, 1].map(() => ({ ns: expect.any(Number) as number, isExact: false })))
    expect(row.longest?.ns).toBeGreaterThanOrEqual(2 ** 30)
  })
  it('says when what reclaim takes comes back at once', () => {
    const model = emptyNode(), b = addPod(model, 'a/b', { used: M, some: 5 }), pod = model.memcgs.get(b.parentId)
    if (pod !== undefined) addRefaults(model, pod, 3100)
    const row = rowsOf(model).find(({ name }) => name === 'a/b') as StallRow
    expect(row.refaultsPerS).toBeCloseTo(3100, -2)
    expect(texts(model, row)).toContain('3.1k pages a second come back soon after they were taken: it thrashes its page cache.')
  })
  it('names what is not counted here', () => {
    const model = emptyNode(), b = addPod(model, 'a/b', { used: M })
    addWaits(model, b, { what: 'memcg_reclaim', comm: 'b', pid: 1, perS: () => 1, log2Ns: () => 20 })
    for (const [question, state] of [['memcg-reclaim', 'proven'], ['direct-reclaim', 'chosen'], ['over-high', 'absent'], ['compaction', 'refused']] as const) tell(model, 'rung', 1, { question, rung: 'x', state })
    expect(texts(model, rowsOf(model)[1] as StallRow).at(-1)).toBe('Not counted here: sleeping above memory.high, compaction.')
  })
})
