/** The same picture in 7-bit characters, for terminals and fonts without box, block and braille glyphs. */
import type { Grid } from './grid.ts'

const MAP: Readonly<Record<string, string>> = {
  '·': '.', '●': '*', '○': 'o', '■': '#', '◄': '<', '▲': '^', '▼': 'v', '┃': '|', '│': '|', '─': '-', '━': '=', '╸': '-', '┌': '+', '┐': '+', '└': '+', '┘': '+', '…': '~', '−': '-',
  '░': '.', '▒': ':', '▓': '%', '▁': '_', '▂': '.', '▃': '-', '▄': '=', '▅': '+', '▆': '*', '▇': '#', '█': '#', '▏': '|', '▎': '|', '▍': '=', '▌': '=', '▋': '#', '▊': '#', '▉': '#',
}

function asciiOf(code: number): string {
  const char = String.fromCharCode(code), mapped = MAP[char]
  if (mapped !== undefined) return mapped
  if (code < 0x2800 || code > 0x28ff) return '?'
  let dots = 0
  for (let bits = code & 0xff; bits !== 0; bits &= bits - 1) dots += 1
  return dots === 0 ? ' ' : dots <= 2 ? '.' : dots <= 5 ? ':' : '#'
}

/** Replaces every character above `~` in place. */
export function toAscii(grid: Grid): void {
  grid.codes.forEach((code, i) => { if (code > 0x7e) grid.codes[i] = asciiOf(code).charCodeAt(0) })
}
