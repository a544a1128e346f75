/** Paints the rows every page begins with: how the node is and where in time we are, the urgent sentence, what is doubtful. */
import { cutEnd, cutMiddle } from '../view/cell-text.ts'
import type { Status } from '../view/status-line.ts'
import { STYLE } from './grid.ts'
import type { Grid, Style } from './grid.ts'

/** Where in time the picture stands. */
export type ModeText = { readonly text: string; readonly style: Style }

/** What row 1 says instead of the most urgent workload: a source that has ended, or the kill at whose moment the picture stands. */
export type Headline = { readonly text: string }

/** Row 0: parts from the left as far as they fit, the mode at the right always. */
function statusRow(grid: Grid, status: Status, mode: ModeText): void {
  grid.fill({ x: 0, y: 0, width: grid.cols }, STYLE.bar, ' ')
  const modeText = ` ${cutEnd(mode.text, grid.cols - 2)} `, room = grid.cols - modeText.length
  const name = grid.cols >= 60 ? ' oomscope ' : ' '
  let x = grid.text({ x: 0, y: 0 }, name, STYLE.bar)
  const long = status.parts.reduce((sum, part) => sum + part.long.length + 3, x) <= room
  status.parts.forEach((part, i) => {
    const piece = i === 0 ? ` ${cutEnd(part.long, Math.max(8, Math.floor((room - x) / 2)))}` : ` · ${long ? part.long : part.short}`
    if (x + piece.length <= room) x = grid.text({ x, y: 0 }, piece, STYLE.bar)
  })
  grid.textRight({ x: room, y: 0, width: modeText.length }, modeText, mode.style)
}

/** The sentence is worth more than what stands at the right, and is never cut for it. */
function alertRow(grid: Grid, { alert, calm }: Status, asides: readonly string[]): void {
  const mark = alert === undefined ? '  ' : alert.severity === 2 ? '!!' : '! ', says = alert === undefined ? calm : alert.says
  // A name survives a cut better than a number.
  const name = alert === undefined ? '' : `${cutMiddle(alert.name, Math.max(12, grid.cols - 4 - says.length))} `
  const x = grid.text({ x: 0, y: 1 }, cutEnd(`${mark} ${name}${says}`, grid.cols), alert === undefined ? STYLE.dim : alert.severity === 2 ? STYLE.alarm : STYLE.alert)
  const aside = asides.find((text) => x + 3 + text.length < grid.cols)
  if (aside !== undefined) grid.textRight({ x: grid.cols - aside.length - 1, y: 1, width: aside.length }, aside, STYLE.warn)
}

export type Top = { readonly mode: ModeText; readonly headline: Headline | undefined; /** For the right side, the longest that fits. */ readonly asides: readonly string[]; /** Whether there is a row for them. */ readonly doubts: boolean }

/** Paints all of it and returns the first free row. */
export function paintTop(grid: Grid, status: Status, { mode, headline, asides, doubts }: Top): number {
  statusRow(grid, status, mode)
  if (grid.rows < 4) return 1
  if (headline === undefined) alertRow(grid, status, asides)
  else {
    grid.fill({ x: 0, y: 1, width: grid.cols }, STYLE.kill, ' ')
    grid.text({ x: 1, y: 1 }, cutEnd(headline.text, grid.cols - 2), STYLE.kill)
  }
  if (!doubts || status.doubts.length === 0 || grid.rows < 12) return 2
  grid.text({ x: 0, y: 2 }, ` ? ${cutEnd(`not certain: ${status.doubts.join(' · ')}`, grid.cols - 4)}`, STYLE.differs)
  return 3
}
