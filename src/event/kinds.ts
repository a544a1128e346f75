/**
 * The dictionary: every kind of fact, its number on the wire, its fields in wire order, with unit and source.
 *
 * A row on the wire is a msgpack array `[number, tsNs, ...fields]`. `tsNs` is CLOCK_MONOTONIC in nanoseconds
 * (bpftrace `nsecs`, or the bridge's own reading). A fact that is not known is nil on the wire and absent in the event.
 * Rules: fields are only ever appended, numbers are never reused, and `native/event.h` says the same (a test compares).
 *
 * Words: `memcgId` is the kernfs id of the memory controller's cgroup (`stat -c %i` of its directory), 0 = none/node.
 * `tid` in oom_* kinds is the thread that invoked the OOM killer: it joins the rows of one decision.
 * `…Pages` are kernel pages (hello.pageSizeBytes each), `…Kb` are KiB as the tracepoint gives them.
 */

/** `u` number ≥ 0, `i` any integer, `s` text, `b` boolean, `a` array of numbers. A trailing `?` allows absence. */
export type FieldType = 'u' | 'i' | 's' | 'b' | 'a' | 'u?' | 'i?' | 's?' | 'b?' | 'a?'

export const KINDS = {
  // ── the stream about itself ────────────────────────────────────────────────────────────────────────────────────
  /** First row of every stream and of every recording file: what node this is. */
  hello: { number: 1, fields: {
    formatVersion: 'u', bridgeVersion: 's', wallMs: 'u', /** CLOCK_BOOTTIME at tsNs */ bootNs: 'u', bootId: 's', kernelRelease: 's', machine: 's',
    hostname: 's', pageSizeBytes: 'u', cpus: 'u', memTotalBytes: 'u', swapTotalBytes: 'u',
    /** `v2` or `v1`: which hierarchy carries the memory controller */ memcgVersion: 's', /** where it is mounted */ memcgRoot: 's', /** of memcgs whose usage moves; see sampling */ samplePeriodNs: 'u',
    /** from this length on a single wait is told by a `stall` row */ stallNs: 'u?' } },
  /** Names the fields of one kind, so that a recording explains itself to a program older or newer than its writer. */
  schema: { number: 2, fields: { number: 'u', name: 's', /** field names joined by one space */ fieldNames: 's' } },
  /** Joins the clocks again, once per keyframe. */
  clock: { number: 3, fields: { wallMs: 'u', bootNs: 'u' } },
  /** How one question is answered on this node. Written by the TypeScript source, not by the bridge. state: chosen | proven | refused | absent | dead */
  rung: { number: 4, fields: { question: 's', rung: 's', state: 's', reason: 's?' } },
  /** Cumulative number of facts lost since the stream began. where: bpftrace | line | ring | kmsg | memcg | map | process | decode. detail names the last cause. */
  loss: { number: 5, fields: { where: 's', count: 'u', detail: 's?' } },
  /** The bpftrace process. state: starting | ready | refused | exited | restarted | absent */
  tracer: { number: 6, fields: { state: 's', pid: 'u', detail: 's?' } },
  /** One stimulus of the self-test. test: memcg_birth | memcg_death | memcg_reclaim | signal | exit | badness | oom */
  selftest: { number: 7, fields: { test: 's', passed: 'b', detail: 's?' } },
  /** A warning of the bridge or of bpftrace, control characters removed. from: bridge | bpftrace */
  notice: { number: 8, fields: { from: 's', text: 's' } },
  /** What oomscope itself costs. CPU is cumulative. */
  cost: { number: 9, fields: { bridgeCpuNs: 'u', bridgeRssBytes: 'u', tracerCpuNs: 'u?', tracerRssBytes: 'u?', lines: 'u', rows: 'u', bytes: 'u', memcgs: 'u', openFiles: 'u' } },

  // ── memcgs: life, limits, numbers ──────────────────────────────────────────────────────────────────────────────
  /** A memcg exists (found by walk, by inotify or by the cgroup_mkdir tracepoint); repeated in every keyframe. path is relative to the controller's mount, "/" is the root. by: walk | inotify | probe | keyframe */
  memcg_birth: { number: 10, fields: { memcgId: 'u', parentId: 'u', path: 's', by: 's' } },
  memcg_death: { number: 11, fields: { memcgId: 'u', path: 's', by: 's' } },
  /** Limits; absent = "max"/unlimited. v1: max = memory.limit_in_bytes, swapMax = memory.memsw.limit_in_bytes (memory+swap!), low = soft limit. */
  memcg_limits: { number: 12, fields: { memcgId: 'u', minBytes: 'u?', lowBytes: 'u?', highBytes: 'u?', maxBytes: 'u?', swapMaxBytes: 'u?', oomGroup: 'b?' } },
  /**
   * memory.current, memory.peak (high-water mark since the memcg's birth), memory.swap.current. v1: usage_in_bytes, max_usage_in_bytes, memsw.usage_in_bytes − usage_in_bytes.
   * windowPeakBytes: the exact highest usage of the windowNs before this row (memory.peak reset per descriptor, 6.12+; a second program that resets too may hide a part). Where windows are told at all, the time between
   * the window and the row before it had no usage above those two rows' currentBytes. Rows of a keyframe repeat, and have none.
   * windowPeakBytes without windowNs: the reader lost the CPU between reading and resetting, so that a peak may have passed unseen; at least so high.
   * swapPeakBytes: memory.swap.peak (6.5+), the high-water mark of swap since the memcg's birth; memswPeakBytes: v1's memory.memsw.max_usage_in_bytes, that of memory and swap together (that of swap alone it does not tell). swapWindow*: as
   * window*, of swap. A node without swap has none of them.
   * Rows come when usage changed and at no fixed distance (see sampling): what is made of them is weighted by time.
   */
  memcg_usage: { number: 13, fields: { memcgId: 'u', currentBytes: 'u', peakBytes: 'u?', swapBytes: 'u?', windowPeakBytes: 'u?', windowNs: 'u?', swapPeakBytes: 'u?', memswPeakBytes: 'u?', swapWindowPeakBytes: 'u?', swapWindowNs: 'u?' } },
  /** memory.stat (hierarchical; on v1 the total_* lines). Byte gauges first, then cumulative counters in pages or events; then later additions in the same order. swapcachedBytes is part of anonBytes and of swap at once; zswapBytes is memory used by the pool, zswappedBytes what it stands for. */
  memcg_stat: { number: 14, fields: {
    memcgId: 'u', anonBytes: 'u?', fileBytes: 'u?', shmemBytes: 'u?', fileMappedBytes: 'u?', fileDirtyBytes: 'u?', fileWritebackBytes: 'u?',
    inactiveAnonBytes: 'u?', activeAnonBytes: 'u?', inactiveFileBytes: 'u?', activeFileBytes: 'u?', unevictableBytes: 'u?', anonThpBytes: 'u?',
    slabReclaimableBytes: 'u?', slabUnreclaimableBytes: 'u?', kernelBytes: 'u?', kernelStackBytes: 'u?', pagetablesBytes: 'u?', sockBytes: 'u?',
    pgfault: 'u?', pgmajfault: 'u?', workingsetRefaultAnon: 'u?', workingsetRefaultFile: 'u?', pgscan: 'u?', pgsteal: 'u?',
    swapcachedBytes: 'u?', percpuBytes: 'u?', vmallocBytes: 'u?', secPagetablesBytes: 'u?', zswapBytes: 'u?', zswappedBytes: 'u?', fileThpBytes: 'u?', shmemThpBytes: 'u?',
    pgscanKswapd: 'u?', pgscanDirect: 'u?', pgstealKswapd: 'u?', pgstealDirect: 'u?', pgrefill: 'u?', workingsetActivateAnon: 'u?', workingsetActivateFile: 'u?', workingsetRestoreAnon: 'u?', workingsetRestoreFile: 'u?',
    thpFaultAlloc: 'u?', thpCollapseAlloc: 'u?', pswpin: 'u?', pswpout: 'u?', zswpin: 'u?', zswpout: 'u?' } },
  /** memory.events (hierarchical) and memory.events.local. v1 gives oomKill from memory.oom_control and max from memory.failcnt. Cumulative. */
  memcg_events: { number: 15, fields: {
    memcgId: 'u', low: 'u?', high: 'u?', max: 'u?', oom: 'u?', oomKill: 'u?', oomGroupKill: 'u?',
    localHigh: 'u?', localMax: 'u?', localOom: 'u?', localOomKill: 'u?' } },
  /** memory.pressure of a memcg. avg10 is per cent times 100 (the file has two decimals). */
  memcg_psi: { number: 16, fields: { memcgId: 'u', someAvg10Centi: 'u', someTotalUs: 'u', fullAvg10Centi: 'u', fullTotalUs: 'u' } },

  /**
   * Once a second: how closely memcgs are looked at. Quiet ones get the slow turns only (all files), active ones also fast ones (usage), quick ones (they move near a limit of their own or above, or rise fast) the quick ones.
   * budget and used are per cent of one core times 100; used is what sampling costs at present (all of the bridge but the tracer's lines, the kernel log, births and deaths, and processes). pressure, times 100: by how much, in all, periods were stretched
   * to keep the budget; what stretching does not save (keyframes, rows once a second, waking up for others) leaves at least half of it to the looks, so that on a slow machine used may be more than budget. Periods are as stretched; turns are cumulative; a late turn came a whole period or more too late.
   */
  sampling: { number: 17, fields: {
    budgetCenti: 'u', usedCenti: 'u', pressureCenti: 'u', quietMemcgs: 'u', activeMemcgs: 'u', quickMemcgs: 'u',
    slowPeriodNs: 'u', activePeriodNs: 'u', quickPeriodNs: 'u', slowTurns: 'u', activeTurns: 'u', quickTurns: 'u', lateTurns: 'u' } },
  /** What systemd-oomd (user.oomd_ooms, user.oomd_kill; systemd src/oom/oomd-util.c) or oomd (trusted.*) wrote on a cgroup: how often it chose it, how many processes it killed. Read when a process in it dies by a signal. */
  memcg_oomd: { number: 18, fields: { memcgId: 'u', ooms: 'u?', kills: 'u?' } },
  /**
   * memory.numa_stat (5.10+, hierarchical): what of a memcg lies on one NUMA node with memory; only with `--numa`, and of a machine with several such nodes. Read when memory.stat was, in a slow turn; all nodes of a reading
   * are told when one changed, readNs is when it was read, also in keyframes. v1 (the hierarchical_* lines, in pages) tells what is on the LRU lists instead: anonBytes holds shmem, too, fileBytes does not,
   * what is mlocked is in unevictableBytes alone, and of kernel memory it tells nothing.
   */
  memcg_numa: { number: 19, fields: {
    memcgId: 'u', numaNode: 'u', readNs: 'u', anonBytes: 'u?', fileBytes: 'u?', shmemBytes: 'u?', unevictableBytes: 'u?', kernelStackBytes: 'u?', pagetablesBytes: 'u?', slabReclaimableBytes: 'u?', slabUnreclaimableBytes: 'u?' } },

  // ── the node ───────────────────────────────────────────────────────────────────────────────────────────────────
  /** /proc/meminfo. */
  node_memory: { number: 20, fields: { totalBytes: 'u', freeBytes: 'u', availableBytes: 'u', cachedBytes: 'u', dirtyBytes: 'u', writebackBytes: 'u', anonBytes: 'u', shmemBytes: 'u', slabBytes: 'u', slabReclaimableBytes: 'u', swapTotalBytes: 'u', swapFreeBytes: 'u' } },
  /** /proc/pressure/memory. */
  node_psi: { number: 21, fields: { someAvg10Centi: 'u', someTotalUs: 'u', fullAvg10Centi: 'u', fullTotalUs: 'u' } },
  /** A PSI trigger fired (poll POLLPRI). memcgId 0 = the node. */
  psi_trigger: { number: 22, fields: { memcgId: 'u', line: 's', thresholdUs: 'u', windowUs: 'u' } },
  /** /proc/vmstat: oom_kill and reclaim counters of the node, cumulative; pageoutrun counts kswapd's rounds. From kernelStackKb on gauges. */
  node_vmstat: { number: 23, fields: {
    oomKill: 'u?', pgscanKswapd: 'u?', pgscanDirect: 'u?', pgstealKswapd: 'u?', pgstealDirect: 'u?', allocstall: 'u?', pswpin: 'u?', pswpout: 'u?',
    pgfault: 'u?', pgmajfault: 'u?', workingsetRefaultAnon: 'u?', workingsetRefaultFile: 'u?', pgscanDirectThrottle: 'u?', pageoutrun: 'u?', slabsScanned: 'u?',
    compactStall: 'u?', compactFail: 'u?', compactSuccess: 'u?', compactDaemonWake: 'u?', thpFaultAlloc: 'u?', thpFaultFallback: 'u?', thpCollapseAlloc: 'u?', thpSplitPage: 'u?',
    kernelStackKb: 'u?', pageTablePages: 'u?', unevictablePages: 'u?', mlockPages: 'u?' } },
  /**
   * /proc/zoneinfo: one zone that manages pages, every two seconds. The watermarks include watermark_boost. protectionPages[i] is what an
   * allocation that could use zone i leaves here (lowmem_reserve): it succeeds above watermark + protection.
   */
  node_zone: { number: 24, fields: { numaNode: 'u', zone: 's', freePages: 'u', minPages: 'u', lowPages: 'u', highPages: 'u', managedPages: 'u', protectionPages: 'a' } },
  /** /proc/buddyinfo: freeBlocks[order] blocks of 2^order pages are free in the zone. */
  node_buddy: { number: 25, fields: { numaNode: 'u', zone: 's', freeBlocks: 'a' } },
  /** /proc/slabinfo (root's alone), every ten seconds: the largest caches by the pages they hold. Rows of one tsNs are one list, rank 0 the largest. */
  node_slab: { number: 26, fields: { rank: 'u', name: 's', activeObjects: 'u', objects: 'u', objectBytes: 'u', totalBytes: 'u' } },

  // ── the kill decision, as the kernel takes it ──────────────────────────────────────────────────────────────────
  /** mem_cgroup_out_of_memory() entered (before oom_lock is taken): this memcg's limit cannot be met. */
  oom_memcg_enter: { number: 30, fields: { tid: 'u', memcgId: 'u', order: 'i', gfp: 'u' } },
  /** out_of_memory() entered; memcgId 0 = the whole node. order −1 = sysrq-f. pid/comm/taskMemcgId: the invoker. */
  oom_begin: { number: 31, fields: { tid: 'u', pid: 'u', comm: 's', taskMemcgId: 'u', memcgId: 'u', order: 'i', gfp: 'u', oomScoreAdj: 'i' } },
  /** The limit holder at oom_begin (struct mem_cgroup). Pages; "max" is 2^63 bytes less a page. On v1 swap* are memory+swap. */
  oom_limit: { number: 32, fields: { tid: 'u', memcgId: 'u', usagePages: 'u', maxPages: 'u', highPages: 'u', swapUsagePages: 'u', swapMaxPages: 'u', watermarkPages: 'u', oomGroup: 'b' } },
  /** oom_badness(): one candidate with the kernel's own points (pages; LONG_MIN = not killable). totalPages = limit + swap. */
  oom_candidate: { number: 33, fields: { tid: 'u', pid: 'u', comm: 's', memcgId: 'u', oomScoreAdj: 'i', pointsPages: 'i', totalPages: 'u', totalVmPages: 'u', pgtablesBytes: 'u' } },
  /** oom_kill_process(): the task that was chosen. constraint: 0 none, 1 cpuset, 2 mempolicy, 3 memcg (enum oom_constraint). */
  oom_pick: { number: 34, fields: { tid: 'u', pid: 'u', comm: 's', memcgId: 'u', oomScoreAdj: 'i', pointsPages: 'i', totalPages: 'u', constraint: 'u' } },
  /** __oom_kill_process(): this process is being killed. With oom.group the main victim comes twice. */
  oom_kill: { number: 35, fields: { tid: 'u', pid: 'u', comm: 's', memcgId: 'u', oomScoreAdj: 'i', totalVmPages: 'u', pgtablesBytes: 'u' } },
  /** mem_cgroup_get_oom_group() returned a memcg: all of it dies. */
  oom_group: { number: 36, fields: { tid: 'u', memcgId: 'u' } },
  /** out_of_memory() returned. */
  oom_end: { number: 37, fields: { tid: 'u', result: 'u', durationNs: 'u' } },
  /** oom:mark_victim. victimTid is a thread id; pid is its process when the rung can tell. On kernels before 6.9 (and 6.1.y) only the tid is known. The memory fields are KiB. */
  mark_victim: { number: 38, fields: { tid: 'u', victimTid: 'u', pid: 'u?', comm: 's?', memcgId: 'u?', oomScoreAdj: 'i?', totalVmKb: 'u?', anonKb: 'u?', fileKb: 'u?', shmemKb: 'u?', pgtablesKb: 'u?', uid: 'u?' } },
  /** The OOM reaper. phase: 1 woken, 2 started, 3 finished, 4 skipped. */
  oom_reap: { number: 39, fields: { victimTid: 'u', phase: 'u' } },
  /** sched_process_exit of a process's last word: only fatal signals, only the group leader. exitCode is task->exit_code (low 7 bits = signal). */
  task_exit: { number: 40, fields: { pid: 'u', comm: 's', memcgId: 'u', exitCode: 'u', maxRssPages: 'u' } },
  /** signal:signal_generate for signals 9 and 15. code: siginfo si_code (128 SI_KERNEL, 0 SI_USER…). result: 0 delivered, 1 ignored, 2 pending already. sender = current. */
  signal: { number: 41, fields: { signo: 'u', code: 'i', group: 'u', result: 'u', senderPid: 'u', senderTid: 'u', senderComm: 's', senderMemcgId: 'u', targetTid: 'u', targetComm: 's' } },

  // ── processes ──────────────────────────────────────────────────────────────────────────────────────────────────
  // Who the OOM killer could take, read from /proc in rounds: kernel threads and zombies are left out. `pid` in the reader's namespace;
  // `startNs` (CLOCK_BOOTTIME of its beginning) tells two processes of one pid apart. Keyframes repeat all but `process_end`.
  /** A process was found, moved to another memcg, or changed its name (exec). */
  process: { number: 45, fields: { pid: 'u', startNs: 'u', memcgId: 'u', ppid: 'u', uid: 'u', threads: 'u', comm: 's' } },
  /**
   * commandLine: arguments joined by spaces, values of secrets masked, cut at 240 bytes. exe: base name of the program. runtime: go | jvm |
   * node | python | ruby | php | dotnet | erlang | perl. settings: memory settings of the runtime from the environment and the command line, one a
   * line, the last of a kind holds (only GOMEMLIMIT, GOGC, MALLOC_ARENA_MAX, DOTNET_GCHeapHardLimit…, and memory options of JVM and node).
   * Without environRead an absent setting says nothing.
   */
  process_command: { number: 46, fields: { pid: 'u', startNs: 'u', commandLine: 's?', exe: 's?', runtime: 's?', settings: 's', environRead: 'b' } },
  /** /proc/PID/status as oom_badness() adds it up: resident, swapped and page tables. readNs is when; a keyframe's row may repeat an older reading. */
  process_memory: { number: 47, fields: { pid: 'u', startNs: 'u', anonBytes: 'u', fileBytes: 'u', shmemBytes: 'u', swapBytes: 'u', pgtablesBytes: 'u', peakRssBytes: 'u?', oomScoreAdj: 'i', readNs: 'u' } },
  process_end: { number: 48, fields: { pid: 'u', startNs: 'u' } },

  // ── reclaim and stalls ─────────────────────────────────────────────────────────────────────────────────────────
  /** A cumulative counter kept in the kernel by a probe; see COUNTERS. key is a memcgId, or a NUMA node for kswapd_*. */
  counter: { number: 50, fields: { counter: 'u', key: 'u', value: 'u' } },
  /** A cumulative latency histogram; see HISTOGRAMS. buckets[i] counts values in [2^i, 2^(i+1)) ns. */
  histogram: { number: 51, fields: { histogram: 'u', key: 'u', buckets: 'a' } },
  /** One stall of hello.stallNs and more. what: index in STALLS. targetMemcgId: the memcg reclaimed, 0 = unknown or node. */
  stall: { number: 52, fields: { what: 'u', tid: 'u', pid: 'u', comm: 's', taskMemcgId: 'u', targetMemcgId: 'u', durationNs: 'u', reclaimedPages: 'u', order: 'i' } },

  // ── the kernel log ─────────────────────────────────────────────────────────────────────────────────────────────
  /** One line of /dev/kmsg whose facility is the kernel's (user space cannot write facility 0). kmsgUs is the log's own clock. */
  kmsg: { number: 60, fields: { seq: 'u', level: 'u', kmsgUs: 'u', text: 's' } },

  // ── identity ───────────────────────────────────────────────────────────────────────────────────────────────────
  /**
   * What `from` says of a pod (podUid), a container (containerId) or a systemd unit (cgroupPath alone): its name and what it was promised. Written by the TypeScript side
   * into the recording; may come long after the workload's death, and again when something changed: the newest row of one `from` counts.
   */
  workload: { number: 70, fields: {
    from: 's', podUid: 's?', containerId: 's?', namespace: 's?', pod: 's?', container: 's?',
    /** container | sandbox | init | sidecar | ephemeral */ role: 's?', /** how often it was started before this one */ restarts: 'u?',
    image: 's?', /** name and version of the container runtime */ runtime: 's?', /** of its first process, in the host's pid namespace */ pid: 'u?',
    /** as the source promises it; what the kernel enforces is in memcg_limits */ memoryLimitBytes: 'u?', memoryRequestBytes: 'u?', oomScoreAdj: 'i?',
    /** guaranteed | burstable | besteffort */ qos: 's?', priority: 'i?', /** `Kind/name`, for example Deployment/web */ owner: 's?',
    /** `key=value`, joined by newlines; bounded, without control characters (identity/name-source.ts) */ labels: 's?',
    /** where the source believes its cgroup is; runtimes write it in several forms */ cgroupPath: 's?', /** systemd unit */ unit: 's?',
    /** what its maker calls it: Description= of a unit */ description: 's?' } },
  /** What kubelet's own log says about a pod. Given by hand (`--evidence`). says: evicted | killing | liveness-failed | startup-failed | deleted */
  testimony: { number: 71, fields: { from: 's', says: 's', podUid: 's?', containerId: 's?', detail: 's?' } },
  /**
   * How a container stands, as its runtime says, or the main process of a unit, as systemd says (containerId = its cgroup's path): a label to
   * compare with the kernel's facts, no proof. Wall clock; absent = not yet. state: created | running | exited | unknown
   */
  container_status: { number: 72, fields: { from: 's', containerId: 's', state: 's', exitCode: 'i?', /** for example OOMKilled, Error, Completed, StartError; oom-kill, signal, exit-code */ reason: 's?', message: 's?', startedMs: 'u?', finishedMs: 'u?' } },
} as const satisfies Record<string, { readonly number: number; readonly fields: Record<string, FieldType> }>

/** Counters kept in bpftrace maps named `@<name>`; the index is the number on the wire. `memcg_reclaim_target_*` are keyed by the memcg reclaimed, all others by the memcg of the task that waited. */
export const COUNTERS = [
  'memcg_reclaim_target_ns', 'memcg_reclaim_target_count', 'memcg_reclaim_target_pages',
  'memcg_reclaim_ns', 'memcg_reclaim_count', 'memcg_reclaim_pages',
  'direct_reclaim_ns', 'direct_reclaim_count', 'direct_reclaim_pages',
  'over_high_ns', 'over_high_count',
  'throttled_ns', 'throttled_count',
  'compaction_ns', 'compaction_count',
  'kswapd_wake_count', 'kswapd_sleep_count',
] as const

/** Histograms kept in bpftrace maps named `@<name>`, keyed by the memcg of the task that waited. */
export const HISTOGRAMS = ['memcg_reclaim_hist', 'direct_reclaim_hist', 'over_high_hist', 'compaction_hist'] as const

/** What a task waited for; the index is `stall.what`. */
export const STALLS = ['memcg_reclaim', 'direct_reclaim', 'over_high', 'compaction', 'throttled'] as const

/** Version of the wire and recording format. A reader refuses a newer one. */
export const FORMAT_VERSION = 1

export type KindName = keyof typeof KINDS
