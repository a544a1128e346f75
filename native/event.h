/* event.h: the dictionary as C sees it; src/event/kinds.ts is the truth and test/contract/bridge.test.ts compares the two. */
#ifndef OOMSCOPE_EVENT_H
#define OOMSCOPE_EVENT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define FORMAT_VERSION 1
#define KIND_FIELDS_MAX 52
#define KIND_NUMBER_MAX 127
/* A fact that is not known: nil on the wire. No file of the kernel says 2^64-1. */
#define ABSENT UINT64_MAX

/* number, C name, wire name, fields "name:type" in wire order. Types as in kinds.ts: u i s b a, '?' = may be absent. */
#define EVENT_KINDS(X) \
  X(1, HELLO, "hello", "formatVersion:u bridgeVersion:s wallMs:u bootNs:u bootId:s kernelRelease:s machine:s hostname:s " \
    "pageSizeBytes:u cpus:u memTotalBytes:u swapTotalBytes:u memcgVersion:s memcgRoot:s samplePeriodNs:u stallNs:u?") \
  X(2, SCHEMA, "schema", "number:u name:s fieldNames:s") \
  X(3, CLOCK, "clock", "wallMs:u bootNs:u") \
  X(4, RUNG, "rung", "question:s rung:s state:s reason:s?") \
  X(5, LOSS, "loss", "where:s count:u detail:s?") \
  X(6, TRACER, "tracer", "state:s pid:u detail:s?") \
  X(7, SELFTEST, "selftest", "test:s passed:b detail:s?") \
  X(8, NOTICE, "notice", "from:s text:s") \
  X(9, COST, "cost", "bridgeCpuNs:u bridgeRssBytes:u tracerCpuNs:u? tracerRssBytes:u? lines:u rows:u bytes:u memcgs:u openFiles:u") \
  X(10, MEMCG_BIRTH, "memcg_birth", "memcgId:u parentId:u path:s by:s") \
  X(11, MEMCG_DEATH, "memcg_death", "memcgId:u path:s by:s") \
  X(12, MEMCG_LIMITS, "memcg_limits", "memcgId:u minBytes:u? lowBytes:u? highBytes:u? maxBytes:u? swapMaxBytes:u? oomGroup:b?") \
  X(13, MEMCG_USAGE, "memcg_usage", "memcgId:u currentBytes:u peakBytes:u? swapBytes:u? windowPeakBytes:u? windowNs:u? swapPeakBytes:u? memswPeakBytes:u? " \
    "swapWindowPeakBytes:u? swapWindowNs:u?") \
  X(14, MEMCG_STAT, "memcg_stat", "memcgId:u anonBytes:u? fileBytes:u? shmemBytes:u? fileMappedBytes:u? fileDirtyBytes:u? " \
    "fileWritebackBytes:u? inactiveAnonBytes:u? activeAnonBytes:u? inactiveFileBytes:u? activeFileBytes:u? unevictableBytes:u? " \
    "anonThpBytes:u? slabReclaimableBytes:u? slabUnreclaimableBytes:u? kernelBytes:u? kernelStackBytes:u? pagetablesBytes:u? " \
    "sockBytes:u? pgfault:u? pgmajfault:u? workingsetRefaultAnon:u? workingsetRefaultFile:u? pgscan:u? pgsteal:u? " \
    "swapcachedBytes:u? percpuBytes:u? vmallocBytes:u? secPagetablesBytes:u? zswapBytes:u? zswappedBytes:u? fileThpBytes:u? shmemThpBytes:u? " \
    "pgscanKswapd:u? pgscanDirect:u? pgstealKswapd:u? pgstealDirect:u? pgrefill:u? workingsetActivateAnon:u? workingsetActivateFile:u? workingsetRestoreAnon:u? workingsetRestoreFile:u? " \
    "thpFaultAlloc:u? thpCollapseAlloc:u? pswpin:u? pswpout:u? zswpin:u? zswpout:u?") \
  X(15, MEMCG_EVENTS, "memcg_events", "memcgId:u low:u? high:u? max:u? oom:u? oomKill:u? oomGroupKill:u? " \
    "localHigh:u? localMax:u? localOom:u? localOomKill:u?") \
  X(16, MEMCG_PSI, "memcg_psi", "memcgId:u someAvg10Centi:u someTotalUs:u fullAvg10Centi:u fullTotalUs:u") \
  X(17, SAMPLING, "sampling", "budgetCenti:u usedCenti:u pressureCenti:u quietMemcgs:u activeMemcgs:u quickMemcgs:u " \
    "slowPeriodNs:u activePeriodNs:u quickPeriodNs:u slowTurns:u activeTurns:u quickTurns:u lateTurns:u") \
  X(18, MEMCG_OOMD, "memcg_oomd", "memcgId:u ooms:u? kills:u?") \
  X(19, MEMCG_NUMA, "memcg_numa", "memcgId:u numaNode:u readNs:u anonBytes:u? fileBytes:u? shmemBytes:u? unevictableBytes:u? kernelStackBytes:u? pagetablesBytes:u? " \
    "slabReclaimableBytes:u? slabUnreclaimableBytes:u?") \
  X(20, NODE_MEMORY, "node_memory", "totalBytes:u freeBytes:u availableBytes:u cachedBytes:u dirtyBytes:u writebackBytes:u " \
    "anonBytes:u shmemBytes:u slabBytes:u slabReclaimableBytes:u swapTotalBytes:u swapFreeBytes:u") \
  X(21, NODE_PSI, "node_psi", "someAvg10Centi:u someTotalUs:u fullAvg10Centi:u fullTotalUs:u") \
  X(22, PSI_TRIGGER, "psi_trigger", "memcgId:u line:s thresholdUs:u windowUs:u") \
  X(23, NODE_VMSTAT, "node_vmstat", "oomKill:u? pgscanKswapd:u? pgscanDirect:u? pgstealKswapd:u? pgstealDirect:u? allocstall:u? pswpin:u? pswpout:u? " \
    "pgfault:u? pgmajfault:u? workingsetRefaultAnon:u? workingsetRefaultFile:u? pgscanDirectThrottle:u? pageoutrun:u? slabsScanned:u? " \
    "compactStall:u? compactFail:u? compactSuccess:u? compactDaemonWake:u? thpFaultAlloc:u? thpFaultFallback:u? thpCollapseAlloc:u? thpSplitPage:u? " \
    "kernelStackKb:u? pageTablePages:u? unevictablePages:u? mlockPages:u?") \
  X(24, NODE_ZONE, "node_zone", "numaNode:u zone:s freePages:u minPages:u lowPages:u highPages:u managedPages:u protectionPages:a") \
  X(25, NODE_BUDDY, "node_buddy", "numaNode:u zone:s freeBlocks:a") \
  X(26, NODE_SLAB, "node_slab", "rank:u name:s activeObjects:u objects:u objectBytes:u totalBytes:u") \
  X(30, OOM_MEMCG_ENTER, "oom_memcg_enter", "tid:u memcgId:u order:i gfp:u") \
  X(31, OOM_BEGIN, "oom_begin", "tid:u pid:u comm:s taskMemcgId:u memcgId:u order:i gfp:u oomScoreAdj:i") \
  X(32, OOM_LIMIT, "oom_limit", "tid:u memcgId:u usagePages:u maxPages:u highPages:u swapUsagePages:u swapMaxPages:u watermarkPages:u oomGroup:b") \
  X(33, OOM_CANDIDATE, "oom_candidate", "tid:u pid:u comm:s memcgId:u oomScoreAdj:i pointsPages:i totalPages:u totalVmPages:u pgtablesBytes:u") \
  X(34, OOM_PICK, "oom_pick", "tid:u pid:u comm:s memcgId:u oomScoreAdj:i pointsPages:i totalPages:u constraint:u") \
  X(35, OOM_KILL, "oom_kill", "tid:u pid:u comm:s memcgId:u oomScoreAdj:i totalVmPages:u pgtablesBytes:u") \
  X(36, OOM_GROUP, "oom_group", "tid:u memcgId:u") \
  X(37, OOM_END, "oom_end", "tid:u result:u durationNs:u") \
  X(38, MARK_VICTIM, "mark_victim", "tid:u victimTid:u pid:u? comm:s? memcgId:u? oomScoreAdj:i? totalVmKb:u? anonKb:u? fileKb:u? shmemKb:u? pgtablesKb:u? uid:u?") \
  X(39, OOM_REAP, "oom_reap", "victimTid:u phase:u") \
  X(40, TASK_EXIT, "task_exit", "pid:u comm:s memcgId:u exitCode:u maxRssPages:u") \
  X(41, SIGNAL, "signal", "signo:u code:i group:u result:u senderPid:u senderTid:u senderComm:s senderMemcgId:u targetTid:u targetComm:s") \
  X(45, PROCESS, "process", "pid:u startNs:u memcgId:u ppid:u uid:u threads:u comm:s") \
  X(46, PROCESS_COMMAND, "process_command", "pid:u startNs:u commandLine:s? exe:s? runtime:s? settings:s environRead:b") \
  X(47, PROCESS_MEMORY, "process_memory", "pid:u startNs:u anonBytes:u fileBytes:u shmemBytes:u swapBytes:u pgtablesBytes:u peakRssBytes:u? oomScoreAdj:i readNs:u") \
  X(48, PROCESS_END, "process_end", "pid:u startNs:u") \
  X(50, COUNTER, "counter", "counter:u key:u value:u") \
  X(51, HISTOGRAM, "histogram", "histogram:u key:u buckets:a") \
  X(52, STALL, "stall", "what:u tid:u pid:u comm:s taskMemcgId:u targetMemcgId:u durationNs:u reclaimedPages:u order:i") \
  X(60, KMSG, "kmsg", "seq:u level:u kmsgUs:u text:s") \
  X(70, WORKLOAD, "workload", "from:s podUid:s? containerId:s? namespace:s? pod:s? container:s? role:s? restarts:u? image:s? runtime:s? pid:u? " \
    "memoryLimitBytes:u? memoryRequestBytes:u? oomScoreAdj:i? qos:s? priority:i? owner:s? labels:s? cgroupPath:s? unit:s? " \
    "description:s?") \
  X(71, TESTIMONY, "testimony", "from:s says:s podUid:s? containerId:s? detail:s?") \
  X(72, CONTAINER_STATUS, "container_status", "from:s containerId:s state:s exitCode:i? reason:s? message:s? startedMs:u? finishedMs:u?")

/* Maps `@<name>` that are cumulative counters; the position is the number on the wire. */
#define EVENT_COUNTERS(X) \
  X(memcg_reclaim_target_ns) X(memcg_reclaim_target_count) X(memcg_reclaim_target_pages) \
  X(memcg_reclaim_ns) X(memcg_reclaim_count) X(memcg_reclaim_pages) \
  X(direct_reclaim_ns) X(direct_reclaim_count) X(direct_reclaim_pages) \
  X(over_high_ns) X(over_high_count) X(throttled_ns) X(throttled_count) X(compaction_ns) X(compaction_count) \
  X(kswapd_wake_count) X(kswapd_sleep_count)

#define EVENT_HISTOGRAMS(X) X(memcg_reclaim_hist) X(direct_reclaim_hist) X(over_high_hist) X(compaction_hist)

#define EVENT_STALLS(X) X(memcg_reclaim) X(direct_reclaim) X(over_high) X(compaction) X(throttled)

enum kind_number {
#define X(number, id, name, fields) KIND_##id = number,
  EVENT_KINDS(X)
#undef X
};

enum counter_number {
#define X(name) COUNTER_##name,
  EVENT_COUNTERS(X)
#undef X
  COUNTERS
};

enum histogram_number {
#define X(name) HISTOGRAM_##name,
  EVENT_HISTOGRAMS(X)
#undef X
  HISTOGRAMS
};

struct kind {
  uint16_t number;
  const char *name;
  uint8_t count;                         /* fields, without kind and tsNs */
  char type[KIND_FIELDS_MAX];            /* u i s b a */
  bool optional[KIND_FIELDS_MAX];
  char field[KIND_FIELDS_MAX][24];
  uint64_t tasks, memcgs;                /* bit per field that names a task (pid or tid) or a memcg */
};

/* Must be called once before anything else of this file. */
void event_init(void);
/* NULL when no kind has that number. */
const struct kind *event_kind(uint64_t number);
/* Every kind in order of its number; NULL after the last. */
const struct kind *event_kind_at(int position);
/* Position of a field, -1 when the kind has none of that name. */
int event_field(const struct kind *kind, const char *name);
/* Index of a counter or histogram by its map's name without '@' (not terminated), -1 when it is another map. */
int event_counter(const char *name, size_t length);
int event_histogram(const char *name, size_t length);
/* The dictionary as text, for the contract test. */
void event_dump(FILE *out);

#endif
