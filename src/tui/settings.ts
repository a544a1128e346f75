/** What the screen remembers from one start to the next, as the text of a file: unknown and wrong parts are left out, never an error. */
import { OVERVIEW_COLUMNS } from '../view/columns.ts'
import { SORT_KEYS } from '../view/select.ts'
import type { Sort } from '../view/select.ts'
import { KEY_SETS } from './keymap.ts'
import type { KeySet } from './keymap.ts'
import { THEME_NAMES } from './theme.ts'
import type { ThemeName } from './theme.ts'

/** Absent: nothing was chosen. */
export type Settings = {
  readonly theme?: ThemeName
  readonly sort?: Sort
  /** Keys of columns of the overview that are not shown: a column that a later version adds is. */
  readonly hiddenColumns?: readonly string[]
  readonly keys?: KeySet
  readonly mouse?: boolean
}

type Fields = Readonly<Record<string, unknown>>
const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value)
const oneOf = <T extends string>(known: readonly T[], value: unknown): T | undefined => known.find((candidate) => candidate === value)

function sortOf(value: unknown): Sort | undefined {
  const key = isFields(value) ? oneOf(SORT_KEYS, value['key']) : undefined
  return key === undefined || !isFields(value) ? undefined : { key, inverted: value['inverted'] === true }
}

/** Nothing when the text is no object in JSON. */
export function parseSettings(text: string): Settings | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isFields(value)) return undefined
  const hidden = value['hiddenColumns'], theme = oneOf(THEME_NAMES, value['theme']), sort = sortOf(value['sort']), keys = oneOf(KEY_SETS, value['keys'])
  return {
    ...(theme === undefined ? {} : { theme }), ...(sort === undefined ? {} : { sort }), ...(keys === undefined ? {} : { keys }),
    ...(Array.isArray(hidden) ? { hiddenColumns: OVERVIEW_COLUMNS.map(({ key }) => key).filter((key) => key !== 'name' && hidden.includes(key)) } : {}),
    ...(typeof value['mouse'] === 'boolean' ? { mouse: value['mouse'] } : {}),
  }
}

export const formatSettings = (settings: Settings): string => `${JSON.stringify(settings, null, 2)}\n`
