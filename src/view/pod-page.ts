/** One workload as a page: two minutes of its memory and waiting, what its memory consists of, every limit above it, its containers. */
import type { Memcg, NodeModel } from '../model/node.ts'
import { HISTORY_SECONDS } from '../model/history.ts'
import { bytesCell, countCell } from './compact.ts'
import { compositionOf } from './composition.ts'
import type { Composition } from './composition.ts'
import { containerTable } from './container-table.ts'
import type { DetailLine } from './detail.ts'
import { holderOf, isWithin } from './limits.ts'
import type { Level } from './limits.ts'
import type { Moment } from './moment.ts'
import { nextVictimTable } from './next-victim-table.ts'
import type { OverviewRow } from './overview.ts'
import { ownerWords, promiseLines } from './promises.ts'
import type { TableSection } from './sheet.ts'
import { largest, series, usageSeries } from './window.ts'
import type { Span } from './window.ts'

/** The charts reach back as little as holds everything seen: a pod of ten seconds is not a dot. The newest second is not over. */
const SPANS_S = [15, 30, 60, HISTORY_SECONDS - 1]

export function spanOf(model: NodeModel, memcg: Memcg): Span {
  const lastSecond = Math.floor(model.nowNs / 1e9) - 1, most = HISTORY_SECONDS - 1, values = series(memcg.history, 'usageBytes', { lastSecond, seconds: most })
  const first = values.findIndex((value) => !Number.isNaN(value)), known = first < 0 ? 0 : most - first
  return { lastSecond, seconds: SPANS_S.find((seconds) => seconds >= known) ?? most }
}

export type Curve = { readonly key: 'used' | 'some' | 'full' | 'stall' | 'high' | 'max'; readonly values: readonly number[] }
/** Curves over one scale; `rules` are values drawn as lines of their own (limits). */
export type Chart = { readonly title: string; readonly curves: readonly Curve[]; readonly full: number; readonly fullText: string; readonly rules: readonly { readonly at: number; readonly key: 'max' | 'high' }[] }
export type LevelLine = { readonly label: string; readonly used: string; readonly high: string; readonly max: string; readonly share: string; readonly binds: boolean }

export type PodPage = {
  readonly subtitle: string
  readonly charts: readonly Chart[]
  readonly composition: Composition
  readonly levels: readonly LevelLine[]
  readonly containers: TableSection
  /** Who dies if its limit is hit; nothing without a limit, or where no process is told. */
  readonly victims: TableSection | undefined
  /** What was declared, and what the kernel made of it. */
  readonly promises: readonly DetailLine[]
}

const known = (bytes: number | undefined, absent: string): string => (bytes === undefined ? absent : bytesCell(bytes))
const percent = (used: number | undefined, max: number | undefined): string => (used === undefined || max === undefined || max === 0 ? '-' : `${Math.round((100 * used) / max)}%`)

/** Adds series second by second; a second is known when any of them is. */
function added(all: readonly (readonly number[])[]): number[] {
  return Array.from({ length: all[0]?.length ?? 0 }, (_, i) => all.reduce((sum, values) => { const value = values[i] ?? Number.NaN; return Number.isNaN(value) ? sum : (Number.isNaN(sum) ? 0 : sum) + value }, Number.NaN))
}

function memoryChart(memcg: Memcg, row: OverviewRow, span: Span): Chart {
  return usageChart(memcg, span, row.binding?.memcgId === memcg.id ? row.binding : { maxBytes: memcg.limits?.maxBytes, highBytes: memcg.limits?.highBytes })
}

/** Usage against its limits. */
export function usageChart(memcg: Memcg, span: Span, { maxBytes, highBytes }: { readonly maxBytes: number | undefined; readonly highBytes?: number | undefined }): Chart {
  const values = usageSeries(memcg.history, span), most = largest(values) ?? 0
  // A limit far away would flatten everything; it is named in the table of limits.
  const rules = ([['max', maxBytes], ['high', highBytes]] as const).flatMap(([key, at]) => (at !== undefined && at > 0 && at < 4 * most ? [{ key, at }] : []))
  const full = Math.max(most, ...rules.map(({ at }) => at), 1)
  return { title: `memory used, ${span.seconds} s${rules.map(({ key, at }) => ` · ${key} ${bytesCell(at)}`).join('')}`, curves: [{ key: 'used', values }], full, fullText: bytesCell(full), rules }
}

/** A chart of what never happened or is not measured here is left out. */
function chartOf(title: string, least: number, what: { readonly curves: readonly Curve[]; readonly say: (value: number) => string }): Chart[] {
  const most = largest(what.curves.flatMap(({ values }) => values))
  if (most === undefined || most === 0) return []
  const full = Math.max(least, most)
  return [{ title, curves: what.curves, full, fullText: what.say(full), rules: [] }]
}

function chartsOf(model: NodeModel, row: OverviewRow, self: Memcg): Chart[] {
  const span = spanOf(model, self), members = row.memcgIds.flatMap((id) => model.memcgs.get(id) ?? [])
  const of = (memcg: Memcg, key: 'someUs' | 'fullUs' | 'highEvents' | 'maxEvents', by = 1): number[] => series(memcg.history, key, span).map((value) => value / by)
  const binding = row.binding === undefined || row.binding.where === 'above' ? undefined : model.memcgs.get(row.binding.memcgId), limited = binding ?? self
  return [
    memoryChart(limited, row, span),
    ...chartOf('PSI % · some, full', 5, { curves: [{ key: 'some', values: of(self, 'someUs', 1e4) }, { key: 'full', values: of(self, 'fullUs', 1e4) }], say: (value) => `${Math.round(value)}%` }),
    ...chartOf('stall ms/s', 10, { curves: [{ key: 'stall', values: added(members.map((memcg) => series(memcg.history, 'stallNs', span).map((ns) => ns / 1e6))) }], say: (ms) => countCell(Math.round(ms)) }),
    ...chartOf('events/s · high, max', 5, { curves: [{ key: 'high', values: of(limited, 'highEvents') }, { key: 'max', values: of(limited, 'maxEvents') }], say: (value) => countCell(Math.round(value)) }),
  ]
}

const levelLine = (level: Level, binding: OverviewRow['binding']): LevelLine =>
  ({ label: level.label, used: known(level.usedBytes, '-'), high: known(level.highBytes, 'max'), max: known(level.maxBytes, 'max'), share: percent(level.usedBytes, level.maxBytes), binds: level.memcgId === binding?.memcgId })

function levelsOf(model: NodeModel, { levels, binding }: OverviewRow): LevelLine[] {
  const containers = levels.filter(({ where }) => where === 'container'), { memory } = model
  // Of several containers only the binding one belongs to the chain; all of them are in their own table.
  const chain = levels.filter((level) => !isWithin(level) || (level.where === 'container' && containers.length === 1) || level.memcgId === binding?.memcgId)
  const used = memory === undefined ? undefined : memory.totalBytes - memory.availableBytes
  return [...chain.map((level) => levelLine(level, binding)), ...(memory === undefined ? [] : [{ label: 'node', used: known(used, '-'), high: '', max: bytesCell(memory.totalBytes), share: percent(used, memory.totalBytes), binds: false }])]
}

/** Of several limits within of which none is near: the fullest will be the first. */
function nearestWithin({ levels }: OverviewRow): Level | undefined {
  const share = ({ usedBytes, maxBytes }: Level): number => (usedBytes === undefined || maxBytes === undefined || maxBytes === 0 ? -1 : usedBytes / maxBytes), within = levels.filter(({ where, maxBytes }) => where === 'container' && maxBytes !== undefined)
  return within.reduce<Level | undefined>((fullest, level) => (fullest === undefined || share(level) > share(fullest) ? level : fullest), undefined)
}

function victimsOf(model: NodeModel, row: OverviewRow): TableSection | undefined {
  const holder = holderOf(row) ?? nearestWithin(row), table = holder === undefined ? undefined : nextVictimTable(model, holder)
  return table === undefined || table.rows.length === 0 ? undefined : table
}

/** Nothing when the workload's cgroups are gone. */
export function podPage(at: Moment, row: OverviewRow): PodPage | undefined {
  const { model, lens } = at, self = model.memcgs.get(row.selfId)
  if (self === undefined) return undefined
  const containers = containerTable(at, row), count = containers.rows.length, { qos } = lens.workloadOf(self.path), limit = row.binding === undefined ? 'no limit of its own' : `limit ${bytesCell(row.binding.maxBytes)}${row.binding.where === 'above' ? ` of ${row.binding.label}` : ''}`
  return {
    subtitle: [...ownerWords(lens, model, row), ...(qos === undefined ? [] : [qos]), ...(row.kind === 'pod' ? [`${count} ${count === 1 ? 'container' : 'containers'}`] : []), limit].join(' · '),
    charts: chartsOf(model, row, self), composition: compositionOf(model, self), levels: levelsOf(model, row), containers, victims: victimsOf(model, row), promises: promiseLines(lens, model, row),
  }
}
