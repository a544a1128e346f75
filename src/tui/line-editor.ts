/** A one-line editor as a pure function: every key of a chunk counts, so nothing typed ahead is lost. */

export type Line = { readonly text: string; readonly cursor: number }
export const EMPTY_LINE: Line = { text: '', cursor: 0 }

/** Longest text a person means to type; more is a paste by mistake. */
const MAX_LENGTH = 200

const put = (line: Line, text: string): Line => {
  const room = text.slice(0, Math.max(0, MAX_LENGTH - line.text.length))
  return { text: line.text.slice(0, line.cursor) + room + line.text.slice(line.cursor), cursor: line.cursor + room.length }
}
const cut = (line: Line, from: number, to: number): Line => ({ text: line.text.slice(0, from) + line.text.slice(to), cursor: from })

/** Start of the word left of the cursor, as ^W sees it. */
const wordStart = (line: Line): number => line.text.slice(0, line.cursor).replace(/\S*\s*$/, '').length

/** The line after one key; `key` is a name of keys.ts or one typed character. Keys that do not edit leave the same object. */
export function edit(line: Line, key: string): Line {
  const { text, cursor } = line
  switch (key) {
    case 'backspace': return cursor === 0 ? line : cut(line, cursor - 1, cursor)
    case 'delete': return cursor === text.length ? line : cut(line, cursor, cursor + 1)
    case 'left': case 'C-b': return { text, cursor: Math.max(0, cursor - 1) }
    case 'right': case 'C-f': return { text, cursor: Math.min(text.length, cursor + 1) }
    case 'home': case 'C-a': return { text, cursor: 0 }
    case 'end': case 'C-e': return { text, cursor: text.length }
    case 'C-u': return cut(line, 0, cursor)
    case 'C-k': return { text: text.slice(0, cursor), cursor }
    case 'C-w': return cut(line, wordStart(line), cursor)
    case 'space': return put(line, ' ')
    default: return [...key].length === 1 && key >= ' ' && key !== '\u007f' ? put(line, key) : line
  }
}
