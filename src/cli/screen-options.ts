/** How the screen shall look and feel: from the command line, the environment and what was chosen earlier, in this order. */
import { usageError } from '../base/errors.ts'
import { printable } from '../base/text.ts'
import type { TuiOptions } from '../tui/app.ts'
import { KEY_SETS } from '../tui/keymap.ts'
import { themeFor, THEME_NAMES } from '../tui/theme.ts'
import { isSet, textOf } from './args.ts'
import type { Options } from './args.ts'
import { saveFile } from './save.ts'
import { openSettings } from './settings.ts'

function chosen<T extends string>(options: Options, name: string, known: readonly T[]): T | undefined {
  const text = textOf(options, name), found = known.find((candidate) => candidate === text)
  if (text !== undefined && found === undefined) throw usageError('bad-value', `cannot use --${name} '${printable(text, 60)}': there is no such one`, `one of ${known.join(', ')}`)
  return found
}

export type ScreenOptions = Pick<TuiOptions, 'ascii' | 'theme' | 'keys' | 'mouse' | 'settings' | 'remember' | 'notice' | 'save'>

/** NO_COLOR (no-color.org) outweighs what was chosen earlier, not what is asked for now. */
export function screenOptions(options: Options, env: Readonly<Record<string, string | undefined>> = process.env): ScreenOptions {
  const theme = chosen(options, 'theme', THEME_NAMES), keys = chosen(options, 'keys', KEY_SETS)
  const { settings, keep, notice } = isSet(options, 'no-settings') ? { settings: {} } : openSettings(env)
  return {
    settings, notice, save: saveFile, ascii: isSet(options, 'ascii'), keys: keys ?? settings.keys ?? 'oomscope', mouse: !isSet(options, 'no-mouse') && settings.mouse !== false,
    theme: theme ?? ((env['NO_COLOR'] ?? '') !== '' ? 'mono' : settings.theme ?? themeFor(env)), ...(keep === undefined ? {} : { remember: keep }),
  }
}
