/** A series as one line of block glyphs, and a braille plot: the largest value of each stretch wins, so that a spike stays visible. */

// No full block: rows of a table would melt into one another.
const BLOCKS = '▁▂▃▄▅▆▇'

/** Splits values into `width` stretches and takes the largest of each; NaN where nothing is known. */
export function condense(values: readonly number[], width: number): number[] {
  const largest = new Array<number>(width)
  for (let i = 0; i < width; i++) {
    const from = Math.floor((i * values.length) / width), to = Math.max(from + 1, Math.floor(((i + 1) * values.length) / width))
    let max = Number.NaN
    for (let at = from; at < to && at < values.length; at++) { const value = values[at] ?? Number.NaN; if (!Number.isNaN(value) && !(max >= value)) max = value }
    largest[i] = max
  }
  return largest
}

/** The glyph of one value against `full`; blank = not known. */
export const blockOf = (value: number, full: number): string =>
  (Number.isNaN(value) || full <= 0 ? ' ' : BLOCKS[Math.max(0, Math.min(BLOCKS.length - 1, Math.ceil((value / full) * BLOCKS.length) - 1))] ?? ' ')

/** One glyph per stretch against `full`. */
export const sparkline = (values: readonly number[], width: number, full: number): string =>
  condense(values, width).map((value) => blockOf(value, full)).join('')

/** Bits of a braille cell, by row from the top, left and right column. */
const DOTS = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]] as const

/** A line plot, `width` × `height` cells of 2 × 4 dots; steps are joined, what is not known stays blank. */
export function brailleLine(values: readonly number[], size: { readonly width: number; readonly height: number; readonly min: number; readonly max: number }): string[] {
  const { width, height, min, max } = size, span = max - min || 1, dots = height * 4
  const cells = Array.from({ length: height }, () => new Array<number>(width).fill(0))
  let before: number | undefined
  condense(values, width * 2).forEach((value, x) => {
    if (Number.isNaN(value)) { before = undefined; return }
    const y = Math.max(0, Math.min(dots - 1, dots - 1 - Math.round(((value - min) / span) * (dots - 1))))
    const from = before === undefined ? y : before < y ? before + 1 : before > y ? before - 1 : y
    for (let at = Math.min(from, y); at <= Math.max(from, y); at++) {
      const row = cells[at >> 2], bit = DOTS[at & 3]?.[x & 1]
      if (row !== undefined && bit !== undefined) row[x >> 1] = (row[x >> 1] ?? 0) | bit
    }
    before = y
  })
  return cells.map((row) => row.map((bits) => (bits === 0 ? ' ' : String.fromCharCode(0x2800 + bits))).join(''))
}

/** The area under a line, `width` × `height` cells of 2 × 4 dots; what is known to be zero is a line at the bottom, what is not known is blank. */
export function brailleArea(values: readonly number[], size: { readonly width: number; readonly height: number; readonly max: number }): string[] {
  const { width, height, max } = size, dots = height * 4, cells = Array.from({ length: height }, () => new Array<number>(width).fill(0))
  condense(values, width * 2).forEach((value, x) => {
    if (Number.isNaN(value)) return
    const top = Math.max(1, Math.min(dots, Math.round((value / (max || 1)) * dots)))
    for (let y = dots - top; y < dots; y++) {
      const row = cells[y >> 2], bit = DOTS[y & 3]?.[x & 1]
      if (row !== undefined && bit !== undefined) row[x >> 1] = (row[x >> 1] ?? 0) | bit
    }
  })
  return cells.map((row) => row.map((bits) => (bits === 0 ? ' ' : String.fromCharCode(0x2800 + bits))).join(''))
}

/** A horizontal bar in half cells with dots behind it, `share` 0..1; `mark` (0..1) sets a stroke at an earlier maximum. */
export function bar(share: number, width: number, mark?: number): string {
  const halves = Math.round(Math.max(0, Math.min(1, share)) * width * 2), whole = halves >> 1
  const drawn = ('━'.repeat(whole) + ((halves & 1) === 1 ? '╸' : '')).padEnd(width, '·')
  if (mark === undefined || mark <= share) return drawn
  const x = Math.min(width - 1, Math.floor(Math.min(1, mark) * width))
  return x < whole ? drawn : `${drawn.slice(0, x)}┃${drawn.slice(x + 1)}`
}
