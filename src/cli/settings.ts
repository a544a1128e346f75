/** Where the screen's settings lie: read at the start, written whole or not at all, never into somebody else's home. */
import { mkdirSync, readFileSync, renameSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { dirname, isAbsolute, join } from 'node:path'
import { errnoOf, reasonOf } from '../base/errors.ts'
import { printable } from '../base/text.ts'
import { formatSettings, parseSettings } from '../tui/settings.ts'
import type { Settings } from '../tui/settings.ts'

/** More is no file of ours. */
const MOST_BYTES = 64 * 1024

type Environment = Readonly<Record<string, string | undefined>>

export type SettingsFile = {
  readonly settings: Settings
  /** Why the settings are not those of the file, or will not be kept. */
  readonly notice?: string
  /** Absent where nothing may be written. */
  readonly keep?: (settings: Settings) => void
}

/** `$XDG_CONFIG_HOME/oomscope/settings.json`, else below ~/.config; a relative XDG_CONFIG_HOME is invalid (XDG base directory specification). */
export function settingsPath(env: Environment): string | undefined {
  const xdg = env['XDG_CONFIG_HOME'] ?? '', home = env['HOME'] ?? ''
  const base = isAbsolute(xdg) ? xdg : isAbsolute(home) ? join(home, '.config') : undefined
  return base === undefined ? undefined : join(base, 'oomscope', 'settings.json')
}

/** Owner of the file, or of the nearest directory above it that exists. */
function ownerOf(path: string): number | undefined {
  for (let at = path; ; at = dirname(at)) {
    try {
      return statSync(at).uid
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT' || at === dirname(at)) return undefined
    }
  }
}

/** Never throws: settings are a comfort. `uid` is who runs this: with sudo HOME may be another person's. */
export function openSettings(env: Environment, uid = process.getuid?.()): SettingsFile {
  const path = settingsPath(env)
  if (path === undefined) return { settings: {} }
  if (ownerOf(path) !== uid) return { settings: {}, notice: `settings are not kept: ${printable(dirname(path), 200)} belongs to another user` }
  const keep = (settings: Settings): void => writeWhole(path, formatSettings(settings))
  try {
    if (statSync(path).size > MOST_BYTES) return { settings: {}, notice: ignored(path, 'it is too large') }
    const settings = parseSettings(readFileSync(path, 'utf8'))
    // Not written over: a person may have slipped while editing it.
    return settings === undefined ? { settings: {}, notice: ignored(path, 'it is not JSON') } : { settings, keep }
  } catch (error) {
    return errnoOf(error) === 'ENOENT' ? { settings: {}, keep } : { settings: {}, notice: ignored(path, reasonOf(error)) }
  }
}

const ignored = (path: string, why: string): string => `${printable(path, 200)} is ignored: ${why}; mend or remove it`

/** Readers see the old or the new text; a full disk leaves the old one. */
function writeWhole(path: string, text: string): void {
  const temporary = `${path}.${process.pid}`
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    writeFileSync(temporary, text, { mode: 0o600 })
    renameSync(temporary, path)
  } catch {
    // What is watched matters more than how it looks the next time.
    try { unlinkSync(temporary) } catch { /* It was never made. */ }
  }
}
