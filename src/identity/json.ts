/** Reads values out of JSON of strangers: what is not there, or is of another kind, is absent. */
import { MAX_TEXT, rowText } from './name-source.ts'

/** The value under these keys. */
export function at(value: unknown, ...keys: readonly string[]): unknown {
  let here: unknown = value
  for (const key of keys) here = typeof here === 'object' && here !== null && Object.hasOwn(here, key) ? (here as Readonly<Record<string, unknown>>)[key] : undefined
  return here
}

export const textOf = (value: unknown, max = MAX_TEXT): string | undefined => (typeof value === 'string' ? rowText(value, max) : undefined)
export const countOf = (value: unknown): number | undefined => (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined)
/** Where 0 means none. */
export const positiveOf = (value: unknown): number | undefined => countOf(value) || undefined
export const integerOf = (value: unknown): number | undefined => (typeof value === 'number' && Number.isSafeInteger(value) ? value : undefined)
export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value as readonly unknown[] : [])

/** Text by text; anything else in it is left out. */
export function mapOf(value: unknown): ReadonlyMap<string, string> {
  return new Map(typeof value !== 'object' || value === null ? [] : Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
}

/** RFC 3339 as wall-clock milliseconds; the zero time of Go is no time. */
export function timeOf(value: unknown): number | undefined {
  const ms = typeof value === 'string' ? Date.parse(value) : Number.NaN
  return ms > 0 && Number.isSafeInteger(ms) ? ms : undefined
}
