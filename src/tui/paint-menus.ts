/** Paints the menus over the table: what to sort by, which columns to show. */
import { cutEnd } from '../view/cell-text.ts'
import { OVERVIEW_COLUMNS } from '../view/columns.ts'
import { SORT_KEYS } from '../view/select.ts'
import type { Grid } from './grid.ts'
import { STYLE } from './grid.ts'
import { CHOOSABLE } from './press.ts'

const sortTitle = (key: string): string => {
  const column = OVERVIEW_COLUMNS.find((candidate) => candidate.key === key)
  return column === undefined ? 'urgency  what needs attention first' : `${column.title.replace(/^[/~]/, '').padEnd(9)}${column.help}`
}

type Menu = { readonly title: string; readonly lines: readonly string[]; readonly index: number }

function paintMenu(grid: Grid, { title, lines, index }: Menu): void {
  const height = Math.min(lines.length + 2, grid.rows - 2), width = Math.min(grid.cols - 4, 76), top = Math.max(0, index - (height - 3))
  const at = { x: Math.floor((grid.cols - width) / 2), y: Math.max(1, Math.floor((grid.rows - height) / 2)), width, height }
  grid.box(at, title)
  grid.clickable(at, { what: 'inside' })
  for (let i = 0; i < height - 2; i++) {
    const line = lines[top + i]
    if (line === undefined) break
    grid.text({ x: at.x + 2, y: at.y + 1 + i }, cutEnd(line, width - 4), STYLE.normal)
    grid.clickable({ x: at.x + 1, y: at.y + 1 + i, width: width - 2 }, { what: 'menu', index: top + i })
    if (top + i === index) grid.select({ x: at.x + 1, y: at.y + 1 + i, width: width - 2 })
  }
}

export const paintSortMenu = (grid: Grid, index: number): void => paintMenu(grid, { title: 'sort by', lines: SORT_KEYS.map(sortTitle), index })

export const paintChooser = (grid: Grid, index: number, hidden: ReadonlySet<string>): void =>
  paintMenu(grid, { title: 'columns: space shows or hides, * shows all', lines: CHOOSABLE.map(({ key, title, help }) => `[${hidden.has(key) ? ' ' : 'x'}] ${title.replace(/^[/~]/, '').padEnd(9)}${help}`), index })
