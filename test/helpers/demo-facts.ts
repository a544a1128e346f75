/** Zones, free blocks, slab caches and reclaim of the invented node: a node whose Normal zone has just fallen below its low watermark. */
import type { NodeModel } from '../../src/model/node.ts'
import { G, M, NOW_S, tell } from './node-model.ts'

const pages = (bytes: number): number => Math.round(bytes / 4096)
const ZONES: readonly (readonly [zone: string, free: number, low: number, managed: number, protection: number])[] = [['DMA', 15 * M, 20 * 1024, 15 * M, 23 * G], ['DMA32', 1.2 * G, 12 * M, 3 * G, 20 * G], ['Normal', 48 * M, 60 * M, 20.5 * G, 0]]
const SLABS: readonly (readonly [name: string, total: number, active: number, objects: number])[] = [['dentry', 890 * M, 4.4e6, 4.7e6], ['ext4_inode_cache', 610 * M, 5.5e5, 5.6e5], ['radix_tree_node', 190 * M, 3.1e5, 3.4e5], ['kmalloc-512', 71 * M, 9.1e4, 1.4e5], ['filp', 40 * M, 1.5e5, 1.6e5]]

export function addDemoFacts(model: NodeModel): void {
  for (let ago = 10; ago >= 0; ago--) {
    const passed = 10 - ago, rise = (perS: number): number => 1e6 + perS * passed
    tell(model, 'node_vmstat', (NOW_S - ago) * 1e9, { oomKill: 4, pgscanKswapd: rise(41_000), pgstealKswapd: rise(12_000), pgscanDirect: rise(9_000), pgstealDirect: rise(600), allocstall: rise(37), pswpin: 0, pswpout: 0,
      pgmajfault: rise(85), pageoutrun: rise(3), workingsetRefaultFile: rise(8_200), workingsetRefaultAnon: 0, compactStall: rise(1.4), compactFail: rise(0.8), thpFaultFallback: rise(12), pgscanDirectThrottle: 0, slabsScanned: rise(5_100) })
  }
  for (const [zone, free, low, managed, protection] of ZONES) {
    tell(model, 'node_zone', NOW_S * 1e9, { numaNode: 0, zone, freePages: pages(free), minPages: pages(low * 0.8), lowPages: pages(low), highPages: pages(low * 1.2), managedPages: pages(managed), protectionPages: [0, 0, pages(protection)] })
    tell(model, 'node_buddy', NOW_S * 1e9, { numaNode: 0, zone, freeBlocks: zone === 'DMA' ? [0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3] : zone === 'DMA32' ? [310, 250, 190, 120, 60, 30, 10, 4, 1, 1, 270] : [9800, 1100, 90, 2, 0, 0, 0, 0, 0, 0, 0] })
  }
  SLABS.forEach(([name, totalBytes, activeObjects, objects], rank) => tell(model, 'node_slab', NOW_S * 1e9, { rank, name, activeObjects, objects, objectBytes: 192, totalBytes }))
}
