/** The page of a workload: charts of what was measured, composition, the chain of limits, its containers. */
import { expect, it } from 'vitest'
import { overviewRows } from '../../../src/view/overview.ts'
import { podPage } from '../../../src/view/pod-page.ts'
import type { PodPage } from '../../../src/view/pod-page.ts'
import type { NodeModel } from '../../../src/model/node.ts'
import { addContainer, addMemcg, addPod, emptyNode, G, M, tell, TEST_LENS } from '../../helpers/node-model.ts'

function pageOf(model: NodeModel, name: string): PodPage {
  const row = overviewRows(TEST_LENS, model).find((candidate) => candidate.name.startsWith(name)), page = row === undefined ? undefined : podPage(model, row, 'burstable')
  if (page === undefined) throw new Error(`no page of ${name}`)
  return page
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
  tell(model, 'memcg_stat', model.nowNs, { memcgId: memcg.id, anonBytes: 60 * M, activeFileBytes: 10 * M, inactiveFileBytes: 20 * M, fileDirtyBytes: 2 * M, fileWritebackBytes: M, shmemBytes: 0, slabReclaimableBytes: 3 * M, slabUnreclaimableBytes: 2 * M, kernelBytes: 9 * M })
  expect(pageOf(model, 'x').composition.map(({ label, bytes, note }) => [label, bytes / M, note])).toEqual([
    ['anon', 60, 'nothing frees it'], ['file active', 10, ''], ['file inactive', 20, 'goes first'], ['to be written', 3, 'of the file cache'], ['slab recl', 3, ''], ['slab unrecl', 2, ''], ['kernel, other', 4, ''],
  ])
})

it('lists every container, but in the chain of limits only the one that binds', () => {
  const model = emptyNode()
  tell(model, 'node_memory', model.nowNs, { totalBytes: 24 * G, availableBytes: 18 * G })
  addMemcg(model, '/kubepods', { used: 6 * G, max: 20 * G })
  const app = addPod(model, 'a/b', { used: 950 * M, max: G, podMax: 3 * G, container: 'app', oomKill: 2 })
  addContainer(model, app, { used: 10 * M, max: 100 * M })
  const page = pageOf(model, 'a/b')
  expect(page.subtitle).toBe('burstable · 2 containers · limit 1.00G')
  expect(page.containers.map(({ label, used, max, oom, binds }) => [label, used, max, oom, binds])).toEqual([['app', '950M', '1.00G', '2', true], [expect.stringMatching(/^0+/), '10M', '100M', '·', false]])
  expect(page.levels.map(({ label, max, share, binds }) => [label, max, share, binds])).toEqual([['container "app"', '1.00G', '93%', true], ['the pod', '3.00G', '31%', false], ['kubepods', '20.0G', '30%', false], ['node', '24.0G', '25%', false]])
})
