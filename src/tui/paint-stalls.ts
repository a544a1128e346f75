/** Paints the stalls page: who waited, when and how long as a heat map, and who waited for what. */
import { cutEnd, wrap } from '../view/cell-text.ts'
import { durationCell } from '../view/compact.ts'
import { heatFromNs } from '../model/stall-history.ts'
import type { StallRow } from '../view/stalls.ts'
import { STALL_COLUMNS, STALL_SECONDS } from '../view/stalls.ts'
import { STYLE } from './grid.ts'
import type { Grid, Style } from './grid.ts'
import { isWinding } from './help.ts'
import { named } from './keymap.ts'
import type { Body, Result, Show } from './paint.ts'
import { paintKeys, paintSentences, paintTimeline } from './paint-panes.ts'
import type { Rect } from './paint-panes.ts'
import { paintSection } from './paint-sheet.ts'
import { paintTable } from './paint-table.ts'
import { cursorOf } from './scene.ts'
import { tabKeys } from './tabs.ts'
import { scrolled } from './ui.ts'
import type { Ui } from './ui.ts'

/** Shades for how many waits; the place in the picture says how long they were. */
const SHADES = [[16, '█'], [4, '▓'], [2, '▒'], [1, '░']] as const
const shadeOf = (count: number): string => SHADES.find(([from]) => count >= from)?.[1] ?? ' '
const LEGEND = '░1 ▒2 ▓4 █16+'

const heatStyle = (ns: number): Style => (ns >= 128e6 ? STYLE.alarm : ns >= 8e6 ? STYLE.warn : ns >= 1e6 ? STYLE.data : STYLE.good)
const LABEL = 7

/** Latency classes by line of the picture, long waits first: only those in which somebody waited, several to a line when they are many. */
function classesOf(heat: readonly (readonly number[])[], most: number): (readonly [first: number, end: number])[] {
  const used = heat.flatMap((counts, heatClass) => (counts.some((count) => count > 0) ? [heatClass] : [])), low = used[0] ?? 0, high = (used.at(-1) ?? 0) + 1
  const step = Math.max(1, Math.ceil((high - low) / Math.max(1, most)))
  return Array.from({ length: Math.ceil((high - low) / step) }, (_, i) => [Math.max(low, high - (i + 1) * step), high - i * step] as const)
}

type Heat = { readonly counts: readonly (readonly number[])[]; readonly name: string }
const heatWidth = (cols: number): number => Math.max(1, Math.min(STALL_SECONDS, cols - 4 - LABEL))

/** One cell is one second; long waits at the top, now at the right. */
function paintHeat(grid: Grid, at: Rect, { counts, name }: Heat): void {
  grid.box(at, `${cutEnd(name, Math.max(10, at.width - 58))} · waits by length and second · ${LEGEND}`)
  const width = heatWidth(grid.cols), x = at.x + 2 + LABEL, lines = counts.some((line) => line.some((count) => count > 0)) ? classesOf(counts, at.height - 3) : []
  if (lines.length === 0) { grid.text({ x: at.x + 2, y: at.y + 1 }, 'No latencies were told in this time.', STYLE.dim); return }
  lines.forEach(([first, end], line) => {
    const style = heatStyle(heatFromNs(end - 1)), y = at.y + 1 + line
    grid.textRight({ x: at.x + 1, y, width: LABEL }, first === 0 ? '0' : durationCell(heatFromNs(first)), STYLE.dim)
    for (let column = 0; column < width; column++) {
      let count = 0
      for (let heatClass = first; heatClass < end; heatClass++) count += counts[heatClass]?.[column] ?? 0
      if (count > 0) grid.text({ x: x + column, y }, shadeOf(count), style)
    }
  })
  const axis = at.y + 1 + lines.length
  for (const ago of [width, Math.floor(width / 2)]) grid.text({ x: x + width - ago, y: axis }, `-${ago} s`, STYLE.dim)
  grid.textRight({ x, y: axis, width }, 'now', STYLE.dim)
}

/** Sentences above, the table of single waits below them. */
function paintWaiters(grid: Grid, at: Rect, { show, row }: { readonly show: Show; readonly row: StallRow }): void {
  const lines = show.scene.stallSentences(row), said = Math.min(lines.reduce((sum, { text }) => sum + wrap(text, at.width - 4).length, 0), Math.max(1, at.height - 4))
  paintSentences(grid, { x: at.x + 1, y: at.y, width: at.width - 2, height: said }, lines)
  if (at.height - said >= 3) paintSection(grid, { ...at, y: at.y + said, height: at.height - said }, show.scene.stallWaiters(row))
}

const MOST_HEAT_LINES = 10

/** The heat map gets as many lines as it has classes of latency, who waited for what and the list share the rest. */
function heightsOf(total: number, { rows, heatLines }: { readonly rows: number; readonly heatLines: number }): { readonly list: number; readonly heat: number; readonly waiters: number } {
  const heat = Math.min(heatLines, Math.max(3, total - 9)) + 3, rest = total - heat
  if (rest < 16) return { list: rest, heat, waiters: 0 }
  const list = Math.min(rows + 1, Math.max(7, Math.floor(rest * 0.55)))
  return { list, heat, waiters: rest - list }
}

const keysOf = (show: Show, ui: Ui, hidden: boolean): readonly (readonly [string, string])[] =>
  [['e', ui.byCgroup ? 'by workload' : 'by cgroup'], ...(hidden ? [['tab', ui.inFull ? 'heat map' : 'who for what'] as const] : []), ...tabKeys(ui.page), ['space', isWinding(show.can) ? 'play' : 'pause'], ['?', 'help'], ['q', 'quit']]

export function paintStalls(body: Body, ui: Ui, show: Show): Result {
  const { grid, y } = body, { scene } = show, rows = scene.stallRows(ui.byCgroup), timeline = grid.rows >= 30 ? 3 : 0, total = body.height - timeline
  const index = Math.max(0, rows.findIndex(({ key }) => key === ui.picked)), row = rows[index]
  const counts = row === undefined ? [] : scene.heatOf(row, heatWidth(grid.cols)), heights = heightsOf(total, { rows: rows.length, heatLines: Math.max(3, classesOf(counts, MOST_HEAT_LINES).length) })
  const top = scrolled(ui.pickedTop, index, { height: heights.list - 1, count: rows.length })
  if (row === undefined) grid.text({ x: 2, y: y + 1 }, 'Nobody has waited for memory in the last two minutes.', STYLE.dim)
  else {
    paintTable<StallRow>(grid, { y, height: heights.list, from: 1 }, { rows, columns: STALL_COLUMNS, index, top, targetOf: ({ key }) => ({ what: 'item', key }) })
    const pane = { x: 0, y: y + heights.list, width: grid.cols, height: heights.heat }
    if (heights.waiters === 0 && ui.inFull) paintWaiters(grid, pane, { show, row })
    else paintHeat(grid, pane, { counts, name: row.name })
    if (heights.waiters > 0) paintWaiters(grid, { ...pane, y: pane.y + heights.heat, height: heights.waiters }, { show, row })
  }
  if (timeline > 0) paintTimeline(grid, y + total, scene.timelineOf(grid.cols), { timeAt: scene.timeAt, cursorNs: cursorOf(scene) })
  paintKeys(grid, named(show.can.keys, keysOf(show, ui, heights.waiters === 0)))
  return { ui: { ...ui, pickedTop: top, picked: ui.picked === undefined ? undefined : row?.key }, pageLines: Math.max(1, heights.list - 1), listKeys: rows.map(({ key }) => key) }
}
