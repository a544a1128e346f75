/** Paints the rows every page begins with: how the node is and where in time we are, the urgent sentence, what is doubtful. */
import { cutEnd, cutMiddle } from '../view/cell-text.ts'
import type { Status } from '../view/status-line.ts'
import { STYLE } from './grid.ts'
import type { Grid, Style } from './grid.ts'

/** Where in time the picture stands. */
export type ModeText = { readonly text: string; readonly style: Style }

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

/** Row 1: what to do something about, and the last kill if both fit. */
function alertRow(grid: Grid, status: Status, fault: string | undefined): void {
  const { alert, lastKill } = status
  if (fault !== undefined) {
    grid.fill({ x: 0, y: 1, width: grid.cols }, STYLE.kill, ' ')
    grid.text({ x: 1, y: 1 }, cutEnd(fault, grid.cols - 2), STYLE.kill)
    return
  }
  const right = lastKill === undefined ? '' : cutEnd(lastKill, Math.max(0, Math.floor(grid.cols * 0.45)))
  const room = grid.cols - 1 - (right === '' ? 0 : right.length + 3)
  const mark = alert === undefined ? '  ' : alert.severity === 2 ? '!!' : '! '
  const says = alert === undefined ? 'Nothing is near a limit, nobody waits for memory.' : alert.says
  // The sentence is worth more than the last kill, which is on the kills page, too; a name survives a cut better than a number.
  const nameRoom = (cells: number): number => cells - 4 - says.length, alone = nameRoom(room) < Math.min(24, alert?.name.length ?? 0)
  const name = alert === undefined ? '' : `${cutMiddle(alert.name, Math.max(12, nameRoom(alone ? grid.cols : room)))} `
  grid.text({ x: 0, y: 1 }, cutEnd(`${mark} ${name}${says}`, alone ? grid.cols : room), alert === undefined ? STYLE.dim : alert.severity === 2 ? STYLE.alarm : STYLE.alert)
  if (!alone && right !== '') grid.textRight({ x: grid.cols - right.length - 1, y: 1, width: right.length }, right, STYLE.warn)
}

/** Paints all of it and returns the first free row. */
export function paintTop(grid: Grid, status: Status, what: { readonly mode: ModeText; readonly fault: string | undefined }): number {
  statusRow(grid, status, what.mode)
  if (grid.rows < 4) return 1
  alertRow(grid, status, what.fault)
  if (status.doubts.length === 0 || grid.rows < 12) return 2
  grid.text({ x: 0, y: 2 }, ` ? ${cutEnd(`not certain: ${status.doubts.join(' · ')}`, grid.cols - 4)}`, STYLE.differs)
  return 3
}
