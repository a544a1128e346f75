/** One name per key press, whatever blessed reports: a typed character, or a name such as `up`, `pagedown`, `enter`, `C-c`. */

/** The parts of blessed's key object that are used. */
export type BlessedKey = { readonly name?: string | undefined; readonly full?: string | undefined; readonly ctrl?: boolean | undefined; readonly meta?: boolean | undefined; readonly sequence?: string | undefined }

const NAMED = new Set(['up', 'down', 'left', 'right', 'home', 'end', 'pageup', 'pagedown', 'enter', 'escape', 'backspace', 'delete', 'tab', 'space', 'f1'])

/** Nothing for a key that has no meaning here, and for `return`, which blessed sends beside `enter`. */
export function keyName(char: string | undefined, key: BlessedKey): string | undefined {
  const name = key.name ?? ''
  if (name === 'return') return undefined
  if (name === 'linefeed') return 'enter'
  // A typed capital arrives as name `g` with shift; the character itself says it better.
  if (char !== undefined && [...char].length === 1 && char > ' ' && char !== '\u007f' && key.ctrl !== true && key.meta !== true) return char
  if (char === ' ') return 'space'
  if (key.ctrl === true && /^[a-z]$/.test(name)) return `C-${name}`
  return NAMED.has(name) && key.meta !== true ? name : undefined
}
