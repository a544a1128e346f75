/** One JSON object on one line that is safe to look at: whatever a terminal would execute is written as an escape of JSON. */

// JSON.stringify escapes C0 only: DEL, C1 (U+009B is CSI), line separators and reordering characters would pass.
const LEFT = /[\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

export const jsonLine = (value: unknown): string =>
  JSON.stringify(value).replace(LEFT, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** Leaves out what is not known. */
export function known<T extends object>(values: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as { [K in keyof T]: Exclude<T[K], undefined> }
}
