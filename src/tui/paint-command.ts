/** Paints the page of `run`: the command's own terminal, and its memory beside it, or below where there is no room. */
import { cutEnd } from '../view/cell-text.ts'
import type { PanelLine, RunPanel } from '../view/run-panel.ts'
import { bar } from '../view/sparkline.ts'
import { STYLE } from './grid.ts'
import type { Grid, Style } from './grid.ts'
import { paintKeys } from './paint-panes.ts'
import type { Rect } from './paint-panes.ts'
import { paintChart } from './paint-pod.ts'
import type { Body, Result } from './paint.ts'
import type { PaneSize } from './pane-cells.ts'
import type { Ui } from './ui.ts'

/** What stands beside the pane is as wide; 80 columns are the command's before anything stands beside it. */
const BESIDE = 42, COMMAND_COLS = 80
/** Rows of the panel below a pane: its title, six lines. */
const BELOW = 7
/** A summary may take this share of the page. */
const SUMMARY_SHARE = 0.6

type Places = { readonly pane: Rect; readonly panel: Rect }

/** Above each of both is a row for its title. */
function placesOf(at: Rect, summaryLines: number): Places {
  if (summaryLines === 0 && at.width >= COMMAND_COLS + BESIDE) {
    const width = at.width - BESIDE
    return { pane: { x: 0, y: at.y + 1, width, height: at.height - 1 }, panel: { x: width + 1, y: at.y + 1, width: BESIDE - 1, height: at.height - 1 } }
  }
  const below = summaryLines === 0 ? Math.min(BELOW, Math.floor(at.height / 2)) : Math.min(summaryLines + 1, Math.floor(at.height * SUMMARY_SHARE))
  return { pane: { x: 0, y: at.y + 1, width: at.width, height: at.height - below - 1 }, panel: { x: 0, y: at.y + at.height - below + 1, width: at.width, height: below - 1 } }
}

/** Size of the command's terminal on a screen of this size. Rows above and below every page: the status, the sentence, the keys. */
export function paneSizeOf({ cols, rows }: PaneSize): PaneSize {
  const { pane } = placesOf({ x: 0, y: 2, width: cols, height: rows - 3 }, 0)
  return { cols: Math.max(2, pane.width), rows: Math.max(1, pane.height) }
}

function title(grid: Grid, at: Rect, text: string): void {
  grid.fill({ x: at.x, y: at.y - 1, width: at.width }, STYLE.frame, '─')
  grid.text({ x: at.x + 1, y: at.y - 1, width: at.width - 2 }, ` ${cutEnd(text, at.width - 6)} `, STYLE.bold)
}

const TONES: Readonly<Record<PanelLine['tone'], Style>> = { plain: STYLE.normal, strong: STYLE.bold, advice: STYLE.good, urgent: STYLE.alarm, differs: STYLE.differs, quiet: STYLE.dim }
const LABEL = 13, LEAST_CHART = 6

function paintPanel(grid: Grid, at: Rect, { share, lines, chart }: RunPanel): void {
  title(grid, at, 'its memory')
  const shown = lines.slice(0, at.height), barRow = share !== undefined && at.height > shown.length ? 1 : 0
  if (barRow === 1 && share !== undefined) grid.text({ x: at.x + 1, y: at.y }, bar(Math.min(1, share), at.width - 2), share >= 0.9 ? STYLE.alarm : STYLE.data)
  shown.forEach(({ label, text, tone }, i) => {
    grid.text({ x: at.x + 1, y: at.y + barRow + i, width: LABEL }, label, STYLE.dim)
    grid.text({ x: at.x + 1 + LABEL, y: at.y + barRow + i, width: at.width - LABEL - 1 }, text, TONES[tone])
  })
  const top = at.y + barRow + shown.length + 1, height = at.y + at.height - top
  if (chart !== undefined && height >= LEAST_CHART) paintChart(grid, { x: at.x, y: top, width: at.width, height: Math.min(height, 16) }, chart)
}

export type CommandPage = {
  readonly title: string
  readonly isRunning: boolean
  readonly cells: { readonly paint: (grid: Grid, at: Rect, hasCursor: boolean) => void }
  readonly panel: RunPanel
  readonly summary: readonly string[] | undefined
}

export function paintCommand({ grid, y, height }: Body, ui: Ui, page: CommandPage): Result {
  const { summary } = page, places = placesOf({ x: 0, y, width: grid.cols, height }, summary?.length ?? 0), { pane, panel } = places
  title(grid, pane, page.title)
  page.cells.paint(grid, pane, page.isRunning)
  if (pane.width < grid.cols) for (let row = pane.y; row < pane.y + pane.height; row++) grid.text({ x: pane.width, y: row }, '│', STYLE.frame)
  const top = Math.max(0, Math.min(ui.scroll, (summary?.length ?? 0) - panel.height))
  if (summary === undefined) paintPanel(grid, panel, page.panel)
  else {
    title(grid, panel, 'what it came to')
    summary.slice(top, top + panel.height).forEach((text, i) => { grid.text({ x: panel.x, y: panel.y + i, width: panel.width }, text, top + i === 0 ? STYLE.bold : STYLE.normal) })
  }
  paintKeys(grid, page.isRunning ? [['^]', 'the pages of oomscope'], ['all other keys', 'go to the command']] : [['j k', 'scroll'], ['^]', 'the pages of oomscope'], ['K', 'kills'], ['?', 'help'], ['q', 'quit']])
  return { ui: { ...ui, scroll: top }, pageLines: panel.height, textLines: summary?.length ?? 0 }
}
