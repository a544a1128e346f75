/** Who would be killed next: the kernel's formula with its exceptions, over the processes that this limit would judge. */
import { expect, it } from 'vitest'
import type { NodeModel } from '../../../src/model/node.ts'
import { nextVictimOf } from '../../../src/verdict/next-victim.ts'
import { detailOf } from '../../../src/view/detail.ts'
import { nodeSheet } from '../../../src/view/node-sheet.ts'
import { momentOf } from '../../../src/view/moment.ts'
import { overviewRows } from '../../../src/view/overview.ts'
import { nextVictimLine, victimRanking } from '../../../src/view/next-victim.ts'
import { addMemcg, addPod, emptyNode, G, M, NOW_S, tell, TEST_LENS } from '../../helpers/node-model.ts'

type Spec = { readonly anon?: number; readonly file?: number; readonly swap?: number; readonly pgtables?: number; readonly adj?: number; readonly comm?: string; readonly command?: string; readonly ageS?: number }

function add(model: NodeModel, memcgId: number, pid: number, spec: Spec = {}): void {
  const nowNs = NOW_S * 1e9, startNs = 1e9
  tell(model, 'process', nowNs, { pid, startNs, memcgId, ppid: 1, uid: 0, threads: 1, comm: spec.comm ?? `p${pid}` })
  tell(model, 'process_memory', nowNs, { pid, startNs, anonBytes: spec.anon ?? 0, fileBytes: spec.file ?? 0, shmemBytes: 0, swapBytes: spec.swap ?? 0, pgtablesBytes: spec.pgtables ?? 0, oomScoreAdj: spec.adj ?? 0, readNs: nowNs - (spec.ageS ?? 0) * 1e9 })
  if (spec.command !== undefined) tell(model, 'process_command', nowNs, { pid, startNs, commandLine: spec.command, settings: '', environRead: true, runtime: 'jvm' })
}
const points = (model: NodeModel, holderId?: number): (readonly [number, number | undefined])[] => (nextVictimOf(model, holderId)?.judged ?? []).map(({ task, points: of }) => [task.pid, of])
const chosen = (model: NodeModel, holderId?: number): number | undefined => nextVictimOf(model, holderId)?.chosen?.task.pid

it('adds up resident memory, swap and page tables in pages, and the adjustment in thousandths of limit and swap, as integers', () => {
  const model = emptyNode(), { id } = addMemcg(model, '/a', { used: 100 * M, max: 100 * M + 4096 * 999 })
  add(model, id, 10, { anon: 40 * M, file: 2 * M, swap: M, pgtables: 3 * 4096 + 1024 })
  add(model, id, 11, { anon: 4 * M, adj: 500 })
  add(model, id, 12, { anon: 4 * M, adj: -300 })
  // 26599 pages: a thousandth is 26, not 26.599.
  expect(points(model, id)).toEqual([[11, 1024 + 500 * 26], [10, 10240 + 512 + 256 + 3], [12, 1024 - 300 * 26]])
})

it('takes the swap that limit and node have into the total, on v1 from memory+swap', () => {
  const model = emptyNode(), { id } = addMemcg(model, '/a', { max: 100 * M }), limits = (swapMaxBytes: number | undefined): void => tell(model, 'memcg_limits', 0, { memcgId: id, maxBytes: 100 * M, swapMaxBytes })
  add(model, id, 10)
  expect(nextVictimOf(model, id)?.totalBytes).toBe(100 * M)
  tell(model, 'node_memory', 0, { totalBytes: 24 * G, availableBytes: G, swapTotalBytes: 50 * M })
  expect([undefined, 30 * M, 0, 70 * M].map((swap) => { limits(swap); return (nextVictimOf(model, id)?.totalBytes ?? 0) / M })).toEqual([150, 130, 100, 150])
  tell(model, 'hello', 0, { ...model.hello, memcgVersion: 'v1' })
  expect([undefined, 110 * M, 100 * M, 300 * M].map((swap) => { limits(swap); return (nextVictimOf(model, id)?.totalBytes ?? 0) / M })).toEqual([150, 110, 100, 150])
  expect(nextVictimOf(model)?.totalBytes).toBe(24 * G + 50 * M)
})

it('judges who is below the limit, and nobody else', () => {
  const model = emptyNode(), pod = addMemcg(model, '/pod', { max: G }), a = addMemcg(model, '/pod/a'), b = addMemcg(model, '/pod/b'), other = addMemcg(model, '/other')
  add(model, a.id, 10, { anon: 10 * M }); add(model, b.id, 11, { anon: 30 * M }); add(model, other.id, 12, { anon: 50 * M })
  expect([chosen(model, pod.id), chosen(model)]).toEqual([11, 12])
  expect(nextVictimOf(model, a.id)).toBeUndefined()
})

it('spares the first process of the node and who has an oom_score_adj of -1000', () => {
  const model = emptyNode(), { id } = addMemcg(model, '/a', { max: G })
  add(model, id, 1, { anon: 500 * M }); add(model, id, 11, { anon: 400 * M, adj: -1000 })
  expect(nextVictimOf(model, id)?.judged.map(({ exempt }) => exempt)).toEqual(['global-init', 'oom_score_adj -1000'])
  expect(nextVictimLine(model, id)).toEqual([{ text: 'Nobody could be killed if this limit were hit now: 2 processes, all exempt; allocations would fail or hang.', tone: 'urgent' }])
  add(model, id, 12, { anon: M, adj: -999 })
  expect(chosen(model, id)).toBe(12)
})

it('gives whoever can be killed a point before 5.9, and negative points since', () => {
  const model = emptyNode(), { id } = addMemcg(model, '/a', { max: G })
  add(model, id, 10, { anon: M, adj: -900 })
  expect(points(model, id)[0]?.[1]).toBeLessThan(0)
  tell(model, 'hello', 0, { ...model.hello, kernelRelease: '5.4.0' })
  expect(points(model, id)).toEqual([[10, 1]])
})

it('says that a tie is one, and how far behind the next is', () => {
  const model = emptyNode(), { id } = addMemcg(model, '/a', { max: G })
  add(model, id, 10, { anon: 20 * M, comm: 'one', ageS: 3 }); add(model, id, 11, { anon: 12 * M, comm: 'two' })
  expect(nextVictimLine(model, id)[0]?.text).toBe('Next victim if this limit were hit now: one (pid 10), because it has 20M; then two (pid 11), 8.0M behind. Computed from /proc, 3s old.')
  add(model, id, 12, { anon: 20 * M, comm: 'three' })
  expect(nextVictimLine(model, id)[0]?.text).toMatch(/three \(pid 12\) would do as well: the same points\. Computed/)
})

it('says when it is the adjustment that decides and not the size', () => {
  const model = emptyNode(), { id } = addMemcg(model, '/a', { max: G })
  add(model, id, 10, { anon: 300 * M, comm: 'app' }); add(model, id, 11, { anon: 10 * M, adj: 800, comm: 'side\u001b[31mcar' })
  const [line] = nextVictimLine(model, id)
  expect(line?.text).toContain('side?[31mcar (pid 11), because it has 10M, less than app (pid 10) with 300M, but an oom_score_adj of 800 (against 0); then app (pid 10), 529M behind.')
})

it('names who dies with it where memory.oom.group is set, as far out as it is set', () => {
  const model = emptyNode(), pod = addMemcg(model, '/pod', { max: G }), a = addMemcg(model, '/pod/a'), b = addMemcg(model, '/pod/b'), group = (memcgId: number, oomGroup: boolean, maxBytes?: number): void => tell(model, 'memcg_limits', 0, { memcgId, maxBytes, oomGroup })
  add(model, a.id, 10, { anon: 20 * M }); add(model, a.id, 11, { anon: M }); add(model, a.id, 12, { anon: M, adj: -1000 }); add(model, b.id, 13, { anon: M })
  expect(nextVictimOf(model, pod.id)?.group).toBeUndefined()
  group(a.id, true)
  expect(nextVictimOf(model, pod.id)?.group).toMatchObject({ path: '/pod/a', with: [{ task: { pid: 11 } }] })
  expect(nextVictimLine(model, pod.id)[0]?.text).toContain('; 1 other of its memory.oom.group dies with it.')
  group(pod.id, true, G)
  expect(nextVictimOf(model, pod.id)?.group?.with.map(({ task }) => task.pid)).toEqual([11, 13])
  group(pod.id, false, G); group(a.id, true)
  expect(nextVictimOf(model, a.id)).toBeUndefined()
})

it('says how many are seen and not yet read, and nothing where nobody is seen', () => {
  const model = emptyNode(), { id } = addMemcg(model, '/a', { max: G })
  expect([nextVictimLine(model, id), nextVictimLine(model, 4711)]).toEqual([[], []])
  add(model, id, 10, { anon: M })
  tell(model, 'process', NOW_S * 1e9, { pid: 11, startNs: 1e9, memcgId: id, ppid: 1, uid: 0, threads: 1, comm: 'new' })
  expect(nextVictimLine(model, id)[0]?.text).toMatch(/is the only one that can be killed\. Computed from \/proc, under 1s old, 1 not read yet\.$/)
})

it('ranks them for a table, hostile command lines included', () => {
  const model = emptyNode(), { id } = addMemcg(model, '/a', { max: G })
  add(model, id, 10, { anon: 20 * M, command: 'java -jar x\u001b]0;owned\u0007.jar\n' }); add(model, id, 11, { anon: 10 * M }); add(model, id, 12, { anon: M, adj: -1000 })
  expect(victimRanking(model, id, 2)).toMatchObject({ omitted: 1, ranked: [{ pid: 10, command: 'java -jar x?]0;owned?.jar?', place: 'a', runtime: 'jvm', memory: '20M', adj: '0', points: '5120', share: 1, fate: 'next' }, { pid: 11, share: 0.5, fate: '' }] })
  expect(victimRanking(model, id).ranked[2]).toMatchObject({ pid: 12, points: '-', fate: 'exempt', share: 0 })
})

it('stands on the page of a workload, for the limit that binds, and on the node’s', () => {
  const model = emptyNode(), container = addPod(model, 'a/api', { used: 950 * M, max: G }), free = addMemcg(model, '/free', { used: M })
  add(model, container.id, 10, { anon: 900 * M, comm: 'api' }); add(model, free.id, 11, { anon: 2 * G, comm: 'batch' })
  const linesOf = (name: string): string[] => overviewRows(momentOf(TEST_LENS, model)).filter((row) => row.name.startsWith(name)).flatMap((row) => detailOf(model, { row, kills: [] })).map(({ text }) => text).filter((text) => text.startsWith('Next victim'))
  expect(linesOf('a/api')).toEqual([expect.stringMatching(/^Next victim if this limit were hit now: api \(pid 10\), because it has 900M and is the only one/)])
  expect(linesOf('free')).toEqual([])
  const sections = nodeSheet(model), table = sections.find((section) => section.title.startsWith('who would be killed next'))
  expect(JSON.stringify(sections[0])).toContain('Next victim if the node ran out of memory now: batch (pid 11)')
  expect(table?.kind === 'table' ? table.rows.map(({ cells: [pid, command, place], tone }) => [pid, command, place, tone]) : []).toEqual([['11', 'batch', 'free', 'warn'], ['10', 'api', 'a/api:api', 'plain']])
})
