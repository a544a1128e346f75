/** What a terminal says of the mouse (SGR encoding, mode 1006), as events; several may come in one chunk, between keys. */

export type MouseEvent = { readonly does: 'click' | 'up' | 'down'; readonly x: number; readonly y: number }

/** Presses of the first button and turns of the wheel, without modifiers or motion (xterm ctlseqs, "SGR (1006)"). */
const REPORT = /\x1b\[<(\d+);(\d+);(\d+)([Mm])/g
const MEANINGS: Readonly<Record<string, MouseEvent['does']>> = { 0: 'click', 64: 'up', 65: 'down' }

export function mouseEvents(chunk: string): MouseEvent[] {
  return [...chunk.matchAll(REPORT)].flatMap(([, button = '', x, y, kind]) => {
    const does = MEANINGS[button]
    return does === undefined || kind !== 'M' ? [] : [{ does, x: Number(x) - 1, y: Number(y) - 1 }]
  })
}

/** What of a chunk is keys; nothing when it holds no report. */
export function keysBeside(chunk: string): string {
  const rest = chunk.replace(REPORT, '')
  return rest === chunk ? '' : rest
}

export const MOUSE_ON = '\x1b[?1000h\x1b[?1006h', MOUSE_OFF = '\x1b[?1006l\x1b[?1000l'
