/** The one blessed element of the program: it copies a Grid into blessed's cell buffer; blessed sends what differs from the last frame. */
import blessed from 'blessed'
import type { Widgets } from 'blessed'
import type { Grid } from './grid.ts'

/** blessed's own cell: attribute word and character. */
type Cell = [attr: number, char: string]
type CellRow = { readonly [x: number]: Cell; readonly length: number; dirty: boolean }

// @types/blessed 0.1.27 declares neither the classes as values nor screen.lines; this is the only place that needs them. Nobody reads what render() returns.
type Element = Omit<Widgets.BoxElement, 'render' | 'screen'> & { readonly screen: { readonly lines: readonly CellRow[] }; render(): void }
const Box = (blessed as unknown as { readonly Box: new (options: Widgets.BoxOptions) => Element }).Box

export class Surface extends Box {
  private grid: Grid | undefined
  private theme: readonly number[]
  /** One string per character code, so that a frame allocates nothing. */
  private readonly chars: string[] = []

  constructor(options: Widgets.BoxOptions, theme: readonly number[]) {
    super(options)
    this.theme = theme
  }

  display(grid: Grid): void { this.grid = grid }

  setTheme(theme: readonly number[]): void { this.theme = theme }

  /** Called by blessed within screen.render(); Element's own would look at every cell for a content that there is not. */
  override render(): void {
    const { grid, screen: { lines } } = this
    for (let y = 0; grid !== undefined && y < grid.rows; y++) {
      const row = lines[y]
      if (row === undefined) break
      this.copyRow(grid, y, row)
    }
  }

  private copyRow(grid: Grid, y: number, row: CellRow): void {
    let dirty = false
    for (let x = 0; x < grid.cols && x < row.length; x++) {
      const cell = row[x], i = y * grid.cols + x, code = grid.codes[i] ?? 32
      const attr = this.theme[grid.styles[i] ?? 0] ?? 0, char = (this.chars[code] ??= String.fromCharCode(code))
      if (cell === undefined || (cell[0] === attr && cell[1] === char)) continue
      cell[0] = attr
      cell[1] = char
      dirty = true
    }
    if (dirty) row.dirty = true
  }
}
