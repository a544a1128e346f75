/** The overview's columns as data: the screen, sorting and any export share one list and cannot disagree about a number. */
import { bytesCell, countCell, percentCell, secondsCell } from './compact.ts'
import { shareOf } from './limits.ts'
import type { OverviewRow } from './overview.ts'

/** What a value counts; decides how it is printed. */
export type Unit = 'text' | 'share' | 'bytes' | 'percent' | 'ms/s' | '1/s' | 'count' | 'exact' | 'seconds' | 'series'

export type Column<Row> = {
  readonly key: string
  readonly title: string
  readonly unit: Unit
  /** Cells it needs; `grow` columns take what is left. */
  readonly width: number
  readonly grow?: number
  readonly align: 'left' | 'right'
  /** Larger stays longer when the screen gets narrow. */
  readonly weight: number
  /** No blank in front: it continues the column to its left, and falls with it. */
  readonly glued?: boolean
  /** One line for the help page. */
  readonly help: string
  readonly of: (row: Row) => number | string | undefined
}

export type OverviewColumn = Column<OverviewRow>

/** Own usage, unless a fuller level than the row itself binds: then that level's, as the limit beside it is that level's. */
const shownUsed = (row: OverviewRow): number | undefined => row.binding?.usedBytes ?? row.usedBytes

export const OVERVIEW_COLUMNS: readonly OverviewColumn[] = [
  { key: 'name', title: 'WORKLOAD', unit: 'text', width: 22, grow: 80, align: 'left', weight: 100, help: 'namespace/pod (:container when one of several binds), else service or cgroup path', of: (row) => row.name },
  { key: 'share', title: 'FILL', unit: 'share', width: 5, grow: 20, align: 'left', weight: 60, help: 'used share of the binding limit; ┃ = highest of the last 60 s', of: (row) => (row.binding === undefined ? undefined : shareOf(row.binding)) },
  { key: 'used', title: 'USED', unit: 'bytes', width: 5, align: 'right', weight: 95, help: 'memory.current of the level whose limit binds, else of the workload', of: shownUsed },
  { key: 'limit', title: '/LIMIT', unit: 'bytes', width: 7, align: 'left', weight: 94, glued: true, help: 'memory.max of the level that binds; ^ = a level above the workload', of: (row) => row.binding?.maxBytes },
  { key: 'peak', title: 'PEAK', unit: 'bytes', width: 5, align: 'right', weight: 40, help: 'highest usage sampled in the last 60 s', of: (row) => row.minute().peakBytes },
  { key: 'workingSet', title: 'k.TOP', unit: 'bytes', width: 5, align: 'right', weight: 70, help: 'computed, what kubectl top shows: usage minus inactive file cache at its last look (each 15 s; before the first: now)', of: (row) => row.kubectlTopBytes ?? row.workingSetBytes },
  { key: 'hidden', title: 'HIDDEN', unit: 'bytes', width: 6, align: 'right', weight: 38, help: 'what kubectl top does not show: the highest usage of the last 60 s less k.TOP', of: (row) => row.minute().hiddenBytes },
  { key: 'some', title: 'SOME%', unit: 'percent', width: 5, align: 'right', weight: 80, help: 'PSI: share of the last 10 s in which some task waited for memory', of: (row) => row.somePercent },
  { key: 'full', title: 'FULL%', unit: 'percent', width: 5, align: 'right', weight: 45, help: 'PSI: share of the last 10 s in which all tasks waited for memory', of: (row) => row.fullPercent },
  { key: 'stall', title: 'STALL', unit: 'ms/s', width: 5, align: 'right', weight: 78, help: 'ms a second its tasks waited in reclaim or throttling, summed over tasks', of: (row) => row.stallMsPerS },
  { key: 'high', title: 'HIGH/s', unit: '1/s', width: 6, align: 'right', weight: 35, help: 'times a second memory.high was passed', of: (row) => row.highPerS },
  { key: 'oom', title: 'OOM', unit: 'count', width: 3, align: 'right', weight: 85, help: 'processes OOM-killed in it', of: (row) => row.oomKills },
  { key: 'eta', title: '~ETA', unit: 'seconds', width: 5, align: 'right', weight: 50, help: 'estimate: time to the limit that the steady growth of 30 s meets first', of: (row) => row.secondsToLimit },
  { key: 'usage', title: '60 s', unit: 'series', width: 5, grow: 30, align: 'left', weight: 55, help: 'usage of the last 60 s: against the limit; grey: no limit, against twice its own peak', of: () => undefined },
]

/** A value as cell text: `-` = not known, `·` = zero. */
export function cellOf<Row>(column: Column<Row>, row: Row): string {
  const value = column.of(row)
  if (value === undefined) return column.unit === 'seconds' || column.unit === 'series' || column.unit === 'share' ? '' : '-'
  if (typeof value === 'string') return value
  switch (column.unit) {
    case 'bytes': return value === 0 ? '·' : bytesCell(value)
    case 'exact': return String(value)
    case 'percent': return value < 0.05 ? '·' : percentCell(value)
    case 'seconds': return `~${secondsCell(value)}`
    case 'ms/s': return value < 0.5 ? '·' : countCell(Math.round(value))
    case '1/s': return value < 0.05 ? '·' : countCell(value)
    default: return value === 0 ? '·' : countCell(value)
  }
}

export type Placed<Row> = { readonly column: Column<Row>; readonly x: number; readonly width: number }

/** Where the table begins and ends; `longestName`: what the name column can use at most. */
export type Space = { readonly from: number; readonly cols: number; readonly longestName?: number }

/** Drops the lightest columns until the rest fits, then shares what is left among those that can grow, name first. */
export function layout<Row>(columns: readonly Column<Row>[], { from, cols, longestName = Infinity }: Space): Placed<Row>[] {
  const growth = (column: Column<Row>): number => (column.key === 'name' ? Math.min(column.grow ?? 0, longestName) : column.grow ?? 0)
  const gap = (column: Column<Row>, i: number): number => (i === 0 || column.glued === true ? 0 : 1)
  const need = (list: readonly Column<Row>[]): number => list.reduce((sum, column, i) => sum + column.width + gap(column, i), 0)
  let kept = [...columns]
  while (kept.length > 1 && need(kept) > cols - from) {
    const lightest = kept.reduce((a, b) => (b.weight < a.weight ? b : a))
    kept = kept.filter((column) => column !== lightest)
  }
  let spare = cols - from - need(kept)
  const widths = kept.map((column) => column.width)
  // One cell at a time, so that the growing columns stay in proportion to what they could use.
  for (let grew = true; spare > 0 && grew;) {
    grew = false
    kept.forEach((column, i) => {
      const width = widths[i] ?? 0, step = Math.min(spare, column.key === 'name' ? 3 : 1, growth(column) - width)
      if (step > 0) { widths[i] = width + step; spare -= step; grew = true }
    })
  }
  let x = from
  return kept.map((column, i) => {
    x += gap(column, i)
    const placed = { column, x, width: Math.max(1, Math.min(widths[i] ?? 0, cols - x)) }
    x += placed.width
    return placed
  })
}
