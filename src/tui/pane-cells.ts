/** The terminal inside the screen: @xterm/headless reads what the command writes, whatever that is; here its cells become ours. */
import type { IBufferCell, Terminal } from '@xterm/headless'
import { cellText } from '../view/cell-text.ts'
import { PANE, STYLE } from './grid.ts'
import type { Grid } from './grid.ts'

export type PaneSize = { readonly cols: number; readonly rows: number }

/** Without scrollback: what left the pane is in the command's own log. */
export async function openCells(size: PaneSize): Promise<PaneCells> {
  const { default: xterm } = await import('@xterm/headless')
  return new PaneCells(new xterm.Terminal({ cols: size.cols, rows: size.rows, scrollback: 0, allowProposedApi: true }))
}

export class PaneCells {
  /** Rises with whatever changed. */
  version = 0
  private readonly terminal: Terminal
  private readonly cell: IBufferCell

  constructor(terminal: Terminal) {
    this.terminal = terminal
    this.cell = terminal.buffer.active.getNullCell()
  }

  get size(): PaneSize { return { cols: this.terminal.cols, rows: this.terminal.rows } }

  write(text: string): void { this.terminal.write(text, () => { this.version += 1 }) }

  /** What the command asks its terminal (cursor position, device attributes) is answered. */
  onAnswer(listener: (text: string) => void): void { this.terminal.onData(listener) }

  resize({ cols, rows }: PaneSize): void {
    this.terminal.resize(Math.max(2, cols), Math.max(1, rows))
    this.version += 1
  }

  paint(grid: Grid, at: { readonly x: number; readonly y: number; readonly width: number; readonly height: number }, hasCursor: boolean): void {
    const { active } = this.terminal.buffer
    for (let y = 0; y < Math.min(at.height, this.terminal.rows); y++) {
      const line = active.getLine(active.baseY + y)
      for (let x = 0; line !== undefined && x < Math.min(at.width, this.terminal.cols); x++) {
        const cell = line.getCell(x, this.cell)
        // The second half of a wide character is what its first half became: one cell and a blank.
        if (cell !== undefined && cell.getWidth() > 0) grid.text({ x: at.x + x, y: at.y + y, width: 1 }, cellText(cell.getChars()) || ' ', styleOf(cell))
      }
    }
    if (hasCursor && active.cursorX < at.width && active.cursorY < at.height) grid.fill({ x: at.x + active.cursorX, y: at.y + active.cursorY, width: 1 }, STYLE.replay)
  }
}

/** Eight colours are enough to read a log by; the ninth is the terminal's own. */
const OWN = 8

function colourOf(isDefault: boolean, isPalette: boolean, colour: number): number {
  if (isDefault) return OWN
  if (isPalette && colour < 16) return colour & 7
  if (isPalette && colour >= 232) return colour < 244 ? 0 : 7
  const [r, g, b] = isPalette ? cubeOf(colour) : [(colour >> 16) & 255, (colour >> 8) & 255, colour & 255]
  return (r > 127 ? 1 : 0) | (g > 127 ? 2 : 0) | (b > 127 ? 4 : 0)
}

const cubeOf = (colour: number): readonly [number, number, number] => [Math.floor((colour - 16) / 36) * 51, (Math.floor((colour - 16) / 6) % 6) * 51, ((colour - 16) % 6) * 51]

function styleOf(cell: IBufferCell): number {
  const fg = colourOf(cell.isFgDefault(), cell.isFgPalette(), cell.getFgColor()), bg = colourOf(cell.isBgDefault(), cell.isBgPalette(), cell.getBgColor())
  const [front, back] = cell.isInverse() === 0 ? [fg, bg] : [bg === OWN ? 0 : bg, fg === OWN ? 7 : fg]
  return front === OWN && back === OWN && cell.isBold() === 0 ? STYLE.normal : PANE + (front * (OWN + 1) + back) * 2 + (cell.isBold() === 0 ? 0 : 1)
}
