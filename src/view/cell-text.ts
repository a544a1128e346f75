/** Text that fills exactly as many terminal cells as it has characters, whatever a process or a pod calls itself. */
import { printable } from '../base/text.ts'

// One cell wide in every terminal: ASCII, Latin, Greek, Cyrillic and the glyphs this program draws itself.
// Everything else (CJK, emoji, combining marks, zero-width, surrogates) would shift or hide what stands right of it.
const OTHER = /[^\u0020-\u007e\u00a1-\u00ac\u00ae-\u024f\u0370-\u0377\u037b-\u037f\u0384-\u0482\u048a-\u052f\u2026\u2500-\u259f\u2800-\u28ff\u25a0\u25b2\u25bc\u25c4\u25cf]/gu

/** Almost every text is: then nothing is to be done, and this runs for every cell of every frame. */
function isPlain(text: string): boolean {
  if (text.length > MOST) return false
  for (let i = 0; i < text.length; i++) { const code = text.charCodeAt(i); if (code < 0x20 || code > 0x7e) return false }
  return true
}
const MOST = 4096

/** One line of one-cell characters: controls become `?`, wide and astral characters `·`. */
export const cellText = (text: string): string => (isPlain(text) ? text : printable(text, MOST).replace(OTHER, '·'))

/** Cuts the middle out (`kube-system/cored~4rj2s`): both the namespace and the end of a generated name tell pods apart. */
export function cutMiddle(text: string, width: number): string {
  if (text.length <= width) return text
  if (width <= 4) return text.slice(0, Math.max(0, width))
  const tail = Math.min(8, Math.floor(width / 4))
  return `${text.slice(0, width - tail - 1)}~${text.slice(-tail)}`
}

/** Cuts the end off, marked with `…`. */
export const cutEnd = (text: string, width: number): string =>
  text.length <= width ? text : width <= 0 ? '' : `${text.slice(0, width - 1)}…`

/** Breaks a sentence into lines of at most `width` characters at spaces; a longer word is broken where it must be. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    const joined = line === '' ? word : `${line} ${word}`
    if (joined.length <= width) { line = joined; continue }
    if (line !== '') lines.push(line)
    line = word
    while (line.length > width && width > 0) { lines.push(line.slice(0, width)); line = line.slice(width) }
  }
  if (line !== '' || lines.length === 0) lines.push(line)
  return lines
}

/** A line of a page, wrapped: what is in two columns goes on below the second one, anything else two cells further in. */
export function wrapLine(line: string, width: number): string[] {
  if (line.length <= width) return [line]
  const indent = /^ */.exec(line)?.[0].length ?? 0, first = /^ *\S.* {2}(?=\S)/.exec(line)?.[0].length ?? 0, isColumns = first > 0 && first <= width / 2
  const from = isColumns ? first : indent, next = isColumns ? first : indent + 2
  return wrap(line.slice(from).trimEnd(), width - 1 - next).map((part, i) => (i === 0 ? line.slice(0, from) : ' '.repeat(next)) + part)
}
