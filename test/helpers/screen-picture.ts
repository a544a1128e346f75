/** Draws a reconstructed screen as SVG: bars, boxes and braille as shapes, so that it looks the same without any font. For looking, not for asserting. */
import type { IBufferCell, Terminal } from '@xterm/headless'

const W = 9, H = 18
const BASE16 = ['#16181d', '#cc3b3b', '#3f9a4f', '#c8962d', '#4a7fd0', '#a45bb5', '#2f9aa0', '#c9ccd3', '#6b7078', '#ff6b6b', '#6fcf7f', '#ffc14d', '#7db0ff', '#d99be8', '#5fd3d9', '#ffffff']

function colourOf(index: number, mode: number, fallback: string): string {
  if (mode === 0 || index < 0) return fallback
  if (index < 16) return BASE16[index] ?? fallback
  if (index >= 232) { const v = 8 + (index - 232) * 10; return `rgb(${v},${v},${v})` }
  const level = (n: number): number => (n === 0 ? 0 : 55 + 40 * n), i = index - 16
  return `rgb(${level(Math.floor(i / 36))},${level(Math.floor(i / 6) % 6)},${level(i % 6)})`
}

const n = (value: number): string => String(Math.round(value * 10) / 10)
/** A rectangle as part of a path: all of one colour in one row become one element. */
const rect = (x: number, y: number, w: number, h: number): string => `M${n(x)} ${n(y)}h${n(w)}v${n(h)}h${n(-w)}z`
const BOX: Readonly<Record<string, readonly [left: boolean, right: boolean, up: boolean, down: boolean]>> = {
  '─': [true, true, false, false], '│': [false, false, true, true], '┌': [false, true, false, true], '┐': [true, false, false, true], '└': [false, true, true, false], '┘': [true, false, true, false],
  '├': [false, true, true, true], '┤': [true, false, true, true], '┬': [true, true, false, true], '┴': [true, true, true, false], '┼': [true, true, true, true],
}
const DOTS: readonly (readonly [bit: number, x: number, y: number])[] = [[1, 0, 0], [2, 0, 1], [4, 0, 2], [8, 1, 0], [16, 1, 1], [32, 1, 2], [64, 0, 3], [128, 1, 3]]

/** One cell's glyph as shapes; nothing for a blank, and for what is a letter. */
function shapeOf(char: string, { x, y }: { readonly x: number; readonly y: number }): string | undefined {
  const code = char.codePointAt(0) ?? 32
  if (code >= 0x2581 && code <= 0x2588) { const h = ((code - 0x2580) / 8) * H; return rect(x, y + H - h, W + 0.3, h) }
  if (code >= 0x2589 && code <= 0x258f) return rect(x, y, ((0x2590 - code) / 8) * W, H)
  if (code >= 0x2800 && code <= 0x28ff) return DOTS.filter(([bit]) => ((code & 0xff) & bit) !== 0).map(([, dx, dy]) => rect(x + 1.3 + dx * (W / 2), y + 1.2 + dy * (H / 4), 2.4, 2.4)).join('')
  if (char === '━') return rect(x, y + H / 2 - 2.5, W + 0.3, 5)
  if (char === '╸') return rect(x, y + H / 2 - 2.5, W / 2, 5)
  if (char === '┃') return rect(x + W / 2 - 1, y, 2, H)
  const box = BOX[char]
  if (box === undefined) return undefined
  const cx = x + W / 2, cy = y + H / 2, [left, right, up, down] = box
  return (left ? rect(x, cy - 0.5, W / 2 + 0.5, 1) : '') + (right ? rect(cx - 0.5, cy - 0.5, W / 2 + 0.8, 1) : '') + (up ? rect(cx - 0.5, y, 1, H / 2) : '') + (down ? rect(cx - 0.5, cy, 1, H / 2) : '')
}

type Look = { readonly fg: string; readonly bg: string; readonly bold: boolean; readonly underline: boolean }

function lookOf(cell: IBufferCell): Look {
  const front = colourOf(cell.getFgColor(), cell.getFgColorMode(), '#c9ccd3'), back = colourOf(cell.getBgColor(), cell.getBgColorMode(), '#16181d')
  const [fg, bg] = cell.isInverse() !== 0 ? [back, front] : [front, back]
  return { fg, bg, bold: cell.isBold() !== 0, underline: cell.isUnderline() !== 0 }
}

/** Words of one look, each with its exact width: a font of another width is spread, and drifts no further than a word. */
function wordsOf(cells: readonly { readonly char: string; readonly look: Look }[], y: number): string {
  let svg = '', word = '', from = 0
  const end = (x: number): void => {
    const look = cells[from]?.look
    if (word !== '' && look !== undefined) svg += `<text x="${from * W}" y="${y + H - 5}" textLength="${(x - from) * W}" fill="${look.fg}"${look.bold ? ' font-weight="bold"' : ''}>${word.replace(/&/g, '&amp;').replace(/</g, '&lt;')}</text>`
    word = ''
  }
  cells.forEach(({ char, look }, x) => {
    const before = cells[from]?.look
    if (char === ' ' || shapeOf(char, { x: 0, y: 0 }) !== undefined) { end(x); return }
    if (word !== '' && (before?.fg !== look.fg || before.bold !== look.bold)) end(x)
    if (word === '') from = x
    word += char
  })
  end(cells.length)
  return svg
}

/** The visible screen as an SVG document. */
export function screenPicture(term: Terminal): string {
  const buffer = term.buffer.active, parts: string[] = []
  for (let y = 0; y < term.rows; y++) {
    const cells = Array.from({ length: term.cols }, (_, x) => { const cell = buffer.getLine(buffer.baseY + y)?.getCell(x); return cell === undefined ? { char: ' ', look: { fg: '', bg: '#16181d', bold: false, underline: false } } : { char: cell.getChars() || ' ', look: lookOf(cell) } })
    const back = new Map<string, string>(), front = new Map<string, string>(), add = (to: Map<string, string>, fill: string, d: string): void => { to.set(fill, (to.get(fill) ?? '') + d) }
    for (let x = 0, from = 0; x <= cells.length; x++) {
      if (x < cells.length && cells[x]?.look.bg === cells[from]?.look.bg) continue
      const bg = cells[from]?.look.bg ?? ''
      if (bg !== '#16181d') add(back, bg, rect(from * W, y * H, (x - from) * W, H))
      from = x
    }
    cells.forEach(({ char, look }, x) => {
      const shape = shapeOf(char, { x: x * W, y: y * H })
      if (shape !== undefined && shape !== '') add(front, look.fg, shape)
      if (look.underline) add(front, look.fg, rect(x * W, y * H + H - 2, W, 1))
    })
    for (const layer of [back, front]) for (const [fill, d] of layer) parts.push(`<path fill="${fill}" d="${d}"/>`)
    parts.push(wordsOf(cells, y * H))
  }
  const width = term.cols * W, height = term.rows * H
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="14.9"><path fill="#16181d" d="${rect(0, 0, width, height)}"/>${parts.filter((part) => part !== '').join('\n')}</svg>\n`
}
