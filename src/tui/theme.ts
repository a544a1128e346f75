/** How each style looks, as blessed's attribute words; colour is never the only sign, so the theme without colour loses nothing. */
import { PANE, PANE_COLOURS, SELECTED, STYLE } from './grid.ts'
import type { Style } from './grid.ts'

/** In the order in which `x` leads through them. */
export const THEME_NAMES = ['dark', 'light', '16', 'mono'] as const
export type ThemeName = (typeof THEME_NAMES)[number]

const DEFAULT = 0x1ff
const BOLD = 1, UNDERLINE = 2, INVERSE = 8

/** blessed packs an attribute as flags << 18 | foreground << 9 | background, colours 0..255, 511 = the terminal's own. */
const attr = (fg: number, bg = DEFAULT, flags = 0): number => (flags << 18) | (fg << 9) | bg

/** Foreground, background (absent: the terminal's own), flags. */
type Look = readonly [fg: number, bg?: number, flags?: number]
type Theme = { readonly looks: Readonly<Partial<Record<Style, Look>>>; /** Of the selected row: where a style has no background, and for text that has no colour of its own. */ readonly selected: readonly [fg: number, bg: number]; /** Greys that the selection's background would swallow. */ readonly pale: readonly Style[] }

const S = STYLE

const DARK: Theme = {
  selected: [255, 24], pale: [S.dim],
  looks: {
    [S.dim]: [244], [S.bold]: [DEFAULT, DEFAULT, BOLD], [S.good]: [71], [S.warn]: [214], [S.alarm]: [203, DEFAULT, BOLD], [S.key]: [80], [S.differs]: [140],
    [S.bar]: [255, 237, BOLD], [S.header]: [252, 238, BOLD], [S.replay]: [15, 25, BOLD], [S.kill]: [15, 160, BOLD], [S.paused]: [0, 214, BOLD],
    [S.frame]: [240], [S.data]: [80], [S.alert]: [214, DEFAULT, BOLD], [S.replayMark]: [75, DEFAULT, BOLD], [S.victim]: [203],
  },
}
const LIGHT: Theme = {
  selected: [16, 153], pale: [S.dim, S.frame],
  looks: {
    [S.dim]: [243], [S.bold]: [DEFAULT, DEFAULT, BOLD], [S.good]: [28], [S.warn]: [130], [S.alarm]: [160, DEFAULT, BOLD], [S.key]: [24], [S.differs]: [91],
    [S.bar]: [16, 252, BOLD], [S.header]: [236, 254, BOLD], [S.replay]: [15, 25, BOLD], [S.kill]: [15, 160, BOLD], [S.paused]: [0, 214, BOLD],
    [S.frame]: [248], [S.data]: [24], [S.alert]: [130, DEFAULT, BOLD], [S.replayMark]: [25, DEFAULT, BOLD], [S.victim]: [160],
  },
}
/** The colours of every terminal since the VGA text mode; which shades they are is the person's own palette. */
const SIXTEEN: Theme = {
  selected: [15, 4], pale: [S.dim, S.frame, S.key, S.data],
  looks: {
    [S.dim]: [8], [S.bold]: [DEFAULT, DEFAULT, BOLD], [S.good]: [2], [S.warn]: [3], [S.alarm]: [1, DEFAULT, BOLD], [S.key]: [6], [S.differs]: [5],
    [S.bar]: [15, 4, BOLD], [S.header]: [0, 7], [S.replay]: [15, 4, BOLD], [S.kill]: [15, 1, BOLD], [S.paused]: [0, 3],
    [S.frame]: [8], [S.data]: [6], [S.alert]: [3, DEFAULT, BOLD], [S.replayMark]: [4, DEFAULT, BOLD], [S.victim]: [1],
  },
}
const COLOURED: Readonly<Record<Exclude<ThemeName, 'mono'>, Theme>> = { dark: DARK, light: LIGHT, 16: SIXTEEN }

const PLAIN: Readonly<Partial<Record<Style, number>>> = {
  [S.bold]: BOLD, [S.alarm]: BOLD, [S.differs]: UNDERLINE, [S.bar]: INVERSE, [S.header]: UNDERLINE | BOLD, [S.replay]: INVERSE, [S.kill]: INVERSE | BOLD, [S.paused]: INVERSE | BOLD, [S.alert]: BOLD, [S.key]: BOLD, [S.replayMark]: BOLD, [S.victim]: BOLD,
}

function coloured({ looks, selected, pale }: Theme, style: Style): readonly [plain: number, selected: number] {
  const [fg, bg = DEFAULT, flags = 0] = looks[style] ?? [DEFAULT]
  return [attr(fg, bg, flags), attr(bg === DEFAULT && (fg === DEFAULT || pale.includes(style)) ? selected[0] : fg, bg === DEFAULT ? selected[1] : bg, flags)]
}

const uncoloured = (style: Style): readonly [plain: number, selected: number] =>
  [attr(DEFAULT, DEFAULT, PLAIN[style] ?? 0), attr(DEFAULT, DEFAULT, (PLAIN[style] ?? 0) ^ INVERSE)]

/** A colour of the command's own; without colour a background is the only thing that must be told. */
function paneWord(name: ThemeName, colours: number, flags: number): number {
  const [fg, bg] = [Math.floor(colours / PANE_COLOURS), colours % PANE_COLOURS].map((colour) => (colour === PANE_COLOURS - 1 ? DEFAULT : colour)) as [number, number]
  return name === 'mono' ? attr(DEFAULT, DEFAULT, flags | (bg === DEFAULT ? 0 : INVERSE)) : attr(fg, bg, flags)
}

/** Attribute word of every style, the selected variants behind the plain ones. */
export function themeOf(name: ThemeName): readonly number[] {
  const words: number[] = new Array<number>(2 * SELECTED).fill(attr(DEFAULT))
  for (let colours = 0; colours < PANE_COLOURS ** 2; colours++) for (const flags of [0, BOLD]) words[PANE + 2 * colours + (flags === 0 ? 0 : 1)] = paneWord(name, colours, flags)
  for (const style of Object.values(STYLE)) {
    const [plain, selected] = name === 'mono' ? uncoloured(style) : coloured(COLOURED[name], style)
    words[style] = plain
    words[style | SELECTED] = selected
  }
  return words
}

/**
 * What the terminal says of itself: vt100 and its kin know no colour, the console of Linux and `screen` sixteen; `xterm` is what
 * kubectl exec says of any terminal. COLORFGBG (rxvt, Konsole) names a light background.
 */
export function themeFor(env: Readonly<Record<string, string | undefined>>): ThemeName {
  const term = env['TERM'] ?? '', background = /;(\d+)$/.exec(env['COLORFGBG'] ?? '')?.[1]
  if (/^vt\d|^(?:ansi-m|xterm-mono)$|-m$|-mono$/.test(term)) return 'mono'
  if (/^(?:linux|screen|ansi|cygwin|cons25)$|-16color$/.test(term)) return '16'
  return background === '7' || background === '15' ? 'light' : 'dark'
}
