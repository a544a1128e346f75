/** What this kernel lets a tracer do, found by looking for each feature, never by comparing versions. */
import { readFile, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf, reasonOf } from '../base/errors.ts'
import { parseBtf, type Btf } from './btf.ts'

export type KernelFeatures = {
  readonly release: string
  readonly machine: string
  /** Why this process may not trace; absent when it may. */
  readonly unprivileged?: string
  readonly lockdown?: 'none' | 'integrity' | 'confidentiality'
  /** Where tracefs is mounted; absent when it is not. */
  readonly tracefs?: string
  /** Why there is no tracefs for us: for anybody but root it looks unmounted (its mode is 0700). */
  readonly tracefsReason?: string
  /** tracefs is not mounted but could be, at /sys/kernel/tracing. */
  readonly tracefsMountable: boolean
  readonly btf?: Btf
  /** Why there is no BTF. */
  readonly btfReason?: string
  /** `subsystem:event` of every tracepoint. */
  readonly tracepoints: ReadonlySet<string>
  /** Fields of the tracepoints in FIELD_SUBSYSTEMS, by `subsystem/event`. */
  readonly fields: ReadonlyMap<string, ReadonlySet<string>>
  /** CONFIG_KPROBES. */
  readonly kprobes: boolean
  /** Functions a kprobe may be set on; from available_filter_functions, else from kallsyms. */
  readonly functions: ReadonlySet<string>
  readonly functionsFrom: 'available_filter_functions' | 'kallsyms' | 'nowhere'
  /** Index of the memory controller in css_set.subsys (enum cgroup_subsys_id). */
  readonly memoryCgrpId: number
  /** Hierarchy of the memory controller: 0 = cgroup v2, else its number on v1. */
  readonly memcgHierarchyId: number
}

/** Subsystems whose formats probes have needs about. */
const FIELD_SUBSYSTEMS = ['oom', 'vmscan', 'sched', 'signal', 'cgroup', 'compaction']

/** The value of memory_cgrp_id on every kernel seen; the scripts carry it so that they run on their own. */
const USUAL_MEMORY_CGRP_ID = 4

/** Bits of CapEff (include/uapi/linux/capability.h). */
const CAP_SYS_ADMIN = 21n, CAP_PERFMON = 38n, CAP_BPF = 39n

/** Looks at the running kernel; `root` stands before every path, for tests. Never throws: what cannot be read is absent. */
export async function detectKernelFeatures(root = ''): Promise<KernelFeatures> {
  const tracefs = await findTracefs(root)
  const [release, machine, unprivileged, lockdown, btf, tracepoints, fields, kprobes, functions, memcgHierarchyId, tracefsMountable, mountedTracefs] = await Promise.all([
    text(join(root, '/proc/sys/kernel/osrelease')), text(join(root, '/proc/sys/kernel/arch')), readPrivilege(root), readLockdown(root), readBtf(root),
    readTracepoints(tracefs), readFields(tracefs), hasKprobes(root, tracefs), readFunctions(root, tracefs), readHierarchy(root), isTracefsMountable(root, tracefs), findMountedTracefs(root)])
  return {
    release: (release ?? '').trim(), machine: (machine ?? '').trim(),
    ...(unprivileged !== undefined && { unprivileged }), ...(lockdown && { lockdown }), ...(tracefs !== undefined && { tracefs }), tracefsMountable,
    ...(tracefs === undefined && { tracefsReason: mountedTracefs === undefined ? 'tracefs is not mounted' : `tracefs is not readable for this user (${mountedTracefs})` }),
    ...btf, tracepoints, fields, kprobes, ...functions, memcgHierarchyId,
    memoryCgrpId: btf.btf?.enumValue('cgroup_subsys_id', 'memory_cgrp_id') ?? USUAL_MEMORY_CGRP_ID,
  }
}

async function text(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'latin1')
  } catch {
    return undefined   // absent is an answer here
  }
}

const exists = async (path: string): Promise<boolean> => stat(path).then(() => true, () => false)

const TRACEFS_PLACES = ['/sys/kernel/tracing', '/sys/kernel/debug/tracing']

async function findTracefs(root: string): Promise<string | undefined> {
  for (const at of TRACEFS_PLACES) if (await exists(join(root, at, 'events'))) return join(root, at)
  return undefined
}

/** Where the kernel says it is mounted, whoever may look inside. */
async function findMountedTracefs(root: string): Promise<string | undefined> {
  const mounts = await text(join(root, '/proc/self/mounts')) ?? ''
  return TRACEFS_PLACES.find((at) => mounts.includes(` ${at} tracefs `))
}

async function isTracefsMountable(root: string, tracefs: string | undefined): Promise<boolean> {
  if (tracefs !== undefined || !await exists(join(root, '/sys/kernel/tracing'))) return false
  return /^nodev\ttracefs$/m.test(await text(join(root, '/proc/filesystems')) ?? '')
}

async function readPrivilege(root: string): Promise<string | undefined> {
  const status = await text(join(root, '/proc/self/status')) ?? ''
  const uid = /^Uid:\s+\d+\s+(\d+)/m.exec(status)?.[1]
  if (uid !== '0') return `not root (uid ${uid ?? 'unknown'}), and bpftrace needs root`
  const caps = BigInt(`0x${/^CapEff:\s+([0-9a-f]+)/m.exec(status)?.[1] ?? '0'}`), has = (cap: bigint): boolean => (caps >> cap & 1n) === 1n
  return has(CAP_SYS_ADMIN) || (has(CAP_BPF) && has(CAP_PERFMON)) ? undefined : 'root without CAP_SYS_ADMIN, and without CAP_BPF with CAP_PERFMON'
}

async function readLockdown(root: string): Promise<KernelFeatures['lockdown']> {
  const word = /\[(none|integrity|confidentiality)\]/.exec(await text(join(root, '/sys/kernel/security/lockdown')) ?? '')?.[1]
  return word as KernelFeatures['lockdown']
}

async function readBtf(root: string): Promise<{ btf?: Btf; btfReason?: string }> {
  const path = '/sys/kernel/btf/vmlinux'
  try {
    const btf = parseBtf(await readFile(join(root, path)))
    return btf ? { btf } : { btfReason: `${path} is in a form not known here` }
  } catch (error) {
    return { btfReason: errnoOf(error) === 'ENOENT' ? `no ${path} (CONFIG_DEBUG_INFO_BTF)` : `${path}: ${reasonOf(error)}` }
  }
}

async function readTracepoints(tracefs: string | undefined): Promise<ReadonlySet<string>> {
  const list = tracefs === undefined ? undefined : await text(join(tracefs, 'available_events'))
  return new Set((list ?? '').split('\n').filter(Boolean))
}

async function readFields(tracefs: string | undefined): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const fields = new Map<string, ReadonlySet<string>>()
  if (tracefs === undefined) return fields
  for (const subsystem of FIELD_SUBSYSTEMS) {
    const events = await readdir(join(tracefs, 'events', subsystem)).catch(() => [])
    await Promise.all(events.map(async (event) => {
      const format = await text(join(tracefs, 'events', subsystem, event, 'format'))
      if (format !== undefined) fields.set(`${subsystem}/${event}`, new Set([...format.matchAll(/^\tfield:[^;]*?(\w+)(?:\[[^\]]*\])?;/gm)].map((m) => m[1] as string)))
    }))
  }
  return fields
}

async function hasKprobes(root: string, tracefs: string | undefined): Promise<boolean> {
  const places = [join(root, '/sys/bus/event_source/devices/kprobe'), join(root, '/sys/kernel/debug/kprobes/list')]
  if (tracefs !== undefined) places.push(join(tracefs, 'kprobe_events'))
  for (const place of places) if (await exists(place)) return true
  return false
}

/** kallsyms also lists what may not be probed, so that a script chosen by it may still be refused: then it falls a rung. */
async function readFunctions(root: string, tracefs: string | undefined): Promise<Pick<KernelFeatures, 'functions' | 'functionsFrom'>> {
  const filter = tracefs === undefined ? undefined : await text(join(tracefs, 'available_filter_functions'))
  if (filter) return { functions: new Set(filter.split('\n').map((line) => line.split(/[ \t]/, 1)[0] as string)), functionsFrom: 'available_filter_functions' }
  const symbols = await text(join(root, '/proc/kallsyms'))
  if (symbols === undefined) return { functions: new Set(), functionsFrom: 'nowhere' }
  return { functions: new Set([...symbols.matchAll(/^[0-9a-f]+ [tT] (\S+)/gm)].map((m) => m[1] as string)), functionsFrom: 'kallsyms' }
}

/** /proc/cgroups: `memory <hierarchy> …`; 0, or no such line on kernels that list v1 controllers only, is cgroup v2. */
async function readHierarchy(root: string): Promise<number> {
  return Number(/^memory\t(\d+)\t/m.exec(await text(join(root, '/proc/cgroups')) ?? '')?.[1] ?? 0)
}
