/** The overview: one row per workload with every number the screen shows, computed from the model at one moment. */
import { isOomCase } from '../model/case.ts'
import type { KillCase } from '../model/case.ts'
import type { Memcg, NodeModel } from '../model/node.ts'
import { highPerSec, maxPerSec, stallMsPerSec } from '../model/rates.ts'
import type { Folded } from './fold.ts'
import { fold } from './fold.ts'
import { levelLabel, named } from './lens.ts'
import type { Lens } from './lens.ts'
import { bindingOf, levelsOf } from './limits.ts'
import type { Binding, Level } from './limits.ts'
import { judge } from './severity.ts'
import type { Severity } from './severity.ts'
import { largest, trend, usageSeries } from './window.ts'

/** Length of the sparkline and of the window of PEAK. */
export const WINDOW_SECONDS = 60
/** Rates are means over so many seconds: shorter flickers, longer hides. */
const RATE_SECONDS = 5
/** A forecast needs a steady slope over this long, this straight, and is silent beyond an hour. */
const TREND_SECONDS = 30, TREND_R2 = 0.85, LONGEST_FORECAST_S = 3600
/** Slower growth than this is noise. */
const LEAST_GROWTH_BYTES = 64 * 1024

/** Everything known of a workload's memory, as facts; absent = not known, 0 = known to be zero. */
export type Facts = {
  readonly usedBytes?: number | undefined
  readonly swapBytes?: number | undefined
  readonly peakBytes?: number | undefined
  /** What `kubectl top` would show: the sum of usage minus inactive_file over the containers, as the kubelet computes it. */
  readonly workingSetBytes?: number | undefined
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
  /** Seconds until the binding limit if growth goes on as in the last 30 s: an estimate. */
  readonly secondsToLimit?: number | undefined
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
  /** Usage of the last 60 s of the level shown, oldest first, NaN where nothing was sampled. */
  readonly usage: readonly number[]
  readonly lastKillNs: number | undefined
  readonly severity: Severity
  /** True sentences about it (predicates, the name is their subject), most urgent first. */
  readonly reasons: readonly string[]
  /** Larger = nearer to the top. */
  readonly urgency: number
}

/** The kubelet's formula (cAdvisor setMemoryStats): usage minus inactive_file, never below zero. */
export const workingSetOf = (memcg: Memcg): number | undefined =>
  memcg.usage === undefined || memcg.stat?.inactiveFileBytes === undefined ? undefined : Math.max(0, memcg.usage.currentBytes - memcg.stat.inactiveFileBytes)

/** Sum of what is known; nothing when nothing is. */
function sumKnown(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined)
  return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0)
}

/** What a row is computed with, found once per frame. */
type Moment = { readonly model: NodeModel; readonly labelOf: (memcg: Memcg) => string; readonly lastSecond: number; readonly stallsKnown: boolean; readonly lastKills: ReadonlyMap<number, number> }

function ratesOf(at: Moment, row: Folded): Facts {
  const window = { nowNs: at.model.nowNs, seconds: RATE_SECONDS }, { self } = row
  return {
    // Kept per cgroup of the task that waited, so a pod's is the sum over its containers.
    stallMsPerS: at.stallsKnown ? sumKnown(row.members.map((memcg) => stallMsPerSec(memcg.history, window))) ?? 0 : undefined,
    highPerS: self.events?.high === undefined ? undefined : highPerSec(self.history, window) ?? 0,
    maxPerS: self.events?.max === undefined ? undefined : maxPerSec(self.history, window) ?? 0,
    somePercent: self.psi === undefined ? undefined : self.psi.someAvg10Centi / 100,
    fullPercent: self.psi === undefined ? undefined : self.psi.fullAvg10Centi / 100,
  }
}

/** memory.events counts the subtree on v2; v1 counts each cgroup alone; what the model itself saw may be newer than both. */
function oomKillsOf(at: Moment, row: Folded): number | undefined {
  const perMember = sumKnown(row.members.map((memcg) => memcg.events?.oomKill))
  const counted = at.model.hello?.memcgVersion === 'v1' ? perMember : row.self.events?.oomKill
  const seen = row.members.reduce((sum, memcg) => sum + memcg.killCount, 0)
  return counted === undefined && seen === 0 ? undefined : Math.max(counted ?? 0, seen)
}

/** `shown` is the level whose limit the row stands against: its own or one of its containers. */
function memoryOf(at: Moment, row: Folded, shown: Memcg): Facts & { readonly usage: readonly number[] } {
  const { self } = row, { stat } = self
  const usage = usageSeries(shown.history, { lastSecond: at.lastSecond, seconds: WINDOW_SECONDS })
  const sampledPeak = largest(usage), current = shown.usage?.currentBytes
  const containerSets = row.containers.map(workingSetOf)
  return {
    usage, usedBytes: self.usage?.currentBytes, swapBytes: self.usage?.swapBytes,
    peakBytes: sampledPeak === undefined ? current : Math.max(sampledPeak, current ?? 0),
    workingSetBytes: sumKnown(containerSets) ?? workingSetOf(self),
    inactiveFileBytes: stat?.inactiveFileBytes, anonBytes: stat?.anonBytes, fileBytes: stat?.fileBytes, shmemBytes: stat?.shmemBytes,
    kernelBytes: stat?.kernelBytes ?? sumKnown([stat?.slabReclaimableBytes, stat?.slabUnreclaimableBytes, stat?.kernelStackBytes, stat?.pagetablesBytes]),
  }
}

/** Growth only when it is steady, and the time to the limit that follows from it. */
function forecastOf(usage: readonly number[], binding: Binding | undefined): Pick<Facts, 'growthBytesPerS' | 'secondsToLimit'> {
  const line = trend(usage.slice(-TREND_SECONDS))
  if (line === undefined || line.r2 < TREND_R2 || line.slope < LEAST_GROWTH_BYTES) return {}
  const seconds = binding === undefined ? undefined : Math.max(0, binding.maxBytes - binding.usedBytes) / line.slope
  return { growthBytesPerS: line.slope, secondsToLimit: seconds !== undefined && seconds <= LONGEST_FORECAST_S ? seconds : undefined }
}

function rowOf(at: Moment, folded: Folded): OverviewRow {
  const levels = levelsOf(at.labelOf, at.model, folded), binding = bindingOf(levels)
  const memcgIds = new Set(folded.members.map((memcg) => memcg.id))
  const lastKillNs = largest([...memcgIds].map((id) => at.lastKills.get(id) ?? Number.NaN))
  const shown = binding === undefined || binding.where === 'above' ? folded.self : at.model.memcgs.get(binding.memcgId) ?? folded.self
  const memory = memoryOf(at, folded, shown), above = binding?.where === 'above' ? at.model.memcgs.get(binding.memcgId) : undefined
  const grows = above === undefined ? memory.usage : usageSeries(above.history, { lastSecond: at.lastSecond, seconds: TREND_SECONDS })
  const facts = Object.assign(memory, ratesOf(at, folded), forecastOf(grows, binding), {
    oomKills: oomKillsOf(at, folded), binding, sinceKillS: lastKillNs === undefined ? undefined : (at.model.nowNs - lastKillNs) / 1e9,
  })
  const verdict = judge(facts)
  // With several containers, a binding one is named: its numbers stand in the row.
  const inner = binding?.where === 'container' && folded.containers.length > 1 ? `:${binding.label.replace(/^container /, '').replaceAll('"', '')}` : ''
  return Object.assign(facts, verdict, {
    key: folded.key, name: folded.name + inner, kind: folded.kind, selfId: folded.self.id, memcgIds, levels, lastKillNs, containers: levels.filter((level) => level.where === 'container'),
  })
}

/** Time of the newest kill of each memcg, and of the memcg whose limit it was. */
function lastKillsOf(cases: readonly KillCase[], nowNs: number): Map<number, number> {
  const kills = new Map<number, number>()
  for (const killCase of cases) for (const victim of killCase.victims) {
    if (victim.memcgId !== undefined && isOomCase(killCase) && killCase.tsNs <= nowNs) kills.set(victim.memcgId, Math.max(kills.get(victim.memcgId) ?? 0, killCase.tsNs))
  }
  return kills
}

/** Computes rows of one moment: what all of them share is found once. */
export function rowMaker(lens: Lens, model: NodeModel, cases: readonly KillCase[]): (folded: Folded) => OverviewRow {
  let stallsKnown = false
  for (const memcg of model.memcgs.values()) if (memcg.counters !== undefined) { stallsKnown = true; break }
  const labels = new Map<number, string>()
  const labelOf = (memcg: Memcg): string => {
    // The levels above are shared by many rows.
    const label = labels.get(memcg.id) ?? levelLabel(named(model, lens.workloadOf(memcg.path)), memcg.path)
    labels.set(memcg.id, label)
    return label
  }
  const at: Moment = { model, labelOf, stallsKnown, lastSecond: Math.floor(model.nowNs / 1e9), lastKills: lastKillsOf(cases, model.nowNs) }
  return (folded) => rowOf(at, folded)
}

/** All rows, most urgent first. `cases` may know kills that this fold began after. */
export function overviewRows(lens: Lens, model: NodeModel, cases: readonly KillCase[] = model.cases): OverviewRow[] {
  return fold(lens, model).map(rowMaker(lens, model, cases)).sort((a, b) => b.urgency - a.urgency || (a.name < b.name ? -1 : 1))
}
