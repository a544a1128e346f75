/** A picture of the screen as cells: one character code and one style a cell. Painters fill it, the surface shows it. */
import { cellText } from '../view/cell-text.ts'
import type { Hit, Target } from './hits.ts'

/** Meanings, not colours; the theme decides how each one looks. */
export const STYLE = {
  normal: 0, dim: 1, bold: 2, good: 3, warn: 4, alarm: 5, key: 6, differs: 7, bar: 8, header: 9, replay: 10, kill: 11, paused: 12, frame: 13, data: 14, alert: 15, replayMark: 16, victim: 17,
} as const
export type Style = (typeof STYLE)[keyof typeof STYLE]

/** Added to a style: the same meaning inside the selected row. */
export const SELECTED = 32

/** Cells of the command's pane have colours of their own from here on: (foreground × 9 + background) × 2 + bold, 8 = the terminal's own. */
export const PANE = 64
export const PANE_COLOURS = 9

const SPACE = 32

export class Grid {
  readonly cols: number
  readonly rows: number
  readonly codes: Uint16Array
  readonly styles: Uint8Array
  /** What a click would mean, in the order of painting. */
  readonly hits: Hit[] = []

  constructor(cols: number, rows: number) {
    this.cols = cols
    this.rows = rows
    this.codes = new Uint16Array(cols * rows).fill(SPACE)
    this.styles = new Uint8Array(cols * rows)
  }

  /** Writes text from column x on, at most `width` cells, and returns the column after it. This is where hostile names become harmless. */
  text(at: { readonly x: number; readonly y: number; readonly width?: number }, text: string, style: number = STYLE.normal): number {
    const { x, y } = at
    const safe = cellText(text), length = Math.min(safe.length, at.width ?? this.cols, this.cols - x)
    if (y < 0 || y >= this.rows || x < 0) return x
    for (let i = 0; i < length; i++) {
      this.codes[y * this.cols + x + i] = safe.charCodeAt(i)
      this.styles[y * this.cols + x + i] = style
    }
    return x + Math.max(0, length)
  }

  /** One glyph of this program's own: what bars and sparklines are made of, thousands in a frame. */
  put(x: number, y: number, glyph: { readonly char: string; readonly style: number }): void {
    if (x < 0 || x >= this.cols || y < 0 || y >= this.rows) return
    this.codes[y * this.cols + x] = glyph.char.charCodeAt(0)
    this.styles[y * this.cols + x] = glyph.style
  }

  /** Right-aligned so that the last character stands in column `x + width - 1`. */
  textRight(at: { readonly x: number; readonly y: number; readonly width: number }, text: string, style: number = STYLE.normal): void {
    const cut = text.length > at.width ? text.slice(0, at.width) : text
    this.text({ x: at.x + at.width - cut.length, y: at.y, width: at.width }, cut, style)
  }

  /** Says what a click into this rectangle means. */
  clickable(at: { readonly x: number; readonly y: number; readonly width: number; readonly height?: number }, target: Target): void {
    this.hits.push({ x: at.x, y: at.y, width: at.width, height: at.height ?? 1, target })
  }

  /** Gives a whole stretch of one row a style and, if asked, a character. */
  fill(at: { readonly x: number; readonly y: number; readonly width: number }, style: number, char?: string): void {
    if (at.y < 0 || at.y >= this.rows) return
    const from = Math.max(0, at.x), to = Math.min(this.cols, at.x + at.width)
    const base = at.y * this.cols
    this.styles.fill(style, base + from, Math.max(base + from, base + to))
    if (char !== undefined) this.codes.fill(char.charCodeAt(0), base + from, Math.max(base + from, base + to))
  }

  /** Marks a stretch as selected, keeping what each cell means. */
  select(at: { readonly x: number; readonly y: number; readonly width: number }): void {
    for (let x = at.x; x < Math.min(this.cols, at.x + at.width); x++) {
      const i = at.y * this.cols + x
      this.styles[i] = (this.styles[i] ?? 0) | SELECTED
    }
  }

  /** A frame with a title in its upper edge; the inside is blanked. */
  box(at: { readonly x: number; readonly y: number; readonly width: number; readonly height: number }, title: string): void {
    for (let row = at.y + 1; row < at.y + at.height - 1; row++) this.fill({ x: at.x, y: row, width: at.width }, STYLE.normal, ' ')
    this.frame(at, title)
  }

  /** The same around what is there already. */
  frame(at: { readonly x: number; readonly y: number; readonly width: number; readonly height: number }, title: string): void {
    const { x, y, width, height } = at
    if (width < 2 || height < 2) return
    const right = x + width - 1, bottom = y + height - 1, corner = (at: number, row: number, char: string): void => this.put(at, row, { char, style: STYLE.frame })
    for (let row = y + 1; row < bottom; row++) { corner(x, row, '│'); corner(right, row, '│') }
    for (const row of [y, bottom]) this.fill({ x, y: row, width }, STYLE.frame, '─')
    corner(x, y, '┌'); corner(right, y, '┐'); corner(x, bottom, '└'); corner(right, bottom, '┘')
    if (title !== '' && width > 6) this.text({ x: x + 2, y, width: width - 4 }, ` ${title} `, STYLE.bold)
  }

  /** Takes rows of another grid of the same width. */
  copy(from: Grid, { fromY, toY, rows }: { readonly fromY: number; readonly toY: number; readonly rows: number }): void {
    const begin = fromY * from.cols, end = Math.min(from.codes.length, begin + Math.min(rows, this.rows - toY) * from.cols)
    this.codes.set(from.codes.subarray(begin, end), toY * this.cols)
    this.styles.set(from.styles.subarray(begin, end), toY * this.cols)
  }

  /** The rows as text, trailing blanks removed: what tests and `describe` read. */
  lines(): string[] {
    return Array.from({ length: this.rows }, (_, y) => String.fromCharCode(...this.codes.subarray(y * this.cols, (y + 1) * this.cols)).trimEnd())
  }
}
