/** Paints the panes around the table: detail of the selected row, the timeline, the key bar, the sort menu. */
import { cutEnd, wrap } from '../view/cell-text.ts'
import { bytesCell } from '../view/compact.ts'
import type { DetailLine } from '../view/detail.ts'
import { titleOf } from '../view/overview.ts'
import type { OverviewRow } from '../view/overview.ts'
import { brailleLine, condense } from '../view/sparkline.ts'
import { largest } from '../view/window.ts'
import { stepOf } from '../view/timeline.ts'
import type { TimelineColumns } from '../view/timeline.ts'
import { STYLE } from './grid.ts'
import type { Grid, Style } from './grid.ts'
import type { Target } from './hits.ts'

export type Rect = { readonly x: number; readonly y: number; readonly width: number; readonly height: number }

export const SENTENCE_STYLES: Readonly<Record<DetailLine['tone'], Style>> = { plain: STYLE.normal, strong: STYLE.bold, advice: STYLE.good, urgent: STYLE.alert, differs: STYLE.differs, quiet: STYLE.dim }

/** Sentences, wrapped, most important first. One that does not fit is left out whole: half a sentence may say the opposite. Only the first is cut. */
export function paintSentences(grid: Grid, at: Rect, lines: readonly DetailLine[]): void {
  const end = at.y + at.height
  let { y } = at
  for (const [i, line] of lines.entries()) {
    const parts = wrap(line.text, at.width - 2), room = end - y
    if (room <= 0) return
    if (parts.length > room && i > 0) continue
    parts.slice(0, room).forEach((text, part) => {
      const isCut = part === room - 1 && parts.length > room
      grid.text({ x: at.x + (part === 0 ? 0 : 2), y, width: at.width }, isCut ? cutEnd(`${text} …`, at.width - 2) : text, SENTENCE_STYLES[line.tone])
      y += 1
    })
  }
}

/** As little of the minute as holds everything seen: a pod of ten seconds is not a dot. */
const USAGE_SPANS_S = [15, 30]

/** Usage of the last minute as a line, its scale at the right edge; the limit as a rule of its own when it is in reach. */
function paintUsage(grid: Grid, at: Rect, row: OverviewRow): void {
  const all = row.minute().usage, known = all.length - all.findIndex((value) => !Number.isNaN(value)), usage = all.slice(-(USAGE_SPANS_S.find((seconds) => seconds >= known) ?? all.length))
  const low = Math.min(...usage.filter((value) => !Number.isNaN(value))), high = largest(usage)
  if (high === undefined || at.width < 16 || at.height < 3) return
  const limit = row.binding === undefined || row.binding.where === 'above' ? undefined : row.binding.maxBytes
  // The limit belongs on the scale when it is near; far away it would flatten everything.
  const shown = limit !== undefined && limit < 2 * high, max = shown ? Math.max(limit, high) : high, min = Math.min(low, max * 0.98)
  const label = 7, width = at.width - label, plot = { width, height: at.height - 1, min, max }
  grid.text({ x: at.x, y: at.y, width: at.width }, `used, last ${usage.length} s${shown ? '   ─ limit' : ''}`, STYLE.dim)
  const line = brailleLine(usage, plot)
  if (shown) grid.fill({ x: at.x, y: at.y + 1 + Math.round(((max - limit) / (max - min || 1)) * (plot.height - 1)), width }, STYLE.frame, '─')
  const near = limit === undefined ? [] : condense(usage, width).map((value) => value >= 0.95 * limit)
  line.forEach((text, i) => {
    for (let x = 0; x < text.length; x++) if (text.charAt(x) !== ' ') grid.put(at.x + x, at.y + 1 + i, { char: text.charAt(x), style: near[x] === true ? STYLE.alarm : STYLE.data })
  })
  grid.textRight({ x: at.x + width, y: at.y + 1, width: label }, bytesCell(max), STYLE.dim)
  grid.textRight({ x: at.x + width, y: at.y + at.height - 1, width: label }, bytesCell(min), STYLE.dim)
}

/** The pane under the table. `first` says that the row is the most urgent one, so that the title may say so. */
export function paintDetail(grid: Grid, at: Rect, what: { readonly row: OverviewRow; readonly lines: readonly DetailLine[]; readonly first: boolean }): void {
  const { row } = what
  grid.box(at, `${cutEnd(titleOf(row), at.width - 30)}${what.first && row.severity > 0 ? ' · why it is first' : ''}`)
  const plotWidth = at.width >= 100 ? Math.floor(at.width * 0.34) : 0
  paintSentences(grid, { x: at.x + 2, y: at.y + 1, width: at.width - 4 - plotWidth, height: at.height - 2 }, what.lines)
  if (plotWidth > 0) paintUsage(grid, { x: at.x + at.width - plotWidth - 1, y: at.y + 1, width: plotWidth - 1, height: at.height - 2 }, row)
}

const stepStyle = (step: number): Style => (step >= 7 ? STYLE.alarm : step >= 5 ? STYLE.warn : step >= 2 ? STYLE.good : STYLE.frame)

/** What the timeline shows besides pressure. `cursorNs`: where the picture stands, in replay; `selectedNs`: the kill that is selected. */
export type TimelineMarks = { readonly timeAt: (tsNs: number) => string; readonly selectedNs?: number | undefined; readonly cursorNs?: number | undefined; /** Each as a dot: those that kubectl top missed are full, and in a colour of their own. */ readonly spikes?: readonly { readonly tsNs: number; readonly isMissed: boolean | undefined }[]; readonly selectedSpikeNs?: number | undefined }

const dotOf = (isMissed: boolean): string => (isMissed ? '●' : '○')

/** The times above the bar, at its ends and between; the last one says that it ends there. */
function paintClock(grid: Grid, y: number, line: TimelineColumns, { timeAt, cursorNs }: TimelineMarks): void {
  const width = grid.cols, span = line.endNs - line.startNs, quarters = width >= 70 ? 4 : 2, end = cursorNs === undefined ? '▼' : ' '
  const cursor = cursorNs === undefined ? -9 : ((cursorNs - line.startNs) / span) * width
  for (let i = 0; i <= quarters; i++) {
    const text = timeAt(line.startNs + (span * i) / quarters).slice(0, i === quarters ? 8 : span >= 900e9 ? 5 : 8)
    const x = Math.round((i * (width - 1)) / quarters), from = i === 0 ? 0 : i === quarters ? width - 10 : x - Math.floor(text.length / 2)
    // A cursor in the middle of a time would make another time of it.
    if (cursor >= from - 1 && cursor <= from + 10) continue
    if (i === quarters) grid.textRight({ x: width - 10, y, width: 10 }, `${text}${end}`, STYLE.dim)
    else grid.text({ x: from, y }, text, STYLE.dim)
  }
  if (width >= 110 && (cursor < 9 || cursor > 19)) grid.text({ x: 10, y }, 'PSI some', STYLE.frame)
}

/** Three rows: clock, pressure with kills and triggers below it. The cursor stands in the first and the third, so that it covers no pressure. */
export function paintTimeline(grid: Grid, y: number, line: TimelineColumns, marks: TimelineMarks): void {
  const width = grid.cols, span = line.endNs - line.startNs, cellOf = (tsNs: number): number => Math.min(width - 1, Math.floor(((tsNs - line.startNs) / span) * width))
  paintClock(grid, y, line, marks)
  line.percent.forEach((percent, x) => { const step = stepOf(percent); if (step > 0) grid.put(x, y + 1, { char: '▁▂▃▄▅▆▇█'.charAt(step - 1), style: stepStyle(step) }) })
  // Where several fall into one cell, a missed one is worth more.
  for (const missed of [false, true]) for (const { tsNs, isMissed } of marks.spikes ?? []) if ((isMissed === true) === missed && tsNs >= line.startNs && tsNs <= line.endNs) grid.put(cellOf(tsNs), y + 2, { char: dotOf(missed), style: missed ? STYLE.differs : STYLE.data })
  for (const x of line.triggers) grid.text({ x, y: y + 2 }, '!', STYLE.warn)
  for (const x of line.kills) grid.text({ x, y: y + 2 }, 'X', STYLE.kill)
  if (span > 0) grid.clickable({ x: 0, y, width, height: 3 }, { what: 'time', startNs: line.startNs, endNs: line.endNs })
  const cursor = marks.cursorNs === undefined || span <= 0 ? -1 : cellOf(marks.cursorNs), selected = marks.selectedNs === undefined || span <= 0 ? -1 : cellOf(marks.selectedNs)
  if (cursor >= 0) {
    grid.text({ x: cursor, y }, '▼', STYLE.replayMark)
    grid.text({ x: cursor, y: y + 2 }, line.kills.includes(cursor) ? 'X' : '▲', line.kills.includes(cursor) ? STYLE.replay : STYLE.replayMark)
  }
  if (selected >= 0) grid.text({ x: selected, y: y + 2 }, 'X', STYLE.replay)
  if (marks.selectedSpikeNs !== undefined && marks.selectedSpikeNs >= line.startNs && span > 0) grid.put(cellOf(marks.selectedSpikeNs), y + 2, { char: dotOf(marks.spikes?.some(({ tsNs, isMissed }) => tsNs === marks.selectedSpikeNs && isMissed === true) === true), style: STYLE.replay })
}

const NAMED_KEYS: Readonly<Record<string, string>> = { esc: 'escape', enter: 'enter', space: 'space', tab: 'tab', end: 'end', left: 'left', right: 'right' }

/** A click on a key is that key; on what it does, too, where it is the only one. */
function clickableKeys(grid: Grid, { x, y }: { readonly x: number; readonly y: number }, { key, does }: { readonly key: string; readonly does: string }): void {
  // A filter stands there as it was typed: a word in it is no key.
  const names = key.startsWith('/') ? [key] : key.split(' ')
  let from = x
  for (const name of names) {
    const pressed = name.length === 1 ? name : NAMED_KEYS[name], target: Target | undefined = name === '^]' ? { what: 'pane' } : pressed === undefined ? undefined : { what: 'key', key: pressed }
    if (target !== undefined) grid.clickable({ x: from, y, width: names.length === 1 ? name.length + 1 + does.length : name.length }, target)
    from += name.length + 1
  }
}

type KeyEntry = readonly [key: string, does: string]
const isHelp = ([key]: KeyEntry): boolean => key === '?'
const widthOf = ([key, does]: KeyEntry): number => key.length + does.length + 3

/** The first of them that fit, and always the one that explains the others. */
function fitting(keys: readonly KeyEntry[], width: number): readonly KeyEntry[] {
  const help = keys.find(isHelp)
  let left = width - (help === undefined ? 0 : widthOf(help))
  const end = keys.findIndex((entry) => entry !== help && (left -= widthOf(entry)) < 0), shown = end < 0 ? keys : keys.slice(0, end)
  return help === undefined || shown.includes(help) ? shown : [...shown, help]
}

/** The key bar: as many of the keys as fit, most useful first; `reserved` cells at the right stay free. */
export function paintKeys(grid: Grid, keys: readonly KeyEntry[], reserved = 0): void {
  let x = 1
  const y = grid.rows - 1
  for (const [key, does] of fitting(keys, grid.cols - reserved)) {
    clickableKeys(grid, { x, y }, { key, does })
    x = grid.text({ x, y }, key, STYLE.key) + 1
    x = grid.text({ x, y }, does, STYLE.dim) + 2
  }
}
