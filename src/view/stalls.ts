/** Who waited for memory in the last two minutes, how long, for what, and at which latencies: one row per workload or cgroup, and the heat map of one row. */
import { STALLS } from '../event/kinds.ts'
import { HISTORY_SECONDS } from '../model/history.ts'
import type { Memcg, NodeModel } from '../model/node.ts'
import { psiFullPct, psiSomePct, stallMsPerSec, sumOver } from '../model/rates.ts'
import { HEAT_CLASSES, heatFromNs, heatIn, stallSlot, waitedIn, waitsIn } from '../model/stall-history.ts'
import type { StallHistory } from '../model/stall-history.ts'
import type { Column } from './columns.ts'
import { bytesCell, countCell, durationCell } from './compact.ts'
import { levelLabel, named, placeLabel } from './lens.ts'
import type { Lens } from './lens.ts'
import type { OverviewRow } from './overview.ts'
import { series } from './window.ts'

/** Seconds looked back: what the model keeps, without the one that is being overwritten. */
export const STALL_SECONDS = HISTORY_SECONDS - 1
const NOW_SECONDS = 5, PSI_SECONDS = 10, SPARK_SECONDS = 60
/** The row that sums all others. */
export const NODE_KEY = 'node'

export type StallRow = {
  readonly key: string
  readonly name: string
  readonly memcgIds: readonly number[]
  /** Nobody counts it here: only pressure is known. */
  readonly waitedNs: number | undefined
  readonly waits: number
  readonly nowMsPerS: number | undefined
  /** ns by index of STALLS; absent = no probe counts it here. */
  readonly byKind: readonly (number | undefined)[]
  /** 99 of 100 waits were shorter than this (the end of a latency class). */
  readonly p99Ns: number | undefined
  /** The longest single wait that was told on its own, or the end of the highest latency class seen. */
  readonly longest: { readonly ns: number; readonly isExact: boolean } | undefined
  readonly freedBytes: number
  readonly refaultsPerS: number | undefined
  readonly somePercent: number | undefined
  readonly fullPercent: number | undefined
  /** ms waited in each of the last 60 s, oldest first. */
  readonly perSecondMs: readonly number[]
}

/** A group of cgroups shown as one row. */
type Group = { readonly key: string; readonly name: string; readonly self: Memcg | undefined; readonly memcgIds: readonly number[] }

const QUESTION_OF: Readonly<Record<(typeof STALLS)[number], string>> = { memcg_reclaim: 'memcg-reclaim', direct_reclaim: 'direct-reclaim', over_high: 'over-high', compaction: 'compaction', throttled: 'throttled' }

/** Which kinds of wait some probe counts here; without a word about rungs, all. */
export function countedKinds(model: NodeModel): readonly boolean[] {
  return STALLS.map((kind) => { const state = model.rungs.get(QUESTION_OF[kind])?.state; return state === undefined ? model.rungs.size === 0 : state === 'chosen' || state === 'proven' })
}

/** What is the same for all rows of one moment. */
type Moment = { readonly model: NodeModel; readonly lastSecond: number; readonly counted: readonly boolean[]; readonly longest: ReadonlyMap<number, number> }

/** Longest single wait of the tasks of each memcg, as far as it was told on its own. */
function longestOf(model: NodeModel): Map<number, number> {
  const fromNs = model.nowNs - STALL_SECONDS * 1e9, longest = new Map<number, number>()
  for (const event of model.recent) if (event.kind === 'stall' && event.tsNs > fromNs && event.tsNs <= model.nowNs) longest.set(event.taskMemcgId, Math.max(longest.get(event.taskMemcgId) ?? 0, event.durationNs))
  return longest
}

type Sum = { readonly byKind: number[]; readonly heat: number[]; readonly perSecondMs: number[]; waits: number; freedPages: number }

function add(sum: Sum, history: StallHistory, lastSecond: number): void {
  for (let ago = 0; ago < STALL_SECONDS; ago++) {
    const slot = stallSlot(history, lastSecond - ago)
    if (slot < 0) continue
    for (let kind = 0; kind < STALLS.length; kind++) {
      const ns = waitedIn(history, kind, slot), isPart = STALLS[kind] === 'throttled'
      sum.byKind[kind] = (sum.byKind[kind] ?? 0) + ns
      // Being throttled happens inside reclaim, whose time holds it already.
      if (isPart) continue
      sum.waits += waitsIn(history, kind, slot)
      if (ago < SPARK_SECONDS) sum.perSecondMs[SPARK_SECONDS - 1 - ago] = (sum.perSecondMs[SPARK_SECONDS - 1 - ago] ?? 0) + ns / 1e6
    }
    sum.freedPages += history.freedPages[slot] ?? 0
    for (let heatClass = 0; heatClass < HEAT_CLASSES; heatClass++) sum.heat[heatClass] = (sum.heat[heatClass] ?? 0) + heatIn(history, slot, heatClass)
  }
}

/** The end of the class below which this share of the waits lies; the last class has none. */
function quantileNs(heat: readonly number[], share: number): number | undefined {
  const all = heat.reduce((sum, count) => sum + count, 0)
  let below = 0
  for (let heatClass = 0; heatClass < HEAT_CLASSES - 1 && all > 0; heatClass++) {
    below += heat[heatClass] ?? 0
    if (below >= share * all) return heatFromNs(heatClass + 1)
  }
  return undefined
}

/** `single` is the longest that was told on its own and is still kept: a longer one may be known by its class only. */
function longestWait(single: number, heat: readonly number[]): StallRow['longest'] {
  const highest = heat.findLastIndex((count) => count > 0)
  if (single > 0 && (highest < 0 || single >= heatFromNs(highest))) return { ns: single, isExact: true }
  // The last class has no end.
  return highest < 0 || highest === HEAT_CLASSES - 1 ? undefined : { ns: heatFromNs(highest + 1), isExact: false }
}

function rowOf({ model, lastSecond, counted, longest }: Moment, group: Group): StallRow {
  const sum: Sum = { byKind: STALLS.map(() => 0), heat: new Array<number>(HEAT_CLASSES).fill(0), perSecondMs: new Array<number>(SPARK_SECONDS).fill(0), waits: 0, freedPages: 0 }
  let nowMs = 0, single = 0, refaults = 0
  const window = (seconds: number): { readonly nowNs: number; readonly seconds: number } => ({ nowNs: model.nowNs, seconds }), isCounted = counted.some(Boolean)
  for (const id of group.memcgIds) {
    const history = model.stalls.get(id), memcg = model.memcgs.get(id)
    if (history !== undefined) add(sum, history, lastSecond)
    if (memcg !== undefined) nowMs += stallMsPerSec(memcg.history, window(NOW_SECONDS)) ?? 0
    single = Math.max(single, longest.get(id) ?? 0)
  }
  // memory.stat counts the subtree: the outermost cgroup of the group says it for all.
  const { self } = group, psi = self === undefined ? model : self
  if (self !== undefined) refaults = sumOver(self.history, 'refaults', window(PSI_SECONDS)) ?? 0
  return {
    key: group.key, name: group.name, memcgIds: group.memcgIds, waits: sum.waits, nowMsPerS: isCounted ? nowMs : undefined, freedBytes: sum.freedPages * (model.hello?.pageSizeBytes ?? 4096), perSecondMs: isCounted ? sum.perSecondMs : pressureMs(psi, lastSecond),
    waitedNs: isCounted ? sum.byKind.reduce((all, ns, kind) => (STALLS[kind] === 'throttled' ? all : all + ns), 0) : undefined,
    byKind: sum.byKind.map((ns, kind) => (counted[kind] === true ? ns : undefined)), p99Ns: quantileNs(sum.heat, 0.99),
    longest: longestWait(single, sum.heat),
    refaultsPerS: self?.stat?.workingsetRefaultFile === undefined ? undefined : refaults / PSI_SECONDS,
    somePercent: psi.psi === undefined ? undefined : psiSomePct(psi.history, window(PSI_SECONDS)) ?? 0, fullPercent: psi.psi === undefined ? undefined : psiFullPct(psi.history, window(PSI_SECONDS)) ?? 0,
  }
}

/** Where no probe counts, pressure tells when somebody waited: ms of each second. */
const pressureMs = ({ history }: Pick<Memcg, 'history'>, lastSecond: number): readonly number[] => series(history, 'someUs', { lastSecond, seconds: SPARK_SECONDS }).map((us) => us / 1e3)

function workloads(model: NodeModel, rows: readonly OverviewRow[]): Group[] {
  return rows.map((row) => ({ key: row.key, name: row.name, self: model.memcgs.get(row.selfId), memcgIds: row.memcgIds }))
}

/** Each cgroup on its own: its own tasks' waits, which the kernel counts where the task is. */
function cgroups(lens: Lens, model: NodeModel): Group[] {
  return [...model.memcgs.values()].filter(({ path }) => model.covers?.(path) !== false).map((memcg) => {
    const workload = named(model, lens.workloadOf(memcg.path)), place = placeLabel(lens, model, memcg.path)
    return { key: `memcg:${memcg.id}`, name: workload.level === 'container' ? `${place} ${levelLabel(workload, memcg.path)}` : place, self: memcg, memcgIds: [memcg.id] }
  })
}

const hasWaited = (row: StallRow): boolean => (row.waitedNs ?? 0) > 0 || row.waits > 0 || (row.somePercent ?? 0) >= 0.05 || row.perSecondMs.some((ms) => ms > 0)

/** Everybody who waited, longest first; before them the whole node, when it is not the only row. */
export function stallRows(lens: Lens, model: NodeModel, what: { readonly rows: readonly OverviewRow[]; readonly byCgroup: boolean }): StallRow[] {
  const moment: Moment = { model, lastSecond: Math.floor(model.nowNs / 1e9), counted: countedKinds(model), longest: longestOf(model) }
  const groups = what.byCgroup ? cgroups(lens, model) : workloads(model, what.rows)
  const rows = groups.filter((group) => group.memcgIds.some((id) => model.stalls.has(id)) || (group.self?.history.someUs.length ?? 0) > 0).map((group) => rowOf(moment, group)).filter(hasWaited)
  rows.sort((a, b) => (b.waitedNs ?? 0) - (a.waitedNs ?? 0) || (b.somePercent ?? 0) - (a.somePercent ?? 0) || (a.name < b.name ? -1 : 1))
  const node = rowOf(moment, { key: NODE_KEY, name: 'all of this node', self: undefined, memcgIds: [...model.stalls.keys()] })
  return rows.length === 0 && !hasWaited(node) ? [] : [node, ...rows]
}

const KIND_COLUMNS = [['LIMIT', 'waiting for reclaim at a memcg limit (memory.max or memory.high), its own or that of a level above'], ['NODE', 'waiting for direct reclaim, because the node is short'], ['HIGH', 'asleep above memory.high, without the reclaim done on the way'], ['COMP', 'waiting for compaction'], ['THROT', 'asleep inside reclaim (throttled, mostly for writeback); a part of LIMIT and NODE']] as const

const duration = (ns: number | undefined): string => (ns === undefined ? '-' : ns === 0 ? '·' : durationCell(ns))

export const STALL_COLUMNS: readonly Column<StallRow>[] = [
  { key: 'name', title: 'WHO WAITED', unit: 'text', width: 24, grow: 60, align: 'left', weight: 100, help: 'workload, or with e each cgroup; the first row is the node', of: (row) => row.name },
  { key: 'waited', title: '2 MIN', unit: 'text', width: 5, align: 'right', weight: 99, help: 'time its tasks waited for memory in the last two minutes, summed over tasks', of: (row) => duration(row.waitedNs) },
  { key: 'now', title: 'ms/s', unit: 'ms/s', width: 5, align: 'right', weight: 98, help: 'the same a second, over the last 5 s', of: (row) => row.nowMsPerS },
  { key: 'waits', title: 'WAITS', unit: 'count', width: 5, align: 'right', weight: 70, help: 'how many waits', of: (row) => row.waits },
  ...KIND_COLUMNS.map(([title, help], kind) => ({ key: `kind${kind}`, title, unit: 'text' as const, width: 5, align: 'right' as const, weight: 85 - kind * 6, help, of: (row: StallRow) => duration(row.byKind[kind]) })),
  { key: 'p99', title: 'P99<', unit: 'text', width: 5, align: 'right', weight: 75, help: '99 of 100 waits were shorter', of: (row) => duration(row.p99Ns) },
  { key: 'longest', title: 'LONGEST', unit: 'text', width: 7, align: 'right', weight: 90, help: 'longest single wait; < = the end of its latency class', of: (row) => (row.longest === undefined ? '-' : `${row.longest.isExact ? '' : '<'}${durationCell(row.longest.ns)}`) },
  { key: 'freed', title: 'FREED', unit: 'text', width: 5, align: 'right', weight: 50, help: 'memory that the reclaim waited for has freed', of: (row) => (row.freedBytes === 0 ? '·' : bytesCell(row.freedBytes)) },
  { key: 'refaults', title: 'REFLT/s', unit: 'text', width: 7, align: 'right', weight: 55, help: 'pages a second that came back soon after reclaim took them: thrashing', of: (row) => (row.refaultsPerS === undefined ? '-' : row.refaultsPerS < 0.5 ? '·' : countCell(Math.round(row.refaultsPerS))) },
  { key: 'some', title: 'SOME%', unit: 'percent', width: 5, align: 'right', weight: 80, help: 'PSI: share of the last 10 s in which some task waited', of: (row) => row.somePercent },
  { key: 'full', title: 'FULL%', unit: 'percent', width: 5, align: 'right', weight: 45, help: 'PSI: share of the last 10 s in which all tasks waited', of: (row) => row.fullPercent },
]

/** Number of waits by latency class (index) and second; `seconds` columns, oldest first. */
export function heatOf(model: NodeModel, memcgIds: readonly number[], seconds: number): number[][] {
  const lastSecond = Math.floor(model.nowNs / 1e9), span = Math.min(seconds, STALL_SECONDS), heat = Array.from({ length: HEAT_CLASSES }, () => new Array<number>(span).fill(0))
  for (const id of memcgIds) {
    const history = model.stalls.get(id)
    for (let ago = 0; history !== undefined && ago < span; ago++) {
      const slot = stallSlot(history, lastSecond - ago)
      if (slot >= 0) heat.forEach((line, heatClass) => { line[span - 1 - ago] = (line[span - 1 - ago] ?? 0) + heatIn(history, slot, heatClass) })
    }
  }
  return heat
}
