/** The overview: one row per workload with every number the screen shows, computed from the model at one moment. */
import { isOomCase } from '../model/case.ts'
import type { KillCase, Workload } from '../model/case.ts'
import type { Memcg, NodeModel } from '../model/node.ts'
import { kubectlTopOf, workingSetOf as setOf } from '../model/kubectl-top.ts'
import { highPerSec, maxPerSec, peakInWindowBytes, stallMsPerSec } from '../model/rates.ts'
import type { Folded } from './fold.ts'
import { fold } from './fold.ts'
import { forecastOf, growthOf } from './forecast.ts'
import { levelLabel, named } from './lens.ts'
import type { Lens } from './lens.ts'
import { bindingOf, levelsOf } from './limits.ts'
import type { Binding, Level } from './limits.ts'
import { judge } from './severity.ts'
import type { Severity } from './severity.ts'
import { fillUsage, largest, usageSeries } from './window.ts'

/** Length of the sparkline and of the window of PEAK. */
export const WINDOW_SECONDS = 60
/** Rates are means over so many seconds: shorter flickers, longer hides. */
const RATE_SECONDS = 5

/** Everything known of a workload's memory, as facts; absent = not known, 0 = known to be zero. */
export type Facts = {
  readonly usedBytes?: number | undefined
  readonly swapBytes?: number | undefined
  readonly peakBytes?: number | undefined
  /** What `kubectl top` would show if it looked now: the sum of usage minus inactive_file over the containers, as the kubelet computes it. */
  readonly workingSetBytes?: number | undefined
  /** What the dashboard shows: the same as of its last look, up to 15 s ago; absent before the first. */
  readonly kubectlTopBytes?: number | undefined
  /** Highest usage of the last minute less what `kubectl top` shows. */
  readonly hiddenBytes?: number | undefined
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

export type OverviewRow = Facts & {
  readonly key: string
  readonly name: string
  readonly kind: Folded['kind']
  /** The cgroup that stands for the row. */
  readonly selfId: number
  readonly memcgIds: ReadonlySet<number>
  readonly levels: readonly Level[]
  readonly binding: Binding | undefined
  readonly containers: readonly { readonly label: string; readonly usedBytes: number | undefined; readonly maxBytes: number | undefined }[]
  /** Usage of the last 60 s of the level shown, oldest first, NaN where nothing was sampled; made when it is looked at. */
  readonly usage: () => readonly number[]
  readonly lastKillNs: number | undefined
  readonly severity: Severity
  /** True sentences about it (predicates, the name is their subject), most urgent first. */
  readonly reasons: readonly string[]
  /** Larger = nearer to the top. */
  readonly urgency: number
}

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

/** What a row is computed with, found once per frame. */
type Moment = { readonly model: NodeModel; readonly growthOf: (memcg: Memcg) => number | undefined; readonly labelOf: (memcg: Memcg) => string; readonly lastSecond: number; readonly stallsKnown: boolean; readonly lastKills: ReadonlyMap<number, number> }

function ratesOf(at: Moment, row: Folded): Facts {
  const window = { nowNs: at.model.nowNs, seconds: RATE_SECONDS }, { self } = row
  return {
    // Kept per cgroup of the task that waited, so a pod's is the sum over its containers.
    stallMsPerS: at.stallsKnown ? sumOf(row.members, (memcg) => stallMsPerSec(memcg.history, window)) ?? 0 : undefined,
    highPerS: self.events?.high === undefined ? undefined : highPerSec(self.history, window) ?? 0,
    maxPerS: self.events?.max === undefined ? undefined : maxPerSec(self.history, window) ?? 0,
    somePercent: self.psi === undefined ? undefined : self.psi.someAvg10Centi / 100,
    fullPercent: self.psi === undefined ? undefined : self.psi.fullAvg10Centi / 100,
  }
}

/** memory.events counts the subtree on v2; v1 counts each cgroup alone; what the model itself saw may be newer than both. */
function oomKillsOf(at: Moment, row: Folded): number | undefined {
  const perMember = sumOf(row.members, (memcg) => memcg.events?.oomKill)
  const counted = at.model.hello?.memcgVersion === 'v1' ? perMember : row.self.events?.oomKill
  const seen = row.members.reduce((sum, memcg) => sum + memcg.killCount, 0)
  return counted === undefined && seen === 0 ? undefined : Math.max(counted ?? 0, seen)
}

/** Filled anew for each row: two minutes of numbers for every row of every scene would be most of what a scene costs. */
const USAGE = new Float64Array(WINDOW_SECONDS)

const peakOf = (shown: Memcg): number | undefined => {
  const sampled = largest(USAGE), current = shown.usage?.currentBytes
  return sampled === undefined ? current : Math.max(sampled, current ?? 0)
}

const kernelOf = ({ stat }: Memcg): number | undefined => stat?.kernelBytes ?? sumOf([stat?.slabReclaimableBytes, stat?.slabUnreclaimableBytes, stat?.kernelStackBytes, stat?.pagetablesBytes], (bytes) => bytes)

/** Of the whole row: `k.TOP` is the sum over its containers. */
function hiddenOf(at: Moment, self: Memcg, kubectlTopBytes: number | undefined): number | undefined {
  const highest = peakInWindowBytes(self.history, { nowNs: at.model.nowNs, seconds: WINDOW_SECONDS }) ?? self.usage?.currentBytes
  return kubectlTopBytes === undefined || highest === undefined ? undefined : Math.max(0, highest - kubectlTopBytes)
}

/** With several containers, a binding one is named: its numbers stand in the row. */
const innerName = (folded: Folded, binding: Binding | undefined): string => (binding?.where === 'container' && folded.containers.length > 1 ? `:${binding.label.replace(/^container /, '').replaceAll('"', '')}` : '')

/** One literal, so that all rows have one shape; `shown` is the level whose limit the row stands against: its own or one of its containers. */
function rowOf(at: Moment, folded: Folded): OverviewRow {
  const { self } = folded, { stat } = self, levels = levelsOf(at.labelOf, at.model, folded), binding = bindingOf(levels), isAbove = binding?.where === 'above', { nowNs } = at.model
  const shown = binding === undefined || isAbove ? self : at.model.memcgs.get(binding.memcgId) ?? self
  fillUsage(shown.history, at.lastSecond, USAGE)
  const peakBytes = peakOf(shown)
  const memcgIds = new Set<number>(), forecast = forecastOf(at.model, levels, at.growthOf), growthBytesPerS = forecast?.growthBytesPerS ?? at.growthOf(shown), rates = ratesOf(at, folded)
  let lastKillNs: number | undefined, usage: readonly number[] | undefined
  for (const { id } of folded.members) {
    const killNs = at.lastKills.get(id)
    memcgIds.add(id)
    if (killNs !== undefined && !(killNs <= (lastKillNs ?? -1))) lastKillNs = killNs
  }
  const workingSetBytes = sumOf(folded.containers, workingSetOf) ?? workingSetOf(self), sinceKillS = lastKillNs === undefined ? undefined : (nowNs - lastKillNs) / 1e9
  const kubectlTopBytes = sumOf(folded.containers, (memcg) => kubectlTopOf(memcg, nowNs)) ?? kubectlTopOf(self, nowNs)
  const verdict = judge({ ...rates, binding, workingSetBytes, growthBytesPerS, secondsToLimit: forecast?.secondsToLimit, forecastLevel: forecast?.level, sinceKillS })
  return {
    key: folded.key, name: folded.name + innerName(folded, binding), kind: folded.kind, selfId: self.id, memcgIds, levels, binding, containers: levels.filter((level) => level.where === 'container'), lastKillNs,
    usage: () => usage ??= usageSeries(shown.history, { lastSecond: at.lastSecond, seconds: WINDOW_SECONDS }),
    usedBytes: self.usage?.currentBytes, swapBytes: self.usage?.swapBytes, peakBytes, workingSetBytes, kubectlTopBytes, hiddenBytes: hiddenOf(at, self, kubectlTopBytes ?? workingSetBytes), inactiveFileBytes: stat?.inactiveFileBytes, anonBytes: stat?.anonBytes, fileBytes: stat?.fileBytes, shmemBytes: stat?.shmemBytes, kernelBytes: kernelOf(self),
    somePercent: rates.somePercent, fullPercent: rates.fullPercent, stallMsPerS: rates.stallMsPerS, highPerS: rates.highPerS, maxPerS: rates.maxPerS, oomKills: oomKillsOf(at, folded),
    growthBytesPerS, secondsToLimit: forecast?.secondsToLimit, forecastLevel: forecast?.level, severity: verdict.severity, reasons: verdict.reasons, urgency: verdict.urgency,
  }
}

/** Time of the newest kill of each memcg, and of the memcg whose limit it was. */
function lastKillsOf(cases: readonly KillCase[], nowNs: number): Map<number, number> {
  const kills = new Map<number, number>()
  for (const killCase of cases) for (const victim of killCase.victims) {
    if (victim.memcgId !== undefined && isOomCase(killCase) && killCase.tsNs <= nowNs) kills.set(victim.memcgId, Math.max(kills.get(victim.memcgId) ?? 0, killCase.tsNs))
  }
  return kills
}

/** A workload is the same object until a name in it changes: its label is made once, not in every scene. */
const labels = new WeakMap<Workload, { readonly path: string; readonly label: string }>()

function labelOfLevel(workload: Workload, path: string): string {
  const known = labels.get(workload)
  if (known?.path === path) return known.label
  const label = levelLabel(workload, path)
  labels.set(workload, { path, label })
  return label
}

/** Computes rows of one moment: what all of them share is found once. */
export function rowMaker(lens: Lens, model: NodeModel, cases: readonly KillCase[]): (folded: Folded) => OverviewRow {
  let stallsKnown = false
  for (const memcg of model.memcgs.values()) if (memcg.counters !== undefined) { stallsKnown = true; break }
  const labelOf = (memcg: Memcg): string => labelOfLevel(named(model, lens.workloadOf(memcg.path)), memcg.path)
  const growths = new Map<number, number | undefined>(), lastSecond = Math.floor(model.nowNs / 1e9)
  const growth = (memcg: Memcg): number | undefined => {
    // The levels above are shared by many rows.
    if (!growths.has(memcg.id)) growths.set(memcg.id, growthOf(memcg, lastSecond))
    return growths.get(memcg.id)
  }
  const at: Moment = { model, labelOf, growthOf: growth, stallsKnown, lastSecond, lastKills: lastKillsOf(cases, model.nowNs) }
  return (folded) => rowOf(at, folded)
}

/** All rows, most urgent first. `cases` may know kills that this fold began after. */
export function overviewRows(lens: Lens, model: NodeModel, cases: readonly KillCase[] = model.cases): OverviewRow[] {
  return fold(lens, model).map(rowMaker(lens, model, cases)).sort((a, b) => b.urgency - a.urgency || (a.name < b.name ? -1 : 1))
}
