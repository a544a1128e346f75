/** The overview: one row per workload with every number the screen shows, computed from the model at one moment. */
import type { Memcg } from '../model/node.ts'
import { kubectlTopOf, workingSetOf as setOf } from '../model/kubectl-top.ts'
import { highPerSec, maxPerSec, stallMsPerSec } from '../model/rates.ts'
import type { Folded } from './fold.ts'
import { fold, isShown } from './fold.ts'
import { forecastOf } from './forecast.ts'
import { bindingOf, levelsOf } from './limits.ts'
import type { Binding, Level } from './limits.ts'
import type { Moment } from './moment.ts'
import { severityOf, urgencyOf } from './severity.ts'
import type { Severity } from './severity.ts'
import { largest, usageSeries } from './window.ts'

/** Everything known of a workload's memory, as facts; absent = not known, 0 = known to be zero. */
export type Facts = {
  readonly usedBytes?: number | undefined
  readonly swapBytes?: number | undefined
  /** What `kubectl top` would show if it looked now: the sum of usage minus inactive_file over the containers, as the kubelet computes it. */
  readonly workingSetBytes?: number | undefined
  /** Of what stands against the binding limit, which may be one container of several. */
  readonly boundWorkingSetBytes?: number | undefined
  /** What the dashboard shows: the same as of its last look, up to 15 s ago; absent before the first. */
  readonly kubectlTopBytes?: number | undefined
  readonly inactiveFileBytes?: number | undefined
  readonly anonBytes?: number | undefined
  readonly fileBytes?: number | undefined
  readonly shmemBytes?: number | undefined
  readonly kernelBytes?: number | undefined
  readonly somePercent?: number | undefined
  readonly fullPercent?: number | undefined
  readonly stallMsPerS?: number | undefined
  readonly highPerS?: number | undefined
  readonly maxPerS?: number | undefined
  readonly oomKills?: number | undefined
  readonly growthBytesPerS?: number | undefined
  /** Seconds until a limit if growth goes on as in the last 30 s: an estimate. */
  readonly secondsToLimit?: number | undefined
  /** Which limit that is. */
  readonly forecastLevel?: Level | undefined
}

/** The last 60 s of the level whose limit the row stands against. */
export type Minute = {
  /** Usage of each second, oldest first; NaN where nothing was sampled. */
  readonly usage: readonly number[]
  /** Highest of them, the newest sample included. */
  readonly peakBytes: number | undefined
  /** Highest usage of the row's own less what `kubectl top` shows. */
  readonly hiddenBytes: number | undefined
}

export type OverviewRow = Facts & {
  readonly key: string
  /** With the container whose limit binds, where it has several. */
  readonly name: string
  /** Of the workload alone. */
  readonly ownName: string
  readonly kind: Folded['kind']
  /** The cgroup that stands for the row. */
  readonly selfId: number
  readonly memcgIds: readonly number[]
  readonly levels: readonly Level[]
  readonly binding: Binding | undefined
  /** Made when it is looked at: the minutes of all rows would be most of what a scene costs. */
  readonly minute: () => Minute
  readonly lastKillNs: number | undefined
  readonly sinceKillS: number | undefined
  readonly severity: Severity
  /** Larger = nearer to the top. */
  readonly urgency: number
}

/** For a headline: in the tree a name is only the last part of it. */
export const titleOf = ({ kind, name, ownName }: OverviewRow): string => (kind === 'cgroup' ? ownName : name)

/** The kubelet's formula, now. */
export function workingSetOf({ usage, stat }: Memcg): number | undefined {
  const bytes = usage === undefined ? Number.NaN : setOf(usage.currentBytes, stat?.inactiveFileBytes)
  return Number.isNaN(bytes) ? undefined : bytes
}

/** Sum of what is known; nothing when nothing is. */
function sumOf<T>(items: readonly T[], of: (item: T) => number | undefined): number | undefined {
  let sum: number | undefined
  for (const item of items) { const value = of(item); if (value !== undefined) sum = (sum ?? 0) + value }
  return sum
}

/** memory.events counts the subtree on v2; v1 counts each cgroup alone; what the model itself saw may be newer than both. */
function oomKillsOf(at: Moment, row: Folded): number | undefined {
  const counted = at.model.hello?.memcgVersion === 'v1' ? sumOf(row.members, (memcg) => memcg.events?.oomKill) : row.self.events?.oomKill
  let seen = 0
  for (const { killCount } of row.members) seen += killCount
  return counted === undefined && seen === 0 ? undefined : Math.max(counted ?? 0, seen)
}

const kernelOf = ({ stat }: Memcg): number | undefined => stat?.kernelBytes ?? sumOf([stat?.slabReclaimableBytes, stat?.slabUnreclaimableBytes, stat?.kernelStackBytes, stat?.pagetablesBytes], (bytes) => bytes)

/** With several containers, a binding one is named, and a cgroup that one of them made: its numbers stand in the row. */
const innerName = (folded: Folded, binding: Binding | undefined): string => (binding?.where === 'inside' || (binding?.where === 'container' && folded.containers.length > 1) ? `:${binding.label.replace(/^container /, '').replaceAll('"', '')}` : '')

function peakOf({ usage }: Memcg, series: readonly number[]): number | undefined {
  const sampled = largest(series), current = usage?.currentBytes
  return sampled === undefined ? current : Math.max(sampled, current ?? 0)
}

function minuteOf({ minute }: Moment, { shown, self, topBytes }: { readonly shown: Memcg; readonly self: Memcg; readonly topBytes: number | undefined }): OverviewRow['minute'] {
  let known: Minute | undefined
  const look = (): Minute => {
    const usage = usageSeries(shown.history, minute), peakBytes = peakOf(shown, usage), highestBytes = shown === self ? peakBytes : peakOf(self, usageSeries(self.history, minute))
    return { usage, peakBytes, hiddenBytes: topBytes === undefined || highestBytes === undefined ? undefined : Math.max(0, highestBytes - topBytes) }
  }
  return () => known ??= look()
}

/** Kept per cgroup of the task that waited, so a pod's is the sum over its containers. */
export function stallOf({ rates, stallsKnown }: Moment, members: readonly Memcg[]): number | undefined {
  let sum = 0
  if (stallsKnown) for (const { history } of members) sum += stallMsPerSec(history, rates) ?? 0
  return stallsKnown ? sum : undefined
}

function lastKillIn({ lastKills }: Moment, members: readonly Memcg[]): number | undefined {
  let last: number | undefined
  if (lastKills.size > 0) for (const { id } of members) { const killNs = lastKills.get(id); if (killNs !== undefined && !(killNs <= (last ?? -1))) last = killNs }
  return last
}

export const somePercentOf = ({ psi }: Memcg): number | undefined => (psi === undefined ? undefined : psi.someAvg10Centi / 100)
export const highPerSOf = ({ rates }: Moment, { events, history }: Memcg): number | undefined => (events?.high === undefined ? undefined : highPerSec(history, rates) ?? 0)

/** One literal, so that all rows have one shape; `shown` is the level whose limit the row stands against: its own or one of its containers. */
export function rowOf(at: Moment, folded: Folded): OverviewRow {
  const { model, rates } = at, { nowNs } = model, { self, members, containers } = folded, { usage, stat, psi, events } = self, levels = levelsOf(folded.chain), binding = bindingOf(levels)
  const shown = binding === undefined || binding.where === 'above' ? self : model.memcgs.get(binding.memcgId) ?? self
  const forecast = forecastOf(model, levels, at.growthOf), lastKillNs = lastKillIn(at, members)
  const workingSetBytes = sumOf(containers, workingSetOf) ?? workingSetOf(self), kubectlTopBytes = sumOf(containers, (memcg) => kubectlTopOf(memcg, nowNs)) ?? kubectlTopOf(self, nowNs)
  const row: { -readonly [K in keyof OverviewRow]: OverviewRow[K] } = {
    key: folded.key, name: folded.name + innerName(folded, binding), ownName: folded.name, kind: folded.kind, selfId: self.id, memcgIds: folded.memberIds, levels, binding, minute: minuteOf(at, { shown, self, topBytes: kubectlTopBytes ?? workingSetBytes }),
    usedBytes: usage?.currentBytes, swapBytes: usage?.swapBytes, workingSetBytes, boundWorkingSetBytes: shown === self ? workingSetBytes : workingSetOf(shown), kubectlTopBytes,
    inactiveFileBytes: stat?.inactiveFileBytes, anonBytes: stat?.anonBytes, fileBytes: stat?.fileBytes, shmemBytes: stat?.shmemBytes, kernelBytes: kernelOf(self),
    somePercent: somePercentOf(self), fullPercent: psi === undefined ? undefined : psi.fullAvg10Centi / 100,
    stallMsPerS: stallOf(at, members), highPerS: highPerSOf(at, self), maxPerS: events?.max === undefined ? undefined : maxPerSec(self.history, rates) ?? 0, oomKills: oomKillsOf(at, folded),
    growthBytesPerS: forecast?.growthBytesPerS ?? at.growthOf(shown), secondsToLimit: forecast?.secondsToLimit, forecastLevel: forecast?.level,
    lastKillNs, sinceKillS: lastKillNs === undefined ? undefined : (nowNs - lastKillNs) / 1e9, severity: 0, urgency: 0,
  }
  row.severity = severityOf(row)
  row.urgency = urgencyOf(row, row.severity)
  return row
}

/** All rows, most urgent first. */
export function overviewRows(moment: Moment): OverviewRow[] {
  return fold(moment).filter(isShown).map((folded) => rowOf(moment, folded)).sort((a, b) => b.urgency - a.urgency || (a.name < b.name ? -1 : 1))
}
