/** The overview's rows: folding, limits, what kubectl top would show, unknown values, severity and its sentences. */
import { describe, expect, it } from 'vitest'
import { detailOf } from '../../../src/view/detail.ts'
import { momentOf } from '../../../src/view/moment.ts'
import { overviewRows } from '../../../src/view/overview.ts'
import { selectRows, URGENCY } from '../../../src/view/select.ts'
import { reasonsOf } from '../../../src/view/severity.ts'
import type { OverviewRow } from '../../../src/view/overview.ts'
import { placeLabel } from '../../../src/view/lens.ts'
import type { Memcg, NodeModel } from '../../../src/model/node.ts'
import { addContainer, addKill, addMemcg, addPod, emptyNode, fillHistory, G, M, NOW_S, tell, TEST_LENS } from '../../helpers/node-model.ts'

const rows = (model: NodeModel): OverviewRow[] => overviewRows(momentOf(TEST_LENS, model))
const only = (model: NodeModel): OverviewRow => { const all = rows(model); expect(all).toHaveLength(1); return all[0] as OverviewRow }

describe('folding', () => {
  it('makes one row of a pod and its containers, under the name that was learned', () => {
    const model = emptyNode(), container = addPod(model, 'web/front-1', { used: 10 * M })
    addContainer(model, container, { used: 1 * M })
    expect(only(model)).toMatchObject({ name: 'web/front-1', kind: 'pod', usedBytes: 10 * M })
  })
  it('shows the uid of a pod whose name nobody has told', () => {
    const model = emptyNode()
    addPod(model, 'web/front-1', {})
    model.names.clear()
    expect(only(model).name).toMatch(/^pod 00000000-0000-4000-8000-\d{12}$/)
  })
  it('shows services, leaves and limited cgroups of a plain host, not the slices that only sum them up', () => {
    const model = emptyNode()
    addMemcg(model, '/system.slice', { used: 5 * M })
    addMemcg(model, '/system.slice/db.service', { used: 3 * M })
    addMemcg(model, '/system.slice/db.service/worker', { used: 1 * M })
    addMemcg(model, '/jobs', { used: 9 * M, max: 20 * M })
    addMemcg(model, '/jobs/a', { used: 9 * M })
    expect(rows(model).map((row) => row.name).sort()).toEqual(['jobs', 'jobs/a', 'system.slice/db.service'])
  })
  it('calls a container of no pod by its name once that is known, and what it made below by its path', () => {
    const model = emptyNode(), id = 'f'.repeat(64), path = `/system.slice/docker-${id}.scope`
    addMemcg(model, path, { used: M })
    addMemcg(model, `${path}/inner`, { used: M })
    expect(only(model).name).toBe(path.slice(1))
    tell(model, 'workload', 1, { from: 'docker', containerId: id, container: 'postgres\u001b' })
    expect(only(model).name).toBe('postgres? (docker)')
    expect(placeLabel(TEST_LENS, model, `${path}/inner`)).toBe(`${path.slice(1)}/inner`)
  })
  it('leaves out what is dead, but counts the kills of dead containers', () => {
    const model = emptyNode(), container = addPod(model, 'web/front-1', { used: M })
    const dead = addContainer(model, container, {})
    const die = (memcg: Memcg): void => tell(model, 'memcg_death', NOW_S * 1e9, { memcgId: memcg.id, path: memcg.path, by: 'probe' })
    die(dead)
    dead.killCount = 3
    expect(only(model)).toMatchObject({ oomKills: 3, levels: [{ label: 'container "front"' }, { where: 'self' }] })
    for (const memcg of model.memcgs.values()) die(memcg)
    expect(rows(model)).toEqual([])
  })
})

describe('limits', () => {
  it("takes the only container's limit when the pod has none", () => {
    const model = emptyNode()
    addPod(model, 'a/b', { used: 100 * M, max: 400 * M })
    expect(only(model).binding).toMatchObject({ where: 'container', maxBytes: 400 * M, usedBytes: 100 * M })
  })
  it('names the container that binds when there are several', () => {
    const model = emptyNode(), container = addPod(model, 'a/b', { used: 950 * M, max: G, podMax: 3 * G, container: 'app' })
    addContainer(model, container, { used: 10 * M, max: 100 * M })
    expect(only(model)).toMatchObject({ name: 'a/b:app', binding: { where: 'container', maxBytes: G } })
  })
  it('holds against it what stands under it, and not a large neighbour in the pod', () => {
    const model = emptyNode(), container = addPod(model, 'a/b', { used: 950 * M, inactiveFile: 1, container: 'app' })
    addContainer(model, container, { used: 810 * M, inactiveFile: 110 * M, max: G })
    expect(only(model)).toMatchObject({ binding: { where: 'container', maxBytes: G }, severity: 0 })
  })
  it('looks up to the ancestors once one is nearly full', () => {
    const model = emptyNode()
    const kubepods = addMemcg(model, '/kubepods', { used: 5 * G, max: 10 * G })
    addPod(model, 'a/b', { used: 100 * M, max: 400 * M })
    expect(only(model).binding?.where).toBe('container')
    kubepods.usage = { ...(kubepods.usage as NonNullable<typeof kubepods.usage>), currentBytes: 9.7 * G }
    expect(only(model)).toMatchObject({ binding: { where: 'above', label: 'kubepods' }, severity: 1 })
    expect(reasonsOf(only(model))).toEqual(['stands under the kubepods limit of 10.0G, which is 97.0 % full'])
  })
  it('invents none', () => {
    const model = emptyNode()
    addPod(model, 'a/b', { used: 100 * M })
    expect(only(model).binding).toBeUndefined()
  })
})

describe('numbers', () => {
  it('does not count what a container made below itself as another container', () => {
    const model = emptyNode(), app = addPod(model, 'a/b', { used: 95 * M, max: 100 * M, inactiveFile: 10 * M, container: 'app' })
    addMemcg(model, `${app.path}/init.scope`, { used: 90 * M, max: 90 * M, inactiveFile: 5 * M })
    const row = only(model)
    expect(row).toMatchObject({ name: 'a/b:init.scope', workingSetBytes: 85 * M, binding: { maxBytes: 90 * M, label: 'init.scope' } })
    expect(row.levels.map(({ where, label }) => [where, label])).toEqual([['container', 'container "app"'], ['inside', 'init.scope'], ['self', 'the pod']])
    expect(reasonsOf(row)[0]).toContain('the init.scope limit of 90M')
    const said = detailOf(model, { row, kills: [] }).map(({ text }) => text)
    expect(said).toContain('kubectl top would say 85M; the kernel counts 95M: 10M is inactive file cache.')
    expect(said.join(' ')).not.toContain('2 containers')
  })
  it("computes the working set as the kubelet does: per container, never below zero, summed", () => {
    const model = emptyNode(), container = addPod(model, 'a/b', { used: 100 * M, inactiveFile: 30 * M })
    addContainer(model, container, { used: 5 * M, inactiveFile: 9 * M })
    expect(only(model).workingSetBytes).toBe(70 * M)
  })
  it('leaves absent what is not known', () => {
    const model = emptyNode(), memcg = addMemcg(model, '/x', { used: 5 })
    delete memcg.usage
    delete memcg.events
    memcg.history.usageBytes.fill(Number.NaN)
    expect(only(model)).toMatchObject({ usedBytes: undefined, workingSetBytes: undefined, somePercent: undefined, stallMsPerS: undefined, highPerS: undefined, oomKills: undefined, severity: 0 })
  })
  it('knows zero stall of one cgroup when another one is counted', () => {
    const model = emptyNode()
    addMemcg(model, '/x', { stall: 7 })
    addMemcg(model, '/y', {})
    expect(rows(model).map((row) => [row.name, row.stallMsPerS])).toEqual([['x', 7], ['y', 0]])
  })
  it('adds kills of every cgroup on v1, whose counters are not hierarchical', () => {
    const model = emptyNode(), container = addPod(model, 'a/b', { oomKill: 2 })
    addContainer(model, container, { oomKill: 1 })
    expect(only(model).oomKills).toBe(2)
    model.hello = { ...(model.hello as NonNullable<typeof model.hello>), memcgVersion: 'v1' }
    expect(only(model).oomKills).toBe(5)
  })
  it('takes PEAK from the last 60 s only', () => {
    const model = emptyNode()
    addMemcg(model, '/x', { used: 10 * M, usage: (ago) => (ago === 59 ? 70 * M : ago === 60 ? 90 * M : 10 * M) })
    expect(only(model).minute().peakBytes).toBe(70 * M)
  })
  it('forecasts only from a steady slope, and marks what it is a forecast of', () => {
    const model = emptyNode()
    addMemcg(model, '/steady', { used: 900 * M, max: G, usage: (ago) => (900 - ago) * M })
    addMemcg(model, '/noisy', { used: 900 * M, max: G, usage: (ago) => (900 - (ago * 7919) % 60) * M })
    const byName = new Map(rows(model).map((row) => [row.name, row]))
    expect(byName.get('steady')?.secondsToLimit).toBeCloseTo(124, 0)
    expect(reasonsOf(byName.get('steady')!)[0]).toBe('is ~2m from its limit of 1.00G (+1.0M/s)')
    expect(byName.get('noisy')?.secondsToLimit).toBeUndefined()
  })
})

describe('severity', () => {
  const judged = (spec: Parameters<typeof addMemcg>[2]): OverviewRow => { const model = emptyNode(); addMemcg(model, '/x', spec); return only(model) }
  it('is nothing for a cgroup full of inactive file cache that nobody waits for', () => {
    const row = judged({ used: 990 * M, max: G, inactiveFile: 900 * M, some: 0, stall: 0 })
    expect([row.severity, reasonsOf(row)]).toEqual([0, []])
  })
  it.each([
    [{ used: G, max: 2 * G, some: 50, full: 30 }, 2, 'has all its tasks waiting for memory 30.0 % of the time'],
    [{ used: G, max: 2 * G, some: 6, full: 1 }, 1, 'has a task waiting for memory 6.0 % of the time'],
    [{ used: G, max: 2 * G, highPerS: 4 }, 1, 'passes memory.high 4 times a second: its tasks are put to sleep'],
    [{ used: 1.99 * G, max: 2 * G, maxPerS: 12 }, 2, 'is at its limit of 2.00G: 12 allocations a second hit it and reclaim'],
    [{ used: 0.95 * G, max: G, inactiveFile: 0 }, 1, 'fills 95.0 % of its limit of 1.00G'],
  ] as const)('%j is %i: %s', (spec, severity, reason) => {
    const row = judged(spec)
    expect([row.severity, reasonsOf(row)]).toEqual([severity, [reason]])
  })
  it('puts the newest kill first, however full the others are', () => {
    const model = emptyNode(), older = addMemcg(model, '/a', { used: G, max: G }), newer = addMemcg(model, '/b', { used: M, max: G })
    addKill(model, older, { secondsAgo: 50 })
    addKill(model, newer, { secondsAgo: 10 })
    expect(selectRows(rows(model), { filter: '', sort: URGENCY }).map(({ name }) => name)).toEqual(['b', 'a'])
  })
  it('is highest right after a kill and fades within ten minutes', () => {
    const severities = [5, 90, 700].map((secondsAgo) => { const model = emptyNode(), memcg = addMemcg(model, '/x', {}); addKill(model, memcg, { secondsAgo }); return only(model).severity })
    expect(severities).toEqual([2, 1, 0])
  })
})

describe('the detail', () => {
  it('says what kubectl top hides, the binding limit, the composition and the containers', () => {
    const model = emptyNode(), container = addPod(model, 'a/b', { used: 998 * M, max: G, high: 922 * M, inactiveFile: 267 * M, oomKill: 2, container: 'app' })
    addContainer(model, container, { used: 10 * M })
    fillHistory(model.history, 'someUs', () => 0)
    const row = only(model), text = detailOf(model, { row, kills: [] }).map((line) => line.text)
    expect(text).toContain('kubectl top would say 731M (71%); the kernel counts 998M (97%): 267M is inactive file cache.')
    expect(text).toContain('Binding limit: container "app", memory.max 1.00G, 97.5 % used, memory.high 922M.')
    expect(text).toContain('2 OOM kills here.')
    expect(text.some((line) => line.startsWith('2 containers: "app" 998M/1.00G'))).toBe(true)
  })
  it('says of the container that binds what kubectl top shows of it, and not of its neighbours', () => {
    const model = emptyNode(), container = addPod(model, 'a/b', { used: 998 * M, max: G, inactiveFile: 267 * M, container: 'app' })
    addContainer(model, container, { used: 2 * G, inactiveFile: 10 * M })
    expect(detailOf(model, { row: only(model), kills: [] }).map((line) => line.text)).toContain('kubectl top would say 731M (71%); the kernel counts 998M (97%): 267M is inactive file cache.')
  })
  it('says on which NUMA nodes the memory lies: the fullest four, how many have less, how many nothing; v1 in its own words', () => {
    const model = emptyNode(), { id: memcgId } = addMemcg(model, '/x', { used: G }), lines = (): string[] => detailOf(model, { row: only(model), kills: [] }).map(({ text }) => text).filter((text) => text.startsWith('NUMA'))
    const node = (numaNode: number, anonBytes: number | undefined, fileBytes?: number, unevictableBytes?: number): void => tell(model, 'memcg_numa', NOW_S * 1e9, { memcgId, numaNode, readNs: 7100e9, anonBytes, fileBytes, unevictableBytes })
    expect(lines()).toEqual([])
    node(0, 0, 0)
    expect(lines()).toEqual([])
    node(0, 120 * M, 3 * M, 5 * M)
    node(1, 4 * M)
    expect(lines()).toEqual(['NUMA: node 0 anon 120M file 3.0M · node 1 anon 4.0M.'])
    for (const numaNode of [2, 3, 4]) node(numaNode, numaNode * 10 * M)
    node(5, 0, 0)
    expect(lines()).toEqual(['NUMA: node 0 anon 120M file 3.0M · node 2 anon 20M · node 3 anon 30M · node 4 anon 40M · less on 1 more · nothing on 1 other.'])
    for (const numaNode of [1, 2, 3, 4]) node(numaNode, undefined)
    tell(model, 'hello', NOW_S * 1e9, { ...model.hello, memcgVersion: 'v1' })
    expect(lines()).toEqual(['NUMA: node 0 anon+shmem 120M file 3.0M unevictable 5.0M · nothing on 5 others.'])
  })
  it('says nothing of what it does not know', () => {
    const model = emptyNode(), memcg = addMemcg(model, '/x', {})
    delete memcg.usage
    delete memcg.limits
    expect(detailOf(model, { row: only(model), kills: [] }).map((line) => line.text)).toEqual(['No limit but what the node has.'])
  })
})
