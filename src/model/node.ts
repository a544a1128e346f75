/** The node as we believe it is now: the types that `apply` folds events into and that views read. No clock, no file, no environment. */
import type { ClockAnchor } from '../base/time.ts'
import type { EventOf } from '../event/event.ts'
import type { KillCase } from './case.ts'
import type { CaseBook } from './case-book.ts'
import type { History } from './history.ts'
import type { Zone } from './node-facts.ts'
import type { Gaps } from './gaps.ts'
import type { NameBook, WorkloadName } from './names.ts'
import type { NumaSplit } from './numa.ts'
import type { ProcessTable } from './processes.ts'
import type { ReclaimHistory } from './reclaim-history.ts'
import type { StallHistory } from './stall-history.ts'
import type { SpikeWatch } from './rise.ts'
import type { SpikeBook } from './spike.ts'

/** Cumulative losses and damage, by place; shown on the status line and in every report. Nothing vanishes silently. */
export type Health = {
  /** `loss` rows, by `where`: the newest cumulative count and its detail. */
  readonly losses: Map<string, { count: number; detail?: string | undefined }>
  corruptFrames: number
  corruptBytes: number
  unknownKinds: number
  badRows: number
  /** Newest last, bounded. */
  readonly notices: { tsNs: number; from: string; text: string }[]
  tracer?: EventOf<'tracer'>
  /** What became of the tracer, oldest first, bounded; keyframes repeat the newest, which is kept once. */
  readonly tracerStates: EventOf<'tracer'>[]
  cost?: EventOf<'cost'>
  /** One a second over the last two minutes, oldest first. */
  readonly costs: EventOf<'cost'>[]
  /** How closely memcgs are looked at, and what that costs. */
  sampling?: EventOf<'sampling'>
  readonly selftests: Map<string, EventOf<'selftest'>>
}

/** One memcg, alive or remembered after its death (bounded number of tombstones). */
export type Memcg = {
  readonly id: number
  parentId: number
  path: string
  bornNs: number
  /** Set when it was removed. */
  diedNs?: number
  limits?: EventOf<'memcg_limits'>
  usage?: EventOf<'memcg_usage'>
  stat?: EventOf<'memcg_stat'>
  /** The samples before the newest ones, oldest first, see earlier.ts. */
  earlierUsage?: EventOf<'memcg_usage'>[] | undefined
  earlierStat?: EventOf<'memcg_stat'>[] | undefined
  /** On which NUMA nodes it lies, where that was asked for; the reading before, oldest first. */
  numa?: NumaSplit
  earlierNuma?: NumaSplit[] | undefined
  events?: EventOf<'memcg_events'>
  psi?: EventOf<'memcg_psi'>
  /** What an OOM daemon wrote on it. */
  oomd?: EventOf<'memcg_oomd'>
  /** Cumulative probe counters, indexed as COUNTERS; monotone even when a probe's own counter restarts. Absent until the first one arrives. */
  counters?: Float64Array
  /** What the probe's own counters said last; differs from `counters` after a restart of the tracer. */
  rawCounters?: Float64Array
  /** Reclaim of this memcg (as the target, where that is known) in the last seconds. */
  reclaim?: ReclaimHistory
  /** Time its own tasks waited in reclaim or throttling, cumulative since the fold began. */
  waitedNs?: number
  /** What looks for spikes in its usage; absent until the first row, and for the root. */
  watch?: SpikeWatch
  /** Newest time any fact named it; a memcg that two keyframes do not name is gone. */
  lastSeenNs: number
  /** Cumulative log2 ns histograms, by index of HISTOGRAMS. */
  histograms?: Map<number, readonly number[]>
  /** The last two minutes, one slot a second. */
  readonly history: History
  /** Number of oom kills of processes in this memcg itself (not its descendants), as of the last look at the cases. */
  killCount: number
}

/** One statement of a kubelet about one of its pods. */
export type Testimony = EventOf<'testimony'>

/** What a runtime says about one container. */
export type ContainerStatus = EventOf<'container_status'>

export type NodeModel = {
  /** Only these cgroups are looked at (narrow.ts); absent: all. */
  readonly covers?: (path: string) => boolean
  /** How the person chose them. */
  readonly coversText?: string
  hello?: EventOf<'hello'>
  /** Newest time seen, CLOCK_MONOTONIC ns. */
  nowNs: number
  /** The first since a clock last jumped, with those before it. */
  anchor?: ClockAnchor
  memory?: EventOf<'node_memory'>
  psi?: EventOf<'node_psi'>
  vmstat?: EventOf<'node_vmstat'>
  /** The first one of this fold: what its counters rose by since is what must be explained. */
  firstVmstat?: EventOf<'node_vmstat'>
  /** The last ten seconds of it, oldest first: for rates. */
  readonly vmstats: EventOf<'node_vmstat'>[]
  /** Zones of the NUMA nodes, in the kernel's order. */
  readonly zones: Map<string, Zone>
  /** The largest slab caches of the newest reading; empty when they cannot be read. */
  readonly slabs: EventOf<'node_slab'>[]
  /** PSI percentages and stall rate of the node, one slot a second. */
  readonly history: History
  /** By memcgId. */
  readonly memcgs: Map<number, Memcg>
  /** Rises whenever one of them comes, goes, dies or gets another path: what was found of who stands where is old then. */
  population: number
  /** By memcgId, bounded: what its tasks waited for in the last two minutes; only of those that waited. */
  readonly stalls: Map<number, StallHistory>
  readonly processes: ProcessTable
  /** Every kill case, oldest first, bounded. Looking merges what was gathered since the last look; the objects stay the same. */
  readonly cases: KillCase[]
  /** question → how it is answered here. */
  readonly rungs: Map<string, EventOf<'rung'>>
  /** `pod:<uid>` or `container:<id>` → name. */
  readonly names: Map<string, WorkloadName>
  /** Who said what, and how long it is kept; only the model's own. */
  readonly nameBook: NameBook
  /** Not of another fold. */
  readonly ownsNames: boolean
  /** The words of a runtime, one a run, by container id; bounded. Labels, no proof. */
  readonly statuses: NameBook['statuses']
  /** What kubelet's log says, oldest first, bounded. */
  readonly testimonies: Testimony[]
  /** Newest last, bounded: PSI triggers and single stalls. */
  readonly recent: (EventOf<'psi_trigger'> | EventOf<'stall'>)[]
  /** Of the time before this some of them are no longer kept. */
  recentFromNs: number
  readonly health: Health
  /** Spikes of every memcg; a pod's stands beside its container's (view/spikes-list.ts tells each once). */
  readonly spikes: SpikeBook
  /** When nothing was told. */
  readonly gaps: Gaps
  /** Counters of waits arrive: a memcg without one has not waited. */
  hasCounters: boolean
  /** Time of the newest `clock` rows, oldest first (at most 3): the keyframes. */
  readonly clocksNs: number[]
  /** Ids of the dead, oldest first: tombstones are bounded. */
  readonly tombstones: number[]
  readonly mostTombstones: number
  /** Open ends of cases being merged; only the model's own. */
  readonly caseBook: CaseBook
}
