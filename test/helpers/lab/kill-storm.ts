/** Forty kills at one moment on cgroup v2, heard of through inotify alone: what the kernel counts in a memcg and in all above it, and what the bridge says of that. Plain node. */
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { BridgeRun } from './bridge.ts'
import type { Memcg } from './cgroup.ts'
import type { Hog, Lab } from './lab.ts'

const CONTAINERS = 5, LIMIT_BYTES = 6 * 2 ** 20
export const STORM_PODS = 8
export const STORM_KILLS = STORM_PODS * CONTAINERS
/** What is not told after so long will not be. */
const TOLD_MS = 100, TOLD_TRIES = 600
/** No look but the first, and no repetition, before the storm is long over. */
const NO_LOOKS = ['--slow-ms', '600000', '--keyframe-ms', '3600000', '--max-processes', '0', '--budget-centi', '10000']

export type Counts = { readonly oom: number; readonly oomKill: number; readonly localOom: number; readonly localOomKill: number }
export type StormPlace = { readonly path: string; readonly kernel: Counts; readonly told: Counts | undefined }
/** `readings`: rows about events, which are more than places when counts were told while they rose. */
export type Storm = { readonly places: readonly StormPlace[]; readonly readings: number }

/** [15, tsNs, memcgId, low, high, max, oom, oomKill, oomGroupKill, localHigh, localMax, localOom, localOomKill] */
const MEMCG_EVENTS = 15

const kernelCounts = (group: Memcg): Counts => {
  const { oom = 0, oomKill, localOom = 0, localOomKill = 0 } = group.events()
  return { oom, oomKill, localOom, localOomKill }
}

function toldOf(rows: readonly unknown[][], id: number): Counts | undefined {
  const row = rows.findLast((one) => one[2] === id) as number[] | undefined
  return row === undefined ? undefined : { oom: row[6] ?? -1, oomKill: row[7] ?? -1, localOom: row[11] ?? -1, localOomKill: row[12] ?? -1 }
}

const isTold = ({ kernel, told }: StormPlace): boolean => told !== undefined && told.oom === kernel.oom && told.oomKill === kernel.oomKill && told.localOom === kernel.localOom && told.localOomKill === kernel.localOomKill

export async function runKillStorm(lab: Lab, scratch: string): Promise<Storm> {
  const storm = lab.memcg('/storm'), pods = Array.from({ length: STORM_PODS }, (_, i) => lab.remember(storm.child(`pod${i}`).create()))
  const containers = pods.flatMap((pod) => Array.from({ length: CONTAINERS }, (_, i) => lab.remember(pod.child(`c${i}`).create({ maxBytes: LIMIT_BYTES }))))
  const { mount } = lab.options, bridge = await BridgeRun.start(mount, join(mount.directory, 'storm'), `${scratch}/storm.oom`, NO_LOOKS)
  try {
    const hogs: Hog[] = []
    for (const cgroup of containers) hogs.push(await lab.hog({ cgroup, name: 'storm', touchMib: 2, growToMib: 12 }))
    for (const { workload } of hogs) workload.tell('g')
    await Promise.all(hogs.map(({ workload }) => workload.exited))
    for (let tries = 0; ; tries += 1) {
      const rows = bridge.said(MEMCG_EVENTS), places = [storm, ...pods, ...containers].map((group) => ({ path: group.path, kernel: kernelCounts(group), told: toldOf(rows, group.inode) }))
      if (places.every(isTold) || tries >= TOLD_TRIES) return { places, readings: rows.length }
      await wait(TOLD_MS)
    }
  } finally {
    await bridge.end()
    await lab.clear()
  }
}
