/** Draws a reconstructed screen as SVG: bars, boxes and braille as shapes, so that it looks the same without any font. For looking, not for asserting. */
import type { Terminal } from '@xterm/headless'

const W = 9, H = 18
const BASE16 = ['#16181d', '#cc3b3b', '#3f9a4f', '#c8962d', '#4a7fd0', '#a45bb5', '#2f9aa0', '#c9ccd3', '#6b7078', '#ff6b6b', '#6fcf7f', '#ffc14d', '#7db0ff', '#d99be8', '#5fd3d9', '#ffffff']

function colourOf(index: number, mode: number, fallback: string): string {
  if (mode === 0 || index < 0) return fallback
  if (index < 16) return BASE16[index] ?? fallback
  if (index >= 232) { const v = 8 + (index - 232) * 10; return `rgb(${v},${v},${v})` }
  const level = (n: number): number => (n === 0 ? 0 : 55 + 40 * n), i = index - 16
  return `rgb(${level(Math.floor(i / 36))},${level(Math.floor(i / 6) % 6)},${level(i % 6)})`
}

const rect = (x: number, y: number, w: number, h: number, fill: string): string => `<rect x="${x.toFixed(1)}" y="${y.toFixed(1)}" width="${w.toFixed(1)}" height="${h.toFixed(1)}" fill="${fill}"/>`
const BOX: Readonly<Record<string, readonly [left: boolean, right: boolean, up: boolean, down: boolean]>> = {
  '─': [true, true, false, false], '│': [false, false, true, true], '┌': [false, true, false, true], '┐': [true, false, false, true], '└': [false, true, true, false], '┘': [true, false, true, false],
  '├': [false, true, true, true], '┤': [true, false, true, true], '┬': [true, true, false, true], '┴': [true, true, true, false], '┼': [true, true, true, true],
}
const DOTS: readonly (readonly [bit: number, x: number, y: number])[] = [[1, 0, 0], [2, 0, 1], [4, 0, 2], [8, 1, 0], [16, 1, 1], [32, 1, 2], [64, 0, 3], [128, 1, 3]]

/** One cell's glyph as shapes, or as text where it is a letter. */
function glyph(char: string, at: { readonly x: number; readonly y: number }, fg: string, bold: boolean): string {
  const { x, y } = at, code = char.codePointAt(0) ?? 32
  if (char === ' ') return ''
  if (code >= 0x2581 && code <= 0x2588) { const h = ((code - 0x2580) / 8) * H; return rect(x, y + H - h, W + 0.3, h, fg) }
  if (code >= 0x2589 && code <= 0x258f) return rect(x, y, ((0x2590 - code) / 8) * W, H, fg)
  if (code >= 0x2800 && code <= 0x28ff) return DOTS.filter(([bit]) => ((code & 0xff) & bit) !== 0).map(([, dx, dy]) => rect(x + 1.3 + dx * (W / 2), y + 1.2 + dy * (H / 4), 2.4, 2.4, fg)).join('')
  if (char === '━') return rect(x, y + H / 2 - 2.5, W + 0.3, 5, fg)
  if (char === '╸') return rect(x, y + H / 2 - 2.5, W / 2, 5, fg)
  if (char === '┃') return rect(x + W / 2 - 1, y, 2, H, fg)
  const box = BOX[char]
  if (box !== undefined) {
    const cx = x + W / 2, cy = y + H / 2, [left, right, up, down] = box
    return (left ? rect(x, cy - 0.5, W / 2 + 0.5, 1, fg) : '') + (right ? rect(cx - 0.5, cy - 0.5, W / 2 + 0.8, 1, fg) : '') + (up ? rect(cx - 0.5, y, 1, H / 2, fg) : '') + (down ? rect(cx - 0.5, cy, 1, H / 2, fg) : '')
  }
  const safe = char.replace(/&/g, '&amp;').replace(/</g, '&lt;')
  return `<text x="${x}" y="${y + H - 5}" fill="${fg}"${bold ? ' font-weight="bold"' : ''}>${safe}</text>`
}

/** The visible screen as an SVG document. */
export function screenPicture(term: Terminal): string {
  const buffer = term.buffer.active, parts: string[] = []
  for (let y = 0; y < term.rows; y++) for (let x = 0; x < term.cols; x++) {
    const cell = buffer.getLine(buffer.baseY + y)?.getCell(x)
    if (cell === undefined) continue
    const inverse = cell.isInverse() !== 0
    const front = colourOf(cell.getFgColor(), cell.getFgColorMode(), '#c9ccd3'), back = colourOf(cell.getBgColor(), cell.getBgColorMode(), '#16181d')
    const [fg, bg] = inverse ? [back, front] : [front, back]
    if (bg !== '#16181d') parts.push(rect(x * W, y * H, W + 0.3, H + 0.3, bg))
    parts.push(glyph(cell.getChars() || ' ', { x: x * W, y: y * H }, fg, cell.isBold() !== 0))
    if (cell.isUnderline() !== 0) parts.push(rect(x * W, y * H + H - 2, W, 1, fg))
  }
  const width = term.cols * W, height = term.rows * H
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="DejaVu Sans Mono, monospace" font-size="14">${rect(0, 0, width, height, '#16181d')}${parts.join('')}</svg>`
}
