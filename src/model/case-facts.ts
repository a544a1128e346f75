/** Everything gathered about one kill, before it is merged into a case. */
import type { EventOf } from '../event/event.ts'
import type { SentTo, Stroke } from './case-signals.ts'
import type { HolderChild, KillCase } from './case.ts'
import type { Decision } from './decision.ts'
import type { OomKillSplit } from './kernel-log-names.ts'
import type { OomReport } from './oom-report.ts'

/**
 * Counters of one memcg rose between two readings of its files: oom_kill (of memory.events), and oom of memory.events.local,
 * which only the memcg whose limit was hit counts.
 */
export type EventRise = { readonly memcgId: number; readonly fromNs: number; readonly toNs: number; readonly kills: number; readonly ooms: number }

/** Rows that no decision owns: they are joined by thread or process id when the case is merged. All bounded. */
export type Gathered = {
  /** SIGKILLs of the kernel, by target thread. */
  readonly signals: Map<number, EventOf<'signal'>>
  readonly exits: Map<number, EventOf<'task_exit'>>
  /** Signals of processes, by target thread. */
  readonly sent: Map<number, SentTo>
  /** Reaping finished, by victim thread. */
  readonly reaps: Map<number, EventOf<'oom_reap'>>
  readonly eventRises: EventRise[]
  /** A tracer that watches signals has shown one: then a mark without its SIGKILL is a task that was exiting anyway. */
  sawSignals: boolean
}

/** What was sampled before the decision; taken once, because the samples after it show the freed memory. */
export type Snapshot = {
  readonly memcgId: number
  readonly stat?: EventOf<'memcg_stat'> | undefined
  readonly usage?: EventOf<'memcg_usage'> | undefined
  readonly limits?: EventOf<'memcg_limits'> | undefined
  readonly children: readonly HolderChild[]
  readonly growth?: KillCase['growth']
}

export type CaseFacts = {
  readonly case: KillCase
  /** Oldest first. One, except that marks of one memory.oom.group may come apart when only marks are seen. */
  readonly decisions: Decision[]
  report?: OomReport
  snapshot?: Snapshot
  victimUsage?: KillCase['victimUsage']
  victimNuma?: KillCase['victimNuma']
  /** How the log's "oom-kill:" line is read, worked out once per merge. */
  names?: OomKillSplit | 'ambiguous' | undefined
  /** Only a counter rose. */
  rise?: EventRise
  /** A process sent the signal. */
  stroke?: Stroke
  /** No-kill decisions that ran while the victim was exiting, or while nobody might be killed; and the reports of such, which tell of the same ones. */
  folded: number
  foldedReports: number
  /** The newest of them: its last line may be written twice. */
  lastFolded?: OomReport
  /** A later decision began: nothing more will come. */
  superseded?: boolean
  /** Rows came since the last merge. */
  needsMerge: boolean
  merges: number
  /** Victims already counted in their memcg. */
  readonly counted: Set<number>
}

/** Two witnesses of one kill arrive within this time of each other; the same pid later is another process. */
export const JOIN_NS = 10e9

/** A victim can hang in the kernel for long; what dies later is another process with its pid. */
export const EXIT_NS = 600e9

/** The counters are read ten times a second at best; rows of probes may be this much younger than the file's. */
const RISE_SLACK_NS = 100e6

/** Did these counters rise while this happened? */
export const roseAt = (rise: EventRise, tsNs: number): boolean => near(rise.toNs, tsNs) && isBetweenReadings(rise, tsNs)

/** A bridge that is short of time reads files that nobody announces (v1) as rarely as every 32 s. */
export const isBetweenReadings = ({ fromNs, toNs }: EventRise, tsNs: number): boolean => toNs + RISE_SLACK_NS >= tsNs && fromNs - RISE_SLACK_NS <= tsNs

export const near = (a: number, b: number): boolean => Math.abs(a - b) <= JOIN_NS

/** Was this marked task killed by this decision? task_will_free_mem() marks without killing; __oom_kill_process() signals first. */
export function isKilledMark(gathered: Gathered, d: Decision, mark: EventOf<'mark_victim'>): boolean {
  if (d.kills.length > 0) return true
  const signal = gathered.signals.get(mark.victimTid)
  if (signal !== undefined && signal.senderTid === d.tid && near(signal.tsNs, mark.tsNs)) return true
  return d.begin === undefined && !gathered.sawSignals
}

/** How often the OOM killer ran again for it: two witnesses count the same runs. */
export const runsAgain = ({ folded, foldedReports }: CaseFacts): number => Math.max(folded, foldedReports)

/** Every thread or process id by which a witness may name a victim of this case. */
export function victimIds(facts: CaseFacts): number[] {
  const ids = facts.case.victims.flatMap((v) => [v.pid, ...v.tids])
  for (const d of facts.decisions) ids.push(...d.kills.map((k) => k.pid), ...d.picks.map((p) => p.pid), ...d.marks.flatMap((m) => [m.victimTid, m.pid ?? m.victimTid]))
  if (facts.report?.decision !== undefined) ids.push(facts.report.decision.tid)
  if (facts.report !== undefined) ids.push(...facts.report.killed.map((k) => k.tid))
  return ids
}
