/** Paints the pages a digit leads to that are made of tables: their key bar, their scrolling, and the timeline where there is room for it. */
import type { Sheet } from '../view/sheet.ts'
import { isWinding } from './help.ts'
import { named } from './keymap.ts'
import type { Body, Result, Show } from './paint.ts'
import { paintKeys, paintTimeline } from './paint-panes.ts'
import { paintSheet } from './paint-sheet.ts'
import { cursorOf } from './scene.ts'
import { tabKeys } from './tabs.ts'
import type { Ui } from './ui.ts'

/** How much of a scrolled page is above, and of how many lines, in the corner of the key bar. */
function paintPosition({ grid }: Body, { lines, top, height }: { readonly lines: number; readonly top: number; readonly height: number }): void {
  if (lines <= height) return
  const text = `${Math.round((100 * top) / (lines - height))}% of ${lines}`
  grid.textRight({ x: grid.cols - text.length - 1, y: grid.rows - 1, width: text.length }, text)
}

/** The node's page stands over the timeline where there is room: it is looked at through time. */
const hasTimeline = (ui: Ui, rows: number): boolean => ui.page === 'node' && rows >= 30

export function paintSheetPage(body: Body, ui: Ui, { show, sheet }: { readonly show: Show; readonly sheet: Sheet }): Result {
  const { grid, y } = body, { scene } = show, timeline = hasTimeline(ui, grid.rows) ? 3 : 0, height = body.height - timeline
  const { lines, top } = paintSheet(grid, { y, height, scroll: ui.scroll }, sheet)
  if (timeline > 0) paintTimeline(grid, y + height, scene.timelineOf(grid.cols), { timeAt: scene.timeAt, cursorNs: cursorOf(scene) })
  paintKeys(grid, named(show.can.keys, [['j k', 'scroll'], ...tabKeys(ui.page), ['space', isWinding(show.can) ? 'play' : 'pause'], ['?', 'help'], ['q', 'quit']]), lines > height ? 17 : 0)
  paintPosition(body, { lines, top, height })
  return { ui: { ...ui, scroll: top }, pageLines: height, textLines: lines }
}
