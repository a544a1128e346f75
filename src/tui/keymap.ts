/** Sets of keys: what a person's hands know from elsewhere, translated into the program's own keys. */

/** `below`: as in facebookincubator/below, where j and J jump in time and h is help. */
export const KEY_SETS = ['oomscope', 'below'] as const
export type KeySet = (typeof KEY_SETS)[number]

/** What no key of our own does: ask for a time to jump forth, back; close and open a branch of the tree; show everything again. */
export const JUMP_FORTH = 'jump-forth', JUMP_BACK = 'jump-back', FOLD = 'fold', CLEAR_FILTER = 'clear-filter'

const BELOW: Readonly<Record<string, string>> = { j: JUMP_FORTH, J: JUMP_BACK, h: '?', ',': '<', '.': '>', S: 'I', f: FOLD, '=': FOLD, 'C-l': CLEAR_FILTER, k: '' }

/** The program's own key for the one that was pressed. Not for text that is typed. */
export const translated = (set: KeySet, key: string): string => (set === 'below' ? BELOW[key] ?? key : key)

/** How the key bar names the keys that mean something else there. */
const BELOW_NAMES: Readonly<Record<string, string>> = { 'h l': 'left right', 'h H': 'left H', 'j k': 'up down', b: 'j J' }

/** Entries of the key bar as this set of keys has them. */
export const named = (set: KeySet | undefined, keys: readonly (readonly [key: string, does: string])[]): readonly (readonly [key: string, does: string])[] =>
  (set === 'below' ? keys.map(([key, does]) => [BELOW_NAMES[key] ?? key, does] as const) : keys)
