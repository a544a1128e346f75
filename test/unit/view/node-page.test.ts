/** The node's page: zones stand against the watermarks that an ordinary allocation meets, and only what was read is shown. */
import { expect, it } from 'vitest'
import type { NodeModel } from '../../../src/model/node.ts'
import { nodePage } from '../../../src/view/node-page.ts'
import { emptyNode, G, M, NOW_S, tell } from '../../helpers/node-model.ts'

const pages = (bytes: number): number => bytes / 4096

function zone(model: NodeModel, name: string, free: number, more: { readonly numaNode?: number; readonly managed?: number; readonly protection?: number } = {}): void {
  const { numaNode = 0, managed = 8 * G, protection = 0 } = more
  tell(model, 'node_zone', NOW_S * 1e9, { numaNode, zone: name, freePages: pages(free), minPages: pages(20 * M), lowPages: pages(40 * M), highPages: pages(60 * M), managedPages: pages(managed), protectionPages: [0, 0, pages(protection)] })
}
const buddy = (model: NodeModel, name: string, freeBlocks: readonly number[], numaNode = 0): void => tell(model, 'node_buddy', NOW_S * 1e9, { numaNode, zone: name, freeBlocks })
const urgent = (model: NodeModel): string[] => nodePage(model).lines.filter(({ tone }) => tone === 'urgent').map(({ text }) => text)

it('says in which state each zone is, with what it keeps back for requests that can use nothing else', () => {
  const model = emptyNode()
  zone(model, 'DMA', 15 * M, { managed: 15 * M, protection: 7 * G })
  zone(model, 'DMA32', 500 * M, { managed: 3 * G, protection: 450 * M })
  for (const [name, free] of [['N1', G], ['N2', 50 * M], ['N3', 30 * M], ['N4', 20 * M]] as const) zone(model, name, free)
  expect(nodePage(model).zones.map(({ label, state, low }) => [label, state, low])).toEqual([['DMA', 'reserved', '7.04G'], ['DMA32', 'resting', '490M'], ['N1', 'ample', '40M'], ['N2', 'resting', '40M'], ['N3', 'kswapd', '40M'], ['N4', 'direct', '40M']])
  expect(urgent(model)).toEqual([])
  expect(nodePage(model).lines).toEqual([{ text: 'N1: 1.00G free; kswapd wakes at 40M, allocations wait for reclaim at 20M.', tone: 'quiet' }])
})

it('calls the node short of memory only when no zone can give any', () => {
  const model = emptyNode()
  zone(model, 'DMA', 15 * M, { managed: 15 * M, protection: 7 * G })
  zone(model, 'Normal', 30 * M)
  expect(urgent(model)).toEqual([expect.stringMatching(/^No zone is above its low watermark \(Normal: 30M free, low 40M\)/)])
  zone(model, 'Normal', 19 * M)
  expect(urgent(model)).toEqual([expect.stringMatching(/^No zone is above its min watermark \(Normal: 19M free, min 20M\)/)])
  zone(model, 'Normal', G, { numaNode: 1 })
  expect(urgent(model)).toEqual([])
  expect(nodePage(model).zones.map(({ label }) => label)).toEqual(['node 0 DMA', 'node 0 Normal', 'node 1 Normal'])
})

it('tells memory in pieces from memory', () => {
  const model = emptyNode()
  buddy(model, 'Normal', [5000, 10, 3, 0, 0])
  expect(nodePage(model)).toMatchObject({ orders: ['4.0K', '8.0K', '16K', '32K', '64K'], buddy: [{ label: 'Normal', cells: ['5.0k', '10', '3', '·', '·'], largestOrder: 2, largest: '16K' }] })
  expect(urgent(model)).toEqual([expect.stringMatching(/^Memory is in pieces: no free block of 32K/)])
  buddy(model, 'DMA32', [0, 0, 0, 1, 0])
  expect(urgent(model)).toEqual([])
})

it('shows the largest slab caches of the newest reading only, hostile names included', () => {
  const model = emptyNode()
  expect(nodePage(model).slabsAbsent).toMatch(/root only/)
  const slab = (tsNs: number, rank: number, name: string, totalBytes: number): void => tell(model, 'node_slab', tsNs, { rank, name, activeObjects: 3, objects: 4, objectBytes: 512, totalBytes })
  slab(1, 0, 'old', 9 * M)
  slab(2, 0, 'dentry', 4 * M)
  slab(2, 1, 'x\u001b[2J', M)
  expect(nodePage(model).slabs).toEqual([{ name: 'dentry', bytes: 4 * M, size: '4.0M', share: 1, used: '75%', objects: '4' }, { name: 'x\\x1b[2J', bytes: M, size: '1.0M', share: 0.25, used: '75%', objects: '4' }])
  expect(nodePage(model).slabsAbsent).toBeUndefined()
})

it('gives rates of the last ten seconds, and none where the kernel counts nothing', () => {
  const model = emptyNode(), vmstat = (second: number, fields: Record<string, number>): void => tell(model, 'node_vmstat', second * 1e9, fields)
  vmstat(1, { pgscanDirect: 0, pgstealDirect: 0, allocstall: 0 })
  expect(nodePage(model).rates.every(({ text }) => text === '-')).toBe(true)
  vmstat(20, { pgscanDirect: 1000, pgstealDirect: 1000, allocstall: 7 })
  vmstat(30, { pgscanDirect: 11_000, pgstealDirect: 1100, allocstall: 7 })
  expect(Object.fromEntries(nodePage(model).rates.map(({ label, text, tone }) => [label, `${text} ${tone}`]))).toMatchObject({ 'direct scanned': '1.0k urgent', 'direct reclaimed': '10 plain', 'direct reclaims': '· quiet', 'swapped in': '- quiet' })
  expect(urgent(model)).toEqual(['Direct reclaim scans 1.0k pages a second and gets 10: little is left that can be taken.'])
})

it('says when what was reclaimed is read back at once', () => {
  const model = emptyNode(), vmstat = (second: number, reclaimed: number, refaulted: number): void => tell(model, 'node_vmstat', second * 1e9, { pgstealKswapd: reclaimed, pgstealDirect: 0, workingsetRefaultFile: refaulted })
  vmstat(1, 0, 0)
  vmstat(2, 1000, 400)
  expect(urgent(model)).toEqual([])
  vmstat(3, 2000, 1400)
  expect(urgent(model)).toEqual([expect.stringMatching(/thrashing/)])
})

it('keeps no more readings, zones and caches than a kernel has', () => {
  const model = emptyNode()
  for (let i = 0; i < 20_000; i++) { zone(model, `z${i}`, G); tell(model, 'node_slab', 5, { rank: i, name: 'x', activeObjects: 0, objects: 0, objectBytes: 0, totalBytes: 0 }); tell(model, 'node_vmstat', 5, {}) }
  expect([model.zones.size, model.slabs.length, model.vmstats.length]).toEqual([8192, 64, 64])
})
