/** Paints a page of tables: boxes one below the other, halves side by side where there is room, scrolled when there is not. */
import { cutEnd, wrap } from '../view/cell-text.ts'
import { layout } from '../view/columns.ts'
import type { Column, Placed } from '../view/columns.ts'
import type { Sheet, SheetCell, SheetRow, TableSection, TextSection, Tone } from '../view/sheet.ts'
import { bar, blockOf, condense } from '../view/sparkline.ts'
import { Grid, STYLE } from './grid.ts'
import type { Style } from './grid.ts'
import type { Rect } from './paint-panes.ts'

const TONE_STYLES: Readonly<Record<Tone, Style>> = { plain: STYLE.normal, strong: STYLE.bold, quiet: STYLE.dim, good: STYLE.good, warn: STYLE.warn, alarm: STYLE.alarm, differs: STYLE.differs, data: STYLE.data }

type Section = TableSection | TextSection

const columnsOf = (section: TableSection): readonly Column<SheetRow>[] => section.columns.map((column, i) => ({
  key: i === 0 ? 'name' : String(i), title: column.title, unit: 'text', width: column.width, ...(column.grow === undefined ? {} : { grow: column.grow }), align: column.align ?? 'left', weight: column.weight, help: '', of: () => undefined,
}))

const hasHeader = (section: TableSection): boolean => section.columns.some(({ title }) => title !== '') && section.rows.length > 0

type Row = { readonly row: SheetRow; /** Lines of the text that wraps: beside the other cells, or below them. */ readonly lines: readonly string[] }
type Laid = { readonly columns: readonly Column<SheetRow>[]; readonly placed: readonly Placed<SheetRow>[]; readonly wrapping: number; readonly isBelow: boolean; readonly rows: readonly Row[] }

/** A column of prose narrower than this is put below its row instead: three words a line cannot be read. */
const LEAST_PROSE = 40

/** A table laid out for its box: where each column goes, and how many lines each row takes. */
function layTable(section: TableSection, at: { readonly x: number; readonly width: number }): Laid {
  const columns = columnsOf(section), space = { from: at.x + 2, cols: at.x + at.width - 2 }, wrapping = section.columns.findIndex(({ wraps }) => wraps === true), column = columns[wrapping]
  const beside = layout(columns, space), width = beside.find((place) => place.column === column)?.width ?? 0
  const text = (row: SheetRow): string => { const cell = row.cells[wrapping]; return typeof cell === 'string' ? cell : '' }
  const isBelow = column !== undefined && width < LEAST_PROSE && section.rows.some((row) => text(row).length > width)
  const rows = section.rows.map((row) => ({ row, lines: column === undefined || text(row) === '' ? [] : wrap(text(row), isBelow ? at.width - 6 : width) }))
  return { columns, placed: isBelow ? layout(columns.filter((candidate) => candidate !== column), space) : beside, wrapping, isBelow, rows }
}

const linesOf = ({ lines }: Row, isBelow: boolean): number => (isBelow ? 1 + lines.length : Math.max(1, lines.length))

/** Rows it takes inside its box at this width. */
function heightOf(section: Section, width: number): number {
  if (section.kind === 'text') return section.lines.reduce((sum, { text }) => sum + wrap(text, width - 4).length, 0)
  if (section.rows.length === 0) return wrap(section.empty, width - 4).length
  const { rows, isBelow } = layTable(section, { x: 0, width })
  return (hasHeader(section) ? 1 : 0) + rows.reduce((sum, row) => sum + linesOf(row, isBelow), 0)
}

/** A bar cell by cell, so that what is empty stays quiet; a series as blocks. */
function paintFigure(grid: Grid, at: { readonly x: number; readonly y: number; readonly width: number }, cell: Exclude<SheetCell, string>): void {
  if ('share' in cell) {
    [...bar(cell.share, at.width)].forEach((char, i) => { grid.text({ x: at.x + i, y: at.y }, char, char === '·' ? STYLE.frame : TONE_STYLES[cell.tone ?? 'data']) })
    return
  }
  condense(cell.values, at.width).forEach((value, i) => { grid.text({ x: at.x + i, y: at.y }, value === 0 ? '·' : blockOf(value, cell.full), value === 0 ? STYLE.frame : TONE_STYLES[cell.tone ?? 'data']) })
}

function paintCell(grid: Grid, row: SheetRow, cell: { readonly i: number; readonly x: number; readonly y: number; readonly width: number; readonly right: boolean }): void {
  const value = row.cells[cell.i] ?? '', style = TONE_STYLES[row.tones?.[cell.i] ?? row.tone]
  if (typeof value !== 'string') { paintFigure(grid, cell, value); return }
  if (cell.right) grid.textRight(cell, value, value === '-' || value === '·' ? STYLE.dim : style)
  else grid.text(cell, cutEnd(value, cell.width), value === '-' || value === '·' ? STYLE.dim : style)
}

function paintTableSection(grid: Grid, at: Rect, section: TableSection): void {
  const { columns, placed, wrapping, isBelow, rows } = layTable(section, at)
  let y = at.y + 1
  if (section.rows.length === 0) wrap(section.empty, at.width - 4).forEach((text, i) => { grid.text({ x: at.x + 2, y: y + i }, text, STYLE.dim) })
  if (hasHeader(section)) {
    for (const { column, x, width } of placed) {
      if (column.align === 'right') grid.textRight({ x, y, width }, column.title, STYLE.dim)
      else grid.text({ x, y, width }, column.title, STYLE.dim)
    }
    y += 1
  }
  for (const laid of rows) {
    const { row, lines } = laid
    for (const { column, x, width } of placed) {
      const i = columns.indexOf(column)
      if (i !== wrapping) paintCell(grid, row, { i, x, y, width, right: column.align === 'right' })
      else lines.forEach((text, line) => { grid.text({ x, y: y + line, width }, text, TONE_STYLES[row.tones?.[i] ?? row.tone]) })
    }
    if (isBelow) lines.forEach((text, line) => { grid.text({ x: at.x + 4, y: y + 1 + line }, text, TONE_STYLES[row.tones?.[wrapping] ?? 'quiet']) })
    y += linesOf(laid, isBelow)
  }
}

function paintTextSection(grid: Grid, at: Rect, section: TextSection): void {
  let y = at.y + 1
  for (const { text, tone } of section.lines) for (const part of wrap(text, at.width - 4)) grid.text({ x: at.x + 2, y: y++ }, part, TONE_STYLES[tone])
}

/** Those that fit, in the lower edge of its box. */
function paintNotes(grid: Grid, at: Rect, section: Section): void {
  const room = at.width - 8, text = section.kind === 'table' ? (section.notes ?? []).reduce((said, note) => { const more = said === '' ? note : `${said} · ${note}`; return more.length > room ? said : more }, '') : ''
  if (text !== '') grid.text({ x: at.x + 2, y: at.y + at.height - 1 }, ` ${text} `, STYLE.dim)
}

/** One section in a box of its own, cut where it does not fit. */
export function paintSection(grid: Grid, at: Rect, section: Section): void {
  const whole = new Grid(grid.cols, Math.max(at.height, 2 + heightOf(section, at.width))), box = { ...at, y: 0, height: whole.rows }
  if (section.kind === 'text') paintTextSection(whole, box, section)
  else paintTableSection(whole, box, section)
  grid.copy(whole, { fromY: 0, toY: at.y, rows: at.height })
  grid.frame(at, cutEnd(section.title, at.width - 8))
  paintNotes(grid, at, section)
}

type Box = { readonly section: Section; readonly at: Rect }

/** Halves that follow each other stand in two columns, each next one in the shorter; the last ones are made equally long. */
function placeHalves(sections: readonly Section[], { y, cols }: { readonly y: number; readonly cols: number }): { readonly boxes: readonly Box[]; readonly height: number } {
  const left = Math.floor(cols / 2), columns: readonly Stack[] = [{ x: 0, width: left, boxes: [], height: 0 }, { x: left, width: cols - left, boxes: [], height: 0 }]
  for (const section of sections) {
    const column = columns.reduce((a, b) => (b.height < a.height ? b : a)), height = 2 + heightOf(section, column.width)
    column.boxes.push({ section, at: { x: column.x, y: y + column.height, width: column.width, height } })
    column.height += height
  }
  const height = Math.max(...columns.map((column) => column.height))
  return { boxes: columns.flatMap((column) => column.boxes.map((box, i) => (i < column.boxes.length - 1 ? box : { ...box, at: { ...box.at, height: box.at.height + height - column.height } }))), height }
}
type Stack = { readonly x: number; readonly width: number; readonly boxes: Box[]; height: number }

function place(sheet: Sheet, cols: number): { readonly placed: readonly Box[]; readonly height: number } {
  const placed: Box[] = []
  let y = 0
  for (let i = 0; i < sheet.length; i++) {
    const end = cols < 100 ? i : sheet.findIndex((section, at) => at >= i && section.span === 'full'), halves = sheet.slice(i, end < 0 ? undefined : end)
    if (halves.length > 1) {
      const { boxes, height } = placeHalves(halves, { y, cols })
      placed.push(...boxes)
      y += height
      i += halves.length - 1
      continue
    }
    const section = sheet[i] as Section, height = 2 + heightOf(section, cols)
    placed.push({ section, at: { x: 0, y, width: cols, height } })
    y += height
  }
  return { placed, height: y }
}

/** Returns how many lines the whole sheet has and from which one on it is shown. */
export function paintSheet(grid: Grid, at: { readonly y: number; readonly height: number; readonly scroll: number }, sheet: Sheet): { readonly lines: number; readonly top: number } {
  const { placed, height } = place(sheet, grid.cols), top = Math.max(0, Math.min(at.scroll, height - at.height)), whole = new Grid(grid.cols, height)
  for (const { section, at: box } of placed) {
    whole.box(box, cutEnd(section.title, box.width - 8))
    if (section.kind === 'text') paintTextSection(whole, box, section)
    else paintTableSection(whole, box, section)
    paintNotes(whole, box, section)
  }
  grid.copy(whole, { fromY: top, toY: at.y, rows: Math.min(at.height, height - top) })
  return { lines: height, top }
}
