/** The one blessed element of the program: it copies a Grid into blessed's cell buffer; blessed sends what differs from the last frame. */
import blessed from 'blessed'
import type { Widgets } from 'blessed'
import type { Grid } from './grid.ts'

/** blessed's own cell: attribute word and character. */
type Cell = [attr: number, char: string]
type CellRow = { readonly [x: number]: Cell; readonly length: number; dirty: boolean }

// @types/blessed 0.1.27 declares neither the classes as values nor screen.lines; this is the only place that needs them. Nobody reads what render() returns.
type Element = Omit<Widgets.BoxElement, 'render' | 'screen'> & { readonly screen: { readonly lines: readonly CellRow[]; readonly children: readonly unknown[] }; render(): void }
const Box = (blessed as unknown as { readonly Box: new (options: Widgets.BoxOptions) => Element }).Box

export class Surface extends Box {
  private grid: Grid | undefined
  private theme: readonly number[]
  /** What these lines of blessed's hold since the last frame: most cells of a frame are those of the one before. */
  private shown: { readonly grid: Grid; readonly lines: readonly CellRow[] } | undefined
  /** One string per character code, so that a frame allocates nothing. */
  private readonly chars: string[] = []

  constructor(options: Widgets.BoxOptions, theme: readonly number[]) {
    super(options)
    this.theme = theme
  }

  display(grid: Grid): void { this.grid = grid }

  setTheme(theme: readonly number[]): void {
    this.theme = theme
    this.shown = undefined
  }

  /** Called by blessed within screen.render(); Element's own would look at every cell for a content that there is not. */
  override render(): void {
    const { grid, shown, screen: { lines, children } } = this
    if (grid === undefined) return
    // After a resize the lines are others.
    const before = shown?.lines === lines && shown.grid.cols === grid.cols ? shown.grid : undefined
    for (let y = 0; y < grid.rows; y++) {
      const row = lines[y]
      if (row === undefined) break
      this.copyRow({ grid, before }, y, row)
    }
    // Charts lie over this element and write into the same lines.
    this.shown = children.length === 1 ? { grid, lines } : undefined
  }

  private copyRow({ grid, before }: { readonly grid: Grid; readonly before: Grid | undefined }, y: number, row: CellRow): void {
    let dirty = false
    for (let x = 0; x < grid.cols && x < row.length; x++) {
      const i = y * grid.cols + x
      if (before !== undefined && before.codes[i] === grid.codes[i] && before.styles[i] === grid.styles[i]) continue
      const cell = row[x], code = grid.codes[i] ?? 32
      const attr = this.theme[grid.styles[i] ?? 0] ?? 0, char = (this.chars[code] ??= String.fromCharCode(code))
      if (cell === undefined || (cell[0] === attr && cell[1] === char)) continue
      cell[0] = attr
      cell[1] = char
      dirty = true
    }
    if (dirty) row.dirty = true
  }
}
