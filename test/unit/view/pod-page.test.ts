/** The page of a workload: charts of what was measured, composition, the chain of limits, its containers. */
import { expect, it } from 'vitest'
import { momentOf } from '../../../src/view/moment.ts'
import { overviewRows } from '../../../src/view/overview.ts'
import { podPage } from '../../../src/view/pod-page.ts'
import type { PodPage } from '../../../src/view/pod-page.ts'
import type { NodeModel } from '../../../src/model/node.ts'
import { addContainer, addMemcg, addPod, emptyNode, fillHistory, G, M, tell, TEST_LENS } from '../../helpers/node-model.ts'

function pageOf(model: NodeModel, name: string): PodPage {
  const at = momentOf(TEST_LENS, model), row = overviewRows(at).find((candidate) => candidate.name.startsWith(name)), page = row === undefined ? undefined : podPage(at, row)
  if (page === undefined) throw new Error(`no page of ${name}`)
  return page
}

/** The containers' cells under these titles. */
function containersOf(model: NodeModel, name: string, ...titles: readonly string[]): unknown[] {
  const { columns, rows } = pageOf(model, name).containers, at = titles.map((title) => columns.findIndex((column) => column.title === title))
  return rows.map(({ cells }) => at.map((i) => cells[i]))
}

it('draws what was measured, against the limit when it is in reach, and leaves out what never happened', () => {
  const model = emptyNode()
  addPod(model, 'a/near', { used: 800 * M, max: G, high: 900 * M, some: 25, full: 10, stall: 70, highPerS: 4, inactiveFile: 0 })
  addPod(model, 'a/far', { used: 10 * M, max: G, inactiveFile: 0 })
  const near = pageOf(model, 'a/near')
  expect(near.charts.map(({ title, fullText }) => [title, fullText])).toEqual([['memory used, 119 s · max 1.00G · high 900M', '1.00G'], ['PSI % · some, full', '25%'], ['stall ms/s', '70'], ['events/s · high, max', '5']])
  expect(near.charts[2]?.curves[0]?.values.slice(-3)).toEqual([70, 70, 70])
  expect(pageOf(model, 'a/far').charts.map(({ title, full }) => [title, full])).toEqual([['memory used, 119 s', 10 * M]])
})

it('reaches back only as far as something was seen', () => {
  const model = emptyNode(), memcg = addMemcg(model, '/young', { used: M })
  memcg.history.usageBytes.fill(Number.NaN)
  for (let ago = 10; ago > 0; ago--) tell(model, 'memcg_usage', model.nowNs - ago * 1e9, { memcgId: memcg.id, currentBytes: M, swapBytes: 0 })
  expect(pageOf(model, 'young').charts[0]).toMatchObject({ title: 'memory used, 15 s' })
})

it('splits the memory into parts that do not overlap, and says what reclaim can take', () => {
  const model = emptyNode(), memcg = addMemcg(model, '/x', { used: 100 * M })
  expect(pageOf(model, 'x').composition).toEqual({ title: 'composition of 100M', parts: [], facts: [] })
  tell(model, 'memcg_stat', model.nowNs, { memcgId: memcg.id, anonBytes: 60 * M, activeFileBytes: 10 * M, inactiveFileBytes: 20 * M, fileDirtyBytes: 2 * M, fileWritebackBytes: M, shmemBytes: 0, slabReclaimableBytes: 3 * M, slabUnreclaimableBytes: 2 * M, kernelBytes: 9 * M })
  const { parts, facts } = pageOf(model, 'x').composition
  expect(parts.map(({ label, bytes, note }) => [label, bytes / M, note])).toEqual([
    ['anon', 60, 'no swap'], ['file active', 10, ''], ['file inactive', 20, 'goes first'], ['to be written', 3, 'of the file cache'], ['slab recl', 3, ''], ['slab unrecl', 2, ''], ['kernel, other', 4, ''],
  ])
  expect(facts).toEqual([{ text: 'reclaimable ~33M', more: ', of it easily ~17M', tone: 'advice' }])
})

it('does not say what could be reclaimed where the file cache is not told, and no green word of next to nothing', () => {
  const model = emptyNode(), memcg = addMemcg(model, '/x', { used: 100 * M }), factsOf = (stat: Record<string, number>): unknown => { tell(model, 'memcg_stat', model.nowNs, { memcgId: memcg.id, anonBytes: 90 * M, ...stat }); return pageOf(model, 'x').composition.facts }
  expect(factsOf({ slabReclaimableBytes: M })).toEqual([])
  expect(factsOf({ activeFileBytes: M })).toEqual([{ text: 'reclaimable ~1.0M', more: '', tone: 'plain' }])
  expect(factsOf({ activeFileBytes: 0, inactiveFileBytes: M, fileDirtyBytes: 3 * M })).toEqual([{ text: 'reclaimable ~1.0M', more: ', of it easily ~0B', tone: 'plain' }])
})

it('says where anonymous memory cannot be swapped: the node has none, it is full, or a limit on the way up leaves none', () => {
  const model = emptyNode(), above = addMemcg(model, '/above', { used: 200 * M }), memcg = addMemcg(model, '/above/x', { used: 100 * M, max: 100 * M, inactiveFile: 0 })
  const note = (): string | undefined => pageOf(model, 'above/x').composition.parts[0]?.note, swap = (swapTotalBytes: number, swapFreeBytes: number): void => tell(model, 'node_memory', model.nowNs, { totalBytes: G, availableBytes: G, swapTotalBytes, swapFreeBytes })
  const limit = (memcgId: number, swapMaxBytes?: number): void => tell(model, 'memcg_limits', model.nowNs, { memcgId, maxBytes: 100 * M, swapMaxBytes })
  expect(note()).toBe('no swap')
  swap(G, 0)
  expect(note()).toBe('swap is full')
  swap(G, M)
  expect(note()).toBe('')
  limit(above.id, 0)
  expect(note()).toBe('no swap')
  limit(above.id, M)
  expect(note()).toBe('')
  // v1 limits memory and swap together.
  tell(model, 'hello', model.nowNs, { ...model.hello, memcgVersion: 'v1' })
  expect(note()).toBe('no swap')
  limit(above.id, 101 * M)
  limit(memcg.id, 101 * M)
  expect(note()).toBe('')
})

it('tells pages that come back soon after they were taken, when they are many', () => {
  const model = emptyNode(), memcg = addMemcg(model, '/x', { used: 100 * M, inactiveFile: 10 * M }), facts = (): string[] => pageOf(model, 'x').composition.facts.map(({ text, more }) => text + more)
  fillHistory(memcg.history, 'refaults', (ago) => (ago === 0 ? 0 : 40))
  expect(facts()).toEqual(['reclaimable ~10M, of it easily ~10M'])
  fillHistory(memcg.history, 'refaults', (ago) => (ago === 0 ? 0 : 260))
  expect(facts()[0]).toBe('refaults 300/s: page cache thrashes')
  tell(model, 'memcg_stat', model.nowNs, { ...memcg.stat, workingsetRefaultAnon: 7 })
  expect(facts()[0]).toBe('refaults 300/s: it thrashes')
})

it('lists every container, but in the chain of limits only the one that binds', () => {
  const model = emptyNode()
  tell(model, 'node_memory', model.nowNs, { totalBytes: 24 * G, availableBytes: 18 * G })
  addMemcg(model, '/kubepods', { used: 6 * G, max: 20 * G })
  const app = addPod(model, 'a/b', { used: 950 * M, max: G, podMax: 3 * G, container: 'app', oomKill: 2 })
  addContainer(model, app, { used: 10 * M, max: 100 * M })
  const page = pageOf(model, 'a/b')
  expect(page.subtitle).toBe('guaranteed · 2 containers · limit 1.00G')
  expect(containersOf(model, 'a/b', 'NAME', 'USED', 'LIMIT', 'OOM')).toEqual([['app', '950M', '1.00G', '2'], [expect.stringMatching(/^0+/), '10M', '100M', '·']])
  expect(page.containers.rows.map(({ tone }) => tone)).toEqual(['warn', 'plain'])
  expect(page.levels.map(({ label, max, share, binds }) => [label, max, share, binds])).toEqual([['container "app"', '1.00G', '93%', true], ['the pod', '3.00G', '31%', false], ['kubepods', '20.0G', '30%', false], ['node', '24.0G', '25%', false]])
})

it('says how each container waits: with what its own cgroups wait, and - where nothing is told', () => {
  const model = emptyNode(), waits = (): unknown[] => containersOf(model, 'a/b', 'SOME%', 'STALL', 'HIGH/s', 'OOM'), app = addPod(model, 'a/b', { used: 95 * M, max: 100 * M, some: 61.2, highPerS: 41, container: 'app' }), untold = addContainer(model, app)
  Reflect.deleteProperty(untold, 'events')
  expect(waits()).toEqual([['61.2', '-', '41', '·'], ['-', '-', '-', '-']])
  addMemcg(model, `${app.path}/worker`, { stall: 300 })
  addMemcg(model, `${app.path}x`, { stall: 500 })
  expect(waits()).toEqual([['61.2', '300', '41', '·'], ['-', '·', '-', '-']])
})

it('counts the kills of a container that was started again, too', () => {
  const model = emptyNode(), app = addPod(model, 'a/b', { used: 10 * M, max: G, container: 'app' }), before = addContainer(model, app, { used: M, oomKill: 1 }), podUid = /pod([0-9a-f-]{36})/.exec(app.path)?.[1] as string
  const kills = (): unknown[] => containersOf(model, 'a/b', 'NAME', 'OOM')
  tell(model, 'workload', 1, { from: 'cri', podUid, containerId: before.path.slice(-64), namespace: 'a', pod: 'b', container: 'app' })
  tell(model, 'memcg_death', model.nowNs, { memcgId: before.id, path: before.path, by: 'probe' })
  expect(kills()).toEqual([['app', '1']])
  tell(model, 'workload', 2, { from: 'cri', podUid, containerId: before.path.slice(-64), namespace: 'a', pod: 'b', container: 'sidecar' })
  expect(kills()).toEqual([['app', '·']])
})

it('sets what was declared beside what the kernel enforces, and says where they differ', () => {
  const model = emptyNode(), app = addPod(model, 'a/b', { used: 180 * M, max: 256 * M, container: 'app', inactiveFile: 0 }), [, podUid, containerId] = /pod([0-9a-f-]{36})\/([0-9a-f]{64})/.exec(app.path) ?? []
  expect(pageOf(model, 'a/b')).toMatchObject({ promises: [] })
  expect(pageOf(model, 'a/b').containers.columns.map(({ title }) => title)).not.toContain('REQ')
  tell(model, 'workload', 1, { from: 'kubelet', podUid: podUid as string, owner: 'Deployment/b', priority: 1000 })
  tell(model, 'workload', 1, { from: 'kubelet', podUid: podUid as string, containerId: containerId as string, container: 'app', image: 'shop/{red-fg}b:1\u001b[2J', restarts: 3, memoryRequestBytes: 128 * M, memoryLimitBytes: 256 * M })
  const page = pageOf(model, 'a/b')
  expect(page.subtitle).toBe('Deployment/b · priority 1000 · guaranteed · 1 container · limit 256M')
  expect(containersOf(model, 'a/b', 'NAME', 'REQ', 'LIMIT')).toEqual([['app', '128M', '256M']])
  expect(page.promises.map(({ text }) => text)).toEqual(['Declared: requests 128M, limits 256M. Its working set is 52M above the requests: when the node runs short it is evicted before those within theirs.', 'Restarted: app 3 times.', 'Image: shop/{red-fg}b:1?[2J.'])
  tell(model, 'workload', 2, { from: 'kubelet', podUid: podUid as string, containerId: containerId as string, container: 'app', memoryRequestBytes: 256 * M, memoryLimitBytes: 512 * M })
  expect(pageOf(model, 'a/b').promises).toMatchObject([{ text: 'app: the declared limit is 512M, the kernel holds it to 256M.', tone: 'differs' }, { text: 'Declared: requests 256M, limits 512M.', tone: 'quiet' }])
  // 64 KiB pages: a limit in bytes is rounded down to less than a page below.
  tell(model, 'hello', model.nowNs, { ...model.hello, pageSizeBytes: 65_536 })
  tell(model, 'workload', 3, { from: 'kubelet', podUid: podUid as string, containerId: containerId as string, container: 'app', memoryLimitBytes: 256 * M + 60_000 })
  expect(pageOf(model, 'a/b').promises.map(({ tone }) => tone)).not.toContain('differs')
})

it('what was declared for a container is not asked of the cgroups it made below itself', () => {
  const model = emptyNode(), app = addPod(model, 'a/b', { used: 180 * M, max: 256 * M, container: 'app' }), [, podUid, containerId] = /pod([0-9a-f-]{36})\/([0-9a-f]{64})/.exec(app.path) ?? []
  addMemcg(model, `${app.path}/init.scope`, { used: M })
  tell(model, 'workload', 1, { from: 'kubelet', podUid: podUid as string, containerId: containerId as string, container: 'app', memoryLimitBytes: 256 * M })
  const page = pageOf(model, 'a/b')
  expect(page.promises.map(({ text }) => text)).toEqual(['Declared: limits 256M.'])
  expect(containersOf(model, 'a/b', 'NAME')).toEqual([['app']])
  expect(page.levels.map(({ label }) => label)).toEqual(['container "app"', 'the pod'])
})

it('a service is described as systemd does it', () => {
  const model = emptyNode()
  addMemcg(model, '/system.slice/web.service', { used: 10 * M, max: 64 * M })
  addMemcg(model, '/system.slice/web.service/worker', { used: M })
  tell(model, 'workload', 1, { from: 'systemd', unit: 'web.service', cgroupPath: '/system.slice/web.service', description: 'The shop {bold}\u001b[2J', memoryLimitBytes: 32 * M, restarts: 2 })
  tell(model, 'workload', 1, { from: 'systemd', unit: 'db.service', cgroupPath: '/system.slice/db.service', description: 'Another' })
  expect(pageOf(model, 'system.slice/web.service').promises.map(({ text }) => text)).toEqual(['system.slice/web.service: the declared limit is 32M, the kernel holds it to 64M.', 'Declared: limits 32M.', 'Restarted: system.slice/web.service 2 times.', 'Description: The shop {bold}?[2J.'])
})

it('a pause container is called so, and was promised nothing', () => {
  const model = emptyNode(), app = addPod(model, 'a/b', { used: M, container: 'app' }), pause = addContainer(model, app, { used: M }), id = pause.path.slice(-64), podUid = /pod([0-9a-f-]{36})/.exec(app.path)?.[1] as string
  tell(model, 'workload', 1, { from: 'cri', podUid, containerId: id, namespace: 'a', pod: 'b', role: 'sandbox' })
  expect(containersOf(model, 'a/b', 'NAME')).toEqual([['app'], ['pause']])
})

it('ranks whom the kernel would take if the limit that binds were hit, and says nothing where no process is told', () => {
  const model = emptyNode(), api = addPod(model, 'a/b', { used: 950 * M, max: G, container: 'app' })
  addPod(model, 'a/free', { used: 10 * M })
  expect(pageOf(model, 'a/b').victims).toBeUndefined()
  for (const [pid, comm, mib] of [[11, 'tini', 1], [12, 'java', 700], [13, 'sh', 90]] as const) {
    tell(model, 'process', model.nowNs, { pid, startNs: pid, memcgId: api.id, ppid: 1, uid: 0, threads: 1, comm })
    tell(model, 'process_memory', model.nowNs, { pid, startNs: pid, anonBytes: mib * M, fileBytes: 0, shmemBytes: 0, swapBytes: 0, pgtablesBytes: 0, oomScoreAdj: 0, readNs: model.nowNs })
  }
  const { victims } = pageOf(model, 'a/b')
  expect(victims?.title).toBe('who would be killed next if the limit of container "app" were hit (computed from /proc)')
  expect(victims?.rows.map(({ cells, tone }) => [...cells.slice(0, 2), tone])).toEqual([['12', 'java', 'warn'], ['13', 'sh', 'plain'], ['11', 'tini', 'plain']])
  expect(victims?.columns.map(({ title }) => title)).not.toContain('PLACE')
  expect(pageOf(model, 'a/free').victims).toBeUndefined()
})

it('ranks for the fullest of several limits within while none of them is near', () => {
  const model = emptyNode(), api = addPod(model, 'a/b', { used: 30 * M, max: 100 * M, container: 'app' }), other = addContainer(model, api, { used: 20 * M, max: 50 * M })
  for (const [pid, { id }] of [[11, api], [12, other]] as const) {
    tell(model, 'process', model.nowNs, { pid, startNs: pid, memcgId: id, ppid: 1, uid: 0, threads: 1, comm: 'x' })
    tell(model, 'process_memory', model.nowNs, { pid, startNs: pid, anonBytes: M, fileBytes: 0, shmemBytes: 0, swapBytes: 0, pgtablesBytes: 0, oomScoreAdj: 0, readNs: model.nowNs })
  }
  const { victims } = pageOf(model, 'a/b')
  expect([victims?.title, victims?.rows.map(({ cells: [pid] }) => pid)]).toEqual([expect.stringContaining(other.path.slice(-64, -52)), ['12']])
})

it('tells those under the limit of a pod apart by their container', () => {
  const model = emptyNode(), app = addPod(model, 'a/b', { used: 90 * M, podMax: 100 * M, container: 'app' })
  tell(model, 'process', model.nowNs, { pid: 11, startNs: 1, memcgId: app.id, ppid: 1, uid: 0, threads: 1, comm: 'x' })
  tell(model, 'process_memory', model.nowNs, { pid: 11, startNs: 1, anonBytes: M, fileBytes: 0, shmemBytes: 0, swapBytes: 0, pgtablesBytes: 0, oomScoreAdj: 0, readNs: model.nowNs })
  const { columns = [], rows = [] } = pageOf(model, 'a/b').victims ?? {}
  expect([columns.map(({ title }) => title), rows[0]?.cells[columns.findIndex(({ title }) => title === 'CONTAINER')]]).toEqual([expect.not.arrayContaining(['PLACE']), 'app'])
})

it('keeps the place of those under the limit of a service, which is no pod', () => {
  const model = emptyNode(), web = addMemcg(model, '/system.slice/web.service', { used: 90 * M, max: 100 * M })
  tell(model, 'process', model.nowNs, { pid: 11, startNs: 1, memcgId: web.id, ppid: 1, uid: 0, threads: 1, comm: 'x' })
  tell(model, 'process_memory', model.nowNs, { pid: 11, startNs: 1, anonBytes: M, fileBytes: 0, shmemBytes: 0, swapBytes: 0, pgtablesBytes: 0, oomScoreAdj: 0, readNs: model.nowNs })
  const { columns = [], rows = [], notes } = pageOf(model, 'system.slice/web').victims ?? {}
  expect(rows[0]?.cells[columns.findIndex(({ title }) => title === 'PLACE')]).toBe('web.service')
  // Nobody else is there who could live on.
  expect(notes).toHaveLength(1)
})

it('says of each who could be killed what its memory consists of, how far its points are from the most, and how they are made', () => {
  const model = emptyNode(), api = addPod(model, 'a/b', { used: 95 * M, max: 100 * M, container: 'app' })
  const process = (pid: number, memory: Record<string, number>): void => {
    tell(model, 'process', model.nowNs, { pid, startNs: pid, memcgId: api.id, ppid: 1, uid: 0, threads: 1, comm: `p${pid}` })
    tell(model, 'process_memory', model.nowNs, { pid, startNs: pid, anonBytes: 0, fileBytes: 0, shmemBytes: 0, swapBytes: 0, pgtablesBytes: 0, oomScoreAdj: 0, readNs: model.nowNs, ...memory })
  }
  const cellsOf = (...titles: readonly string[]): unknown[] => { const { columns = [], rows = [] } = pageOf(model, 'a/b').victims ?? {}; return rows.map(({ cells }) => titles.map((title) => cells[columns.findIndex((column) => column.title === title)])) }
  process(11, { anonBytes: 50 * M, fileBytes: 4 * M, shmemBytes: 8 * M, pgtablesBytes: 2 * M })
  process(12, { anonBytes: 16 * M })
  expect(cellsOf('MEMORY', 'ANON', 'SHM', 'FILE', 'PGTABLES', 'SWAP')).toEqual([['64M', '50M', '8.0M', '4.0M', '2.0M', undefined], ['16M', '16M', '·', '·', '·', undefined]])
  expect(cellsOf('')).toEqual([[{ share: 1, tone: 'alarm' }], [{ share: 0.25, tone: 'quiet' }]])
  expect(pageOf(model, 'a/b').victims?.notes).toEqual(['memory.oom.group off: one dies', 'points = rss + swap + page tables in pages + oom_score_adj x 25600 / 1000'])
  process(12, { anonBytes: 16 * M, swapBytes: M })
  tell(model, 'memcg_limits', model.nowNs, { memcgId: api.id, maxBytes: 100 * M, oomGroup: true })
  expect(cellsOf('SWAP')).toEqual([['·'], ['1.0M']])
  expect(pageOf(model, 'a/b').victims?.notes?.[0]).toBe('memory.oom.group: 2 die together')
  tell(model, 'memcg_limits', model.nowNs, { memcgId: api.id, maxBytes: 100 * M })
  expect(pageOf(model, 'a/b').victims?.notes).toHaveLength(1)
})
