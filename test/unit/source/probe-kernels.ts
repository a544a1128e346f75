/** Kernels and tracers as kernel-facts saw them, reduced to what the choice of probes asks about; for tests. */
import type { BpftraceFeatures } from '../../../src/source/bpftrace.ts'
import type { KernelFeatures } from '../../../src/source/kernel-features.ts'

const OOM_FUNCTIONS = ['out_of_memory', 'mem_cgroup_out_of_memory', 'oom_kill_process', '__oom_kill_process', 'mem_cgroup_get_oom_group', 'oom_badness', 'try_to_free_mem_cgroup_pages']
const TRACEPOINTS = [
  ...['mark_victim', 'wake_reaper', 'start_task_reaping', 'finish_task_reaping', 'skip_task_reaping'].map((e) => `oom:${e}`),
  ...['memcg_reclaim_begin', 'memcg_reclaim_end', 'direct_reclaim_begin', 'direct_reclaim_end', 'kswapd_wake', 'kswapd_sleep', 'throttled'].map((e) => `vmscan:mm_vmscan_${e}`),
  'sched:sched_process_exit', 'signal:signal_generate', 'cgroup:cgroup_mkdir', 'cgroup:cgroup_rmdir', 'compaction:mm_compaction_begin', 'compaction:mm_compaction_end',
]
const VICTIM_FIELDS = ['pid', 'comm', 'total_vm', 'anon_rss', 'file_rss', 'shmem_rss', 'uid', 'pgtables', 'oom_score_adj']

type Differences = Partial<KernelFeatures> & { readonly newFields?: Readonly<Record<string, readonly string[]>>; readonly newFunctions?: readonly string[] }

/** A kernel like 6.1 with everything allowed, changed as told. Its BTF knows every member and function. */
export function kernel({ newFields = {}, newFunctions = ['mem_cgroup_handle_over_high'], ...changes }: Differences = {}): KernelFeatures {
  return {
    release: '6.1.0', machine: 'x86_64', tracefs: '/sys/kernel/tracing', tracefsMountable: false, tracepoints: new Set(TRACEPOINTS), kprobes: true,
    btf: { hasMember: () => true, hasFunction: () => true, enumValue: () => 4 },
    fields: new Map(Object.entries({ 'oom/mark_victim': VICTIM_FIELDS, ...newFields }).map(([event, names]) => [event, new Set(names)])),
    functions: new Set([...OOM_FUNCTIONS, ...newFunctions]), functionsFrom: 'available_filter_functions', memoryCgrpId: 4, memcgHierarchyId: 0, ...changes,
  }
}

/** 7.2: reclaim tracepoints with memcg_id, group_dead, the renamed over_high function. */
export const kernel72 = kernel({
  release: '7.2.13', newFunctions: ['__mem_cgroup_handle_over_high'],
  newFields: { 'sched/sched_process_exit': ['group_dead'], 'vmscan/mm_vmscan_memcg_reclaim_begin': ['gfp_flags', 'memcg_id', 'order'] },
})

/** 5.10: mark_victim with a pid only, oom_badness split by gcc, no throttled tracepoint. */
export const kernel510 = kernel({
  release: '5.10.0', newFunctions: ['oom_badness.part.0', 'mem_cgroup_handle_over_high'], fields: new Map([['oom/mark_victim', new Set(['pid'])]]),
  tracepoints: new Set(TRACEPOINTS.filter((name) => !name.endsWith('throttled'))),
})

/** A cloud machine without kprobes, memory controller on cgroup v1. */
export const kernelWithoutKprobes = kernel({ kprobes: false, memcgHierarchyId: 4, newFields: { 'sched/sched_process_exit': ['group_dead'] } })

export const bpftrace017: BpftraceFeatures = { path: '/usr/bin/bpftrace', version: '0.17.0', trial: 'compile', refusals: { rawtracepoint: 'Invalid probe type made it to attachpoint parser' } }
export const bpftrace023: BpftraceFeatures = { path: '/usr/bin/bpftrace', version: '0.23.2', trial: 'attach', refusals: {} }
