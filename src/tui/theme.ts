/** How each style looks, as blessed's attribute words; colour is never the only sign, so the plain theme loses nothing. */
import { SELECTED, STYLE } from './grid.ts'

const DEFAULT = 0x1ff
const BOLD = 1, UNDERLINE = 2, INVERSE = 8

/** blessed packs an attribute as flags << 18 | foreground << 9 | background, colours 0..255, 511 = the terminal's own. */
const attr = (fg: number, bg = DEFAULT, flags = 0): number => (flags << 18) | (fg << 9) | bg

const S = STYLE
const COLOURS: Readonly<Record<number, readonly [fg: number, bg: number, flags: number]>> = {
  [S.normal]: [DEFAULT, DEFAULT, 0], [S.dim]: [244, DEFAULT, 0], [S.bold]: [DEFAULT, DEFAULT, BOLD], [S.good]: [71, DEFAULT, 0],
  [S.warn]: [214, DEFAULT, 0], [S.alarm]: [203, DEFAULT, BOLD], [S.key]: [80, DEFAULT, 0], [S.differs]: [140, DEFAULT, 0],
  [S.bar]: [255, 237, BOLD], [S.header]: [252, 238, BOLD], [S.replay]: [15, 25, BOLD], [S.kill]: [15, 160, BOLD], [S.paused]: [0, 214, BOLD],
  [S.frame]: [240, DEFAULT, 0], [S.data]: [80, DEFAULT, 0], [S.alert]: [214, DEFAULT, BOLD],
  [S.replayMark]: [75, DEFAULT, BOLD], [S.victim]: [203, DEFAULT, 0],
}
const PLAIN: Readonly<Record<number, number>> = {
  [S.bold]: BOLD, [S.alarm]: BOLD, [S.differs]: UNDERLINE, [S.bar]: INVERSE, [S.header]: UNDERLINE | BOLD, [S.replay]: INVERSE, [S.kill]: INVERSE | BOLD, [S.paused]: INVERSE | BOLD, [S.alert]: BOLD, [S.key]: BOLD, [S.replayMark]: BOLD, [S.victim]: BOLD,
}
const SELECTED_BACKGROUND = 24

/** Attribute word of every style, the selected variants behind the plain ones. */
export function themeOf(noColour: boolean): readonly number[] {
  const words: number[] = new Array<number>(2 * SELECTED).fill(attr(DEFAULT))
  for (const style of Object.values(STYLE)) {
    const [fg, bg, flags] = COLOURS[style] ?? [DEFAULT, DEFAULT, 0]
    words[style] = noColour ? attr(DEFAULT, DEFAULT, PLAIN[style] ?? 0) : attr(fg, bg, flags)
    words[style | SELECTED] = noColour ? attr(DEFAULT, DEFAULT, (PLAIN[style] ?? 0) ^ INVERSE)
      : attr(fg === DEFAULT || style === S.dim ? 255 : fg, bg === DEFAULT ? SELECTED_BACKGROUND : bg, flags)
  }
  return words
}
