/** A true usage over time and the rows a bridge makes of it, looking when it likes: with windows (6.12+), with a high-water mark, or sampling alone. */
import type { Event, EventOf } from '../../src/event/event.ts'

export const MIB = 2 ** 20
/** `bytes` from `tsNs` on. */
export type Step = { readonly tsNs: number; readonly bytes: number }
export type Means = 'window' | 'high-water' | 'sampled'

export const usageRow = (fields: Partial<EventOf<'memcg_usage'>> & { readonly tsNs: number; readonly memcgId: number; readonly currentBytes: number }): EventOf<'memcg_usage'> =>
  ({ kind: 'memcg_usage', peakBytes: undefined, swapBytes: undefined, windowPeakBytes: undefined, windowNs: undefined, swapPeakBytes: undefined, memswPeakBytes: undefined, swapWindowPeakBytes: undefined, swapWindowNs: undefined, ...fields })

export const statRow = (tsNs: number, memcgId: number, fields: Partial<EventOf<'memcg_stat'>>): Event => ({ kind: 'memcg_stat', tsNs, memcgId, ...fields }) as unknown as Event

const valueAt = (steps: readonly Step[], tsNs: number): number => steps.findLast((step) => step.tsNs <= tsNs)?.bytes ?? 0
const highestIn = (steps: readonly Step[], fromNs: number, toNs: number): number =>
  Math.max(valueAt(steps, fromNs), ...steps.filter((step) => step.tsNs > fromNs && step.tsNs <= toNs).map((step) => step.bytes))

/** The rows: only when something changed, as the bridge sends them; the high-water mark is read at a new height and once a second. */
export function rowsOf(steps: readonly Step[], looksNs: readonly number[], { memcgId, means }: { readonly memcgId: number; readonly means: Means }): EventOf<'memcg_usage'>[] {
  const rows: EventOf<'memcg_usage'>[] = []
  let lookNs = looksNs[0] ?? 0, mark = valueAt(steps, lookNs), markNs = -Infinity, sent = ''
  for (const tsNs of looksNs) {
    const currentBytes = valueAt(steps, tsNs), windowPeakBytes = highestIn(steps, lookNs, tsNs), last = rows.at(-1)?.currentBytes ?? currentBytes
    if (currentBytes > mark || currentBytes < last / 2 || tsNs - markNs >= 1e9) { mark = highestIn(steps, 0, tsNs); markNs = tsNs }
    const row = usageRow({ tsNs, memcgId, currentBytes, ...(means === 'high-water' ? { peakBytes: mark } : {}), ...(means === 'window' ? { windowPeakBytes, windowNs: tsNs - lookNs } : {}) })
    const says = means === 'window' && windowPeakBytes > Math.max(currentBytes, last) ? `${tsNs}` : `${currentBytes} ${row.peakBytes}`
    if (says !== sent) rows.push(row)
    sent = says
    lookNs = tsNs
  }
  return rows
}
