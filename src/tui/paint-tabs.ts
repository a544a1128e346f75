/** Paints the pages a digit leads to that are made of tables: their key bar, their scrolling, and the timeline where there is room for it. */
import type { Sheet } from '../view/sheet.ts'
import type { Body, Result, Show } from './paint.ts'
import { paintKeys } from './paint-panes.ts'
import { paintSheet } from './paint-sheet.ts'
import { tabKeys } from './tabs.ts'
import type { Ui } from './ui.ts'

/** How much of a scrolled page is above, and of how many lines, in the corner of the key bar. */
function paintPosition({ grid }: Body, { lines, top, height }: { readonly lines: number; readonly top: number; readonly height: number }): void {
  if (lines <= height) return
  const text = `${Math.round((100 * top) / (lines - height))}% of ${lines}`
  grid.textRight({ x: grid.cols - text.length - 1, y: grid.rows - 1, width: text.length }, text)
}

export function paintSheetPage(body: Body, ui: Ui, { show, sheet }: { readonly show: Show; readonly sheet: Sheet }): Result {
  const { grid, y, height } = body, { lines, top } = paintSheet(grid, { y, height, scroll: ui.scroll }, sheet)
  paintKeys(grid, [['j k', 'scroll'], ...tabKeys(ui.page), ['space', show.can.seek ? 'play' : 'pause'], ['?', 'help'], ['q', 'quit']], lines > height ? 17 : 0)
  paintPosition(body, { lines, top, height })
  return { ui: { ...ui, scroll: top }, pageLines: height, textLines: lines }
}
