/** When tasks began to wait for memory: the marks `!` of the bar, as moments that can be gone to. */
import type { NodeModel } from '../model/node.ts'

/** The kernel's PSI triggers fire again and again while pressure lasts; after such a silence it is another one. */
const QUIET_NS = 5e9

/** Oldest first; as far as they are remembered. */
export function pressureStarts({ recent }: NodeModel): number[] {
  const starts: number[] = []
  let lastNs = -Infinity
  for (const { kind, tsNs } of recent) {
    if (kind !== 'psi_trigger') continue
    if (tsNs - lastNs > QUIET_NS) starts.push(tsNs)
    lastNs = tsNs
  }
  return starts
}
