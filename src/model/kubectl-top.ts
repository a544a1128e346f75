/**
 * What `kubectl top` would show. The kubelet (cAdvisor setMemoryStats) computes usage minus inactive_file, never below zero; metrics-server
 * asks for it every 15 s and shows the last value, no mean and no maximum. When exactly it asks is not known: here it does at multiples of
 * 15 s of CLOCK_MONOTONIC, which is the same in every reading of a recording. Real chains look no more often (cAdvisor's own look is
 * 10 to 20 s apart, metrics-server's manifests set 15 s, its default is 60 s), so what is missed here is missed there as a rule.
 */
import type { Memcg } from './node.ts'

const TOP_PERIOD_NS = 15e9

/** The number of the look that a moment belongs to. */
export const topSlotOf = (tsNs: number): number => Math.floor(tsNs / TOP_PERIOD_NS)

/** The kubelet's formula; NaN where memory.stat was not read. */
export const workingSetOf = (usageBytes: number, inactiveFileBytes: number | undefined): number =>
  inactiveFileBytes === undefined ? Number.NaN : Math.max(0, usageBytes - inactiveFileBytes)

/** The value on the dashboard at this moment: as the last look found it. Nothing before the first look. */
export function kubectlTopOf({ watch, stat }: Memcg, nowNs: number): number | undefined {
  if (watch === undefined) return undefined
  // Unchanged usage is not sent again: what was seen last stood at any look since.
  const bytes = topSlotOf(nowNs) > watch.topSlot ? workingSetOf(watch.lastBytes, stat?.inactiveFileBytes) : watch.topBytes
  return Number.isNaN(bytes) ? undefined : bytes
}

/** What the last look not later than this moment found, and when that was; nothing where a later one has taken its place. */
export function lookBefore(memcg: Memcg, tsNs: number): { readonly bytes: number; readonly tsNs: number } | undefined {
  const slot = topSlotOf(tsNs), bytes = memcg.watch === undefined || memcg.watch.topSlot > slot ? undefined : kubectlTopOf(memcg, tsNs)
  return bytes === undefined ? undefined : { bytes, tsNs: slot * TOP_PERIOD_NS }
}

/** The share of all phases in which a look would have fallen into something this long: 0..1. */
export const shareOfPhases = (ns: number): number => Math.min(1, Math.max(0, ns) / TOP_PERIOD_NS)
