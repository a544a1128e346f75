/** Paints tables: header, rows, bars and sparklines, with a tone for every number that deserves one. */
import { cutEnd, cutMiddle } from '../view/cell-text.ts'
import { cellOf, layout } from '../view/columns.ts'
import type { Column, Placed } from '../view/columns.ts'
import { limitsWithin, shareOf } from '../view/limits.ts'
import type { OverviewRow } from '../view/overview.ts'
import { bar, blockOf, condense } from '../view/sparkline.ts'
import type { RowList, Sort } from '../view/select.ts'
import { Grid, STYLE } from './grid.ts'
import type { Style } from './grid.ts'
import type { Target } from './hits.ts'

type Area = { readonly y: number; readonly height: number; readonly from: number }

/** From which value on a number is worth a look, and alarming. */
const THRESHOLDS: Readonly<Record<string, readonly [warn: number, alarm: number]>> = {
  share: [0.9, 0.95], some: [5, 20], full: [2, 10], stall: [50, 500], high: [0.05, Infinity], oom: [Infinity, 1],
}

const toneOf = (key: string, value: number): Style => {
  const thresholds = THRESHOLDS[key]
  return thresholds === undefined ? STYLE.normal : value >= thresholds[1] ? STYLE.alarm : value >= thresholds[0] ? STYLE.warn : STYLE.normal
}

function styleOf(column: Column<OverviewRow>, row: OverviewRow, text: string): Style {
  const value = column.of(row), share = row.binding === undefined ? 0 : shareOf(row.binding)
  if (column.key === 'name') return row.severity === 2 ? STYLE.bold : STYLE.normal
  if (typeof value !== 'number' || value === 0) return STYLE.dim
  if (column.key === 'used' || column.key === 'limit') return toneOf('share', share)
  if (column.key === 'eta') return value < 120 ? STYLE.alarm : STYLE.warn
  if (column.key === 'workingSet') {
    const whole = row.binding?.maxBytes ?? row.usedBytes ?? 0
    return row.binding?.where !== 'above' && row.usedBytes !== undefined && row.usedBytes - value > 0.15 * whole ? STYLE.differs : STYLE.normal
  }
  return text === '·' ? STYLE.dim : toneOf(column.key, value)
}

function shareCell(grid: Grid, row: OverviewRow, at: { readonly x: number; readonly y: number; readonly width: number }): void {
  if (row.binding === undefined) {
    const limits = limitsWithin(row.levels), [short, long] = limits === 0 ? ['none', 'no limit'] : [`${limits} lim`, `${limits} limits`]
    grid.text(at, at.width < 8 ? short : long, STYLE.dim)
    return
  }
  const { binding } = row, share = shareOf(binding), tone = toneOf('share', share)
  const { peakBytes } = row.minute(), peak = binding.where === 'above' || peakBytes === undefined ? undefined : peakBytes / binding.maxBytes
  const drawn = bar(share, at.width, peak)
  for (let i = 0; i < drawn.length; i++) {
    const char = drawn.charAt(i)
    grid.put(at.x + i, at.y, { char, style: char === '·' ? STYLE.frame : char === '┃' ? STYLE.warn : tone === STYLE.normal ? STYLE.good : tone })
  }
}

/** Against the limit; without one against twice its own peak, and grey: its height then means nothing between rows. */
function usageCell(grid: Grid, row: OverviewRow, at: { readonly x: number; readonly y: number; readonly width: number }): void {
  const limit = row.binding === undefined || row.binding.where === 'above' ? undefined : row.binding.maxBytes
  const { usage, peakBytes } = row.minute(), full = limit ?? 2 * (peakBytes ?? 0), values = condense(usage, at.width)
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? Number.NaN, tone = limit === undefined ? STYLE.frame : toneOf('share', value / limit)
    grid.put(at.x + i, at.y, { char: blockOf(value, full), style: tone === STYLE.normal ? STYLE.good : tone })
  }
}

function overviewCell(grid: Grid, row: OverviewRow, { column, x, width }: Placed<OverviewRow>, y: number): void {
  const at = { x, y, width }
  if (column.unit === 'share') { shareCell(grid, row, at); return }
  if (column.unit === 'series') { usageCell(grid, row, at); return }
  const text = cellOf(column, row), style = styleOf(column, row, text)
  if (column.key === 'limit') {
    if (row.binding !== undefined) grid.text(at, `/${text}${row.binding.where === 'above' ? '^' : ''}`, style)
  } else if (column.align === 'right') grid.textRight(at, text, style)
  else grid.text(at, cutMiddle(text, width), style)
}

function header<Row>(grid: Grid, placed: readonly Placed<Row>[], at: { readonly y: number; readonly sort: Sort | undefined }): void {
  grid.fill({ x: 0, y: at.y, width: grid.cols }, STYLE.header, ' ')
  for (const { column, x, width } of placed) {
    const sign = at.sort?.key === column.key ? (at.sort.inverted ? '^' : 'v') : ''
    const title = `${column.title.slice(0, sign === '' ? undefined : Math.max(1, width - 1))}${sign}`
    if (column.align === 'right') grid.textRight({ x: x - 1, y: at.y, width: width + 1 }, title, STYLE.header)
    else grid.text({ x, y: at.y, width }, title, STYLE.header)
  }
}

/** What a table shows: rows in order, which one is selected, and from which one on. */
export type TableState = { readonly index: number; readonly top: number; readonly sort?: Sort }

/** Which lines of a table, and how wide. */
type Part = { readonly top: number; readonly lines: number; readonly cols: number }

/** The first two cells of a row carry its severity. */
function paintLines(rows: RowList, placed: readonly Placed<OverviewRow>[], { top, lines, cols }: Part): Grid {
  const grid = new Grid(cols, lines)
  for (let y = 0; y < lines; y++) {
    const row = rows.at(top + y)
    if (row === undefined) break
    grid.text({ x: 0, y }, row.severity === 2 ? '!!' : row.severity === 1 ? '!' : '', row.severity === 2 ? STYLE.alarm : STYLE.warn)
    for (const place of placed) overviewCell(grid, row, place, y)
  }
  return grid
}

/** What was painted last of a list: it is another one as soon as a number in it is, and until then most frames show the same part of it. */
const painted = new WeakMap<RowList, { readonly shape: string; readonly lines: Grid }>()

function linesOf(rows: RowList, placed: readonly Placed<OverviewRow>[], part: Part): Grid {
  const shape = [part.top, part.lines, part.cols, ...placed.map(({ column, x }) => `${column.key}@${x}`)].join(' '), known = painted.get(rows)
  if (known?.shape === shape) return known.lines
  const lines = paintLines(rows, placed, part)
  painted.set(rows, { shape, lines })
  return lines
}

/** The overview's table. */
export function paintOverviewTable(grid: Grid, area: Area, what: TableState & { readonly rows: RowList; readonly columns: readonly Column<OverviewRow>[] }): void {
  const { rows, top } = what, placed = layout(what.columns, { from: 2, cols: grid.cols, longestName: rows.longestName }), lines = Math.min(area.height - 1, rows.keys.length - top)
  header(grid, placed, { y: area.y, sort: what.sort })
  for (const { column, x, width } of placed) if (column.unit !== 'series') grid.clickable({ x, y: area.y, width }, { what: 'column', key: column.key })
  if (lines <= 0) return
  grid.copy(linesOf(rows, placed, { top, lines, cols: grid.cols }), { fromY: 0, toY: area.y + 1, rows: lines })
  rows.keys.slice(top, top + lines).forEach((key, line) => { grid.clickable({ x: 0, y: area.y + 1 + line, width: grid.cols }, { what: 'row', key }) })
  if (what.index >= top && what.index < top + lines) grid.select({ x: 0, y: area.y + 1 + what.index - top, width: grid.cols })
}

/** Any other table of text and numbers. */
export function paintTable<Row>(grid: Grid, area: Area, what: TableState & { readonly rows: readonly Row[]; readonly columns: readonly Column<Row>[]; /** What a click on a row means. */ readonly targetOf?: (row: Row) => Target }): void {
  const placed = layout(what.columns, { from: area.from, cols: grid.cols })
  header(grid, placed, { y: area.y, sort: undefined })
  for (let line = 0; line < area.height - 1; line++) {
    const row = what.rows[what.top + line], y = area.y + 1 + line
    if (row === undefined) break
    for (const { column, x, width } of placed) {
      const text = cellOf(column, row)
      if (column.align === 'right') grid.textRight({ x, y, width }, text, text === '-' ? STYLE.dim : STYLE.normal)
      else grid.text({ x, y, width }, column.key === 'name' ? cutMiddle(text, width) : cutEnd(text, width), text === '-' ? STYLE.dim : STYLE.normal)
    }
    const target = what.targetOf?.(row)
    if (target !== undefined) grid.clickable({ x: 0, y, width: grid.cols }, target)
    if (what.top + line === what.index) grid.select({ x: 0, y, width: grid.cols })
  }
}
