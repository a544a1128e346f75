/** For the question whether every sampled number is the kernel's own: files are read beside the bridge, often and with the time of each reading, so that whatever it says is bracketed. */
import { closeSync, existsSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Memcg, MemcgVersion } from './cgroup.ts'
import { Workload } from './workload.ts'

export type Sampled = 'memcg_usage' | 'memcg_limits' | 'memcg_stat' | 'memcg_numa' | 'memcg_events' | 'memcg_psi'
/** Where each version says it: `file`, `file:key` of a line, or nothing; with a NUMA node, its column there. A counter only rises. */
export type Source = { readonly kind: Sampled; readonly field: string; readonly v1?: string; readonly v2?: string; readonly isCounter?: boolean; readonly numaNode?: number }

const gauge = (kind: Sampled, field: string, v2: string | undefined, v1?: string): Source => ({ kind, field, ...(v1 === undefined ? {} : { v1 }), ...(v2 === undefined ? {} : { v2 }) })
const counter = (kind: Sampled, field: string, v2: string | undefined, v1?: string): Source => ({ ...gauge(kind, field, v2, v1), isCounter: true })
const statGauge = (field: string, key: string, v1?: string): Source => gauge('memcg_stat', field, `memory.stat:${key}`, v1 === undefined ? undefined : `memory.stat:${v1}`)
const statCounter = (field: string, key: string, v1?: string): Source => counter('memcg_stat', field, `memory.stat:${key}`, v1 === undefined ? undefined : `memory.stat:${v1}`)

/** Of both nodes of the guest; v1 has three of them, in pages. */
const onNodes = (field: string, key: string, v1?: string): Source[] => [0, 1].map((numaNode) => ({ ...gauge('memcg_numa', field, `memory.numa_stat:${key}`, v1 === undefined ? undefined : `memory.numa_stat:${v1}`), numaNode }))

/** Written from the kernel's documentation (cgroup-v2.rst, cgroup-v1/memory.rst), not from the bridge. */
export const SOURCES: readonly Source[] = [
  gauge('memcg_usage', 'currentBytes', 'memory.current', 'memory.usage_in_bytes'), counter('memcg_usage', 'peakBytes', 'memory.peak', 'memory.max_usage_in_bytes'),
  gauge('memcg_limits', 'minBytes', 'memory.min'), gauge('memcg_limits', 'lowBytes', 'memory.low', 'memory.soft_limit_in_bytes'), gauge('memcg_limits', 'highBytes', 'memory.high'),
  gauge('memcg_limits', 'maxBytes', 'memory.max', 'memory.limit_in_bytes'), gauge('memcg_limits', 'swapMaxBytes', 'memory.swap.max', 'memory.memsw.limit_in_bytes'),
  statGauge('anonBytes', 'anon', 'total_rss'), statGauge('fileBytes', 'file', 'total_cache'), statGauge('shmemBytes', 'shmem', 'total_shmem'), statGauge('fileMappedBytes', 'file_mapped', 'total_mapped_file'),
  statGauge('fileDirtyBytes', 'file_dirty', 'total_dirty'), statGauge('fileWritebackBytes', 'file_writeback', 'total_writeback'), statGauge('inactiveAnonBytes', 'inactive_anon', 'total_inactive_anon'),
  statGauge('activeAnonBytes', 'active_anon', 'total_active_anon'), statGauge('inactiveFileBytes', 'inactive_file', 'total_inactive_file'), statGauge('activeFileBytes', 'active_file', 'total_active_file'),
  statGauge('unevictableBytes', 'unevictable', 'total_unevictable'), statGauge('anonThpBytes', 'anon_thp', 'total_rss_huge'), statGauge('slabReclaimableBytes', 'slab_reclaimable'),
  statGauge('slabUnreclaimableBytes', 'slab_unreclaimable'), gauge('memcg_stat', 'kernelBytes', 'memory.stat:kernel', 'memory.kmem.usage_in_bytes'), statGauge('kernelStackBytes', 'kernel_stack'),
  statGauge('pagetablesBytes', 'pagetables'), statGauge('sockBytes', 'sock'), statGauge('swapcachedBytes', 'swapcached', 'total_swapcached'), statGauge('percpuBytes', 'percpu'), statGauge('vmallocBytes', 'vmalloc'),
  statGauge('secPagetablesBytes', 'sec_pagetables'), statGauge('zswapBytes', 'zswap'), statGauge('zswappedBytes', 'zswapped'), statGauge('fileThpBytes', 'file_thp'), statGauge('shmemThpBytes', 'shmem_thp'),
  statCounter('pgfault', 'pgfault', 'total_pgfault'), statCounter('pgmajfault', 'pgmajfault', 'total_pgmajfault'), statCounter('workingsetRefaultAnon', 'workingset_refault_anon', 'total_workingset_refault_anon'),
  statCounter('workingsetRefaultFile', 'workingset_refault_file', 'total_workingset_refault_file'), statCounter('pgscan', 'pgscan'), statCounter('pgsteal', 'pgsteal'), statCounter('pgscanKswapd', 'pgscan_kswapd'),
  statCounter('pgscanDirect', 'pgscan_direct'), statCounter('pgstealKswapd', 'pgsteal_kswapd'), statCounter('pgstealDirect', 'pgsteal_direct'), statCounter('pgrefill', 'pgrefill'),
  statCounter('workingsetActivateAnon', 'workingset_activate_anon'), statCounter('workingsetActivateFile', 'workingset_activate_file'), statCounter('workingsetRestoreAnon', 'workingset_restore_anon'),
  statCounter('workingsetRestoreFile', 'workingset_restore_file'), statCounter('thpFaultAlloc', 'thp_fault_alloc'), statCounter('thpCollapseAlloc', 'thp_collapse_alloc'), statCounter('pswpin', 'pswpin'),
  statCounter('pswpout', 'pswpout'), statCounter('zswpin', 'zswpin'), statCounter('zswpout', 'zswpout'),
  ...onNodes('anonBytes', 'anon', 'hierarchical_anon'), ...onNodes('fileBytes', 'file', 'hierarchical_file'), ...onNodes('shmemBytes', 'shmem'), ...onNodes('unevictableBytes', 'unevictable', 'hierarchical_unevictable'),
  ...onNodes('kernelStackBytes', 'kernel_stack'), ...onNodes('pagetablesBytes', 'pagetables'), ...onNodes('slabReclaimableBytes', 'slab_reclaimable'), ...onNodes('slabUnreclaimableBytes', 'slab_unreclaimable'),
  counter('memcg_events', 'low', 'memory.events:low'), counter('memcg_events', 'high', 'memory.events:high'), counter('memcg_events', 'max', 'memory.events:max', 'memory.failcnt'),
  counter('memcg_events', 'oom', 'memory.events:oom'), counter('memcg_events', 'oomKill', 'memory.events:oom_kill', 'memory.oom_control:oom_kill'), counter('memcg_events', 'oomGroupKill', 'memory.events:oom_group_kill'),
  counter('memcg_events', 'localHigh', 'memory.events.local:high'), counter('memcg_events', 'localMax', 'memory.events.local:max'), counter('memcg_events', 'localOom', 'memory.events.local:oom'),
  counter('memcg_events', 'localOomKill', 'memory.events.local:oom_kill'),
]

/** One look at all files: values in the order of SOURCES; null where this kernel says nothing or "max". */
export type Reading = { readonly fromNs: number; readonly toNs: number; readonly values: readonly (number | null)[] }
export type ParityTruth = { readonly version: MemcgVersion; readonly memcgs: readonly { readonly memcgId: number; readonly readings: readonly Reading[] }[] }

const nowNs = (): number => Number(process.hrtime.bigint())

/** v1 has no "max": PAGE_COUNTER_MAX pages. */
const V1_UNLIMITED = 2 ** 62
const PAGE_BYTES = 4096

function valueIn(text: string, key: string | undefined): number | null {
  const number = key === undefined ? text.trim() : new RegExp(`^${key} (\\d+)$`, 'm').exec(text)?.[1]
  if (number === undefined || !/^\d+$/.test(number)) return null
  return Number(number) >= V1_UNLIMITED ? null : Number(number)
}

/** "anon N0=4096 N1=0", or "hierarchical_anon=3 N0=2 N1=1" in pages. Where one node has all memory it is not asked for. */
function onNode(text: string, key: string, numaNode: number): number | null {
  const line = new RegExp(`^${key}(=\\d+)?( N\\d+=.*)$`, 'm').exec(text), bytes = new RegExp(` N${numaNode}=(\\d+)`).exec(line?.[2] ?? '')?.[1]
  return bytes === undefined || !/ N\d+=.* N\d+=/.test(text) ? null : Number(bytes) * (line?.[1] === undefined ? 1 : PAGE_BYTES)
}

export function read(memcg: Memcg, version: MemcgVersion): Reading {
  const fromNs = nowNs(), texts = new Map<string, string>()
  const values = SOURCES.map((source) => {
    const [file = '', key] = (source[version] ?? '').split(':')
    if (file === '') return null
    const path = join(memcg.directory.toString(), file)
    if (!texts.has(file)) texts.set(file, existsSync(path) ? readFileSync(path, 'utf8') : '')
    const text = texts.get(file) ?? ''
    return source.numaNode === undefined || key === undefined ? valueIn(text, key) : onNode(text, key, source.numaNode)
  })
  return { fromNs, toNs: nowNs(), values }
}

/** Nothing is kept unread for longer while nothing moves: everything is read every ten seconds, usage every one. */
const AT_REST_NS = 11.5e9, USAGE_AT_REST_NS = 5e9
export const restOf = ({ field }: Source): number => (field === 'currentBytes' ? USAGE_AT_REST_NS : AT_REST_NS)
/** At least so long, and until every number of the idle one has once been at rest; what never is, is nobody's fault. */
const RUN_NS = 20e9, MOST_NS = 120e9
const READ_EVERY_MS = 50
const FILE_BYTES = 48 * 2 ** 20, BUSY_MAX_BYTES = 16 * 2 ** 20

/** Which numbers have once stood still for long enough, reading by reading. */
class Rest {
  private seen = 0
  private readonly sinceNs = SOURCES.map(() => 0)
  private readonly isRested = SOURCES.map(() => false)

  isComplete(readings: readonly Reading[]): boolean {
    for (; this.seen < readings.length; this.seen += 1) {
      const reading = readings[this.seen] as Reading, before = readings[this.seen - 1]
      for (const [i, source] of SOURCES.entries()) {
        if (reading.values[i] !== before?.values[i]) this.sinceNs[i] = reading.toNs
        this.isRested[i] ||= reading.fromNs - (this.sinceNs[i] ?? 0) >= restOf(source)
      }
    }
    return this.isRested.every(Boolean)
  }
}

/** A memcg at rest and one that reads more than its limit holds, read by the kernel's own files all the while. */
export async function performParity({ parent, version, programs, scratch }: { readonly parent: Memcg; readonly version: MemcgVersion; readonly programs: string; readonly scratch: string }): Promise<ParityTruth> {
  const idle = parent.child('idle').create(), busy = parent.child('busy').create({ maxBytes: BUSY_MAX_BYTES, anySwap: true }), file = join(scratch, 'parity.bin')
  const hog = new Workload(join(programs, 'hog'), ['--cgroup', idle.directory.toString(), '--touch', '8'])
  try {
    const fd = openSync(file, 'w'), part = Buffer.alloc(2 ** 20, 1)
    for (let at = 0; at < FILE_BYTES; at += part.length) writeSync(fd, part)
    closeSync(fd)
    await hog.says('ready')
    const memcgs = [idle, busy].map((memcg) => ({ memcg, memcgId: memcg.inode, readings: [] as Reading[] })), startNs = nowNs(), rest = new Rest()
    const goesOn = (): boolean => nowNs() < startNs + RUN_NS || (!rest.isComplete(memcgs[0]?.readings ?? []) && nowNs() < startNs + MOST_NS)
    while (goesOn()) {
      const reader = new Workload(join(programs, 'reader'), [busy.directory.toString(), file])
      while (reader.isAlive && goesOn()) {
        for (const one of memcgs) one.readings.push(read(one.memcg, version))
        await pause(READ_EVERY_MS)
      }
      await reader.exited
    }
    for (const one of memcgs) one.readings.push(read(one.memcg, version))
    return { version, memcgs: memcgs.map(({ memcgId, readings }) => ({ memcgId, readings })) }
  } finally {
    await hog.end()
    idle.remove()
    busy.remove()
  }
}
