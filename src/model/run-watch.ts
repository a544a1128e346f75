/** What one memcg's usage did against its limit while a command ran in it: time near the limit, and the most kubectl top would have shown. */
import { kubectlTopOf } from './kubectl-top.ts'
import type { NodeModel } from './node.ts'
import { limitOver } from './spike.ts'

export type RunWatch = {
  readonly memcgId: number
  /** First and newest look, CLOCK_MONOTONIC ns; 0 before the first. */
  firstNs: number
  lastNs: number
  /** From look to look usage counts as it was at the first of both: within the sampling period. */
  over80Ns: number
  over90Ns: number
  /** The highest usage that was sampled. */
  highestBytes: number
  /** The highest value of a look each 15 s; absent while there was none, or without memory.stat. */
  kubectlTopBytes: number | undefined
  limit: ReturnType<typeof limitOver>
  lastShare: number
}

export const createRunWatch = (memcgId: number): RunWatch =>
  ({ memcgId, firstNs: 0, lastNs: 0, over80Ns: 0, over90Ns: 0, highestBytes: 0, kubectlTopBytes: undefined, limit: undefined, lastShare: 0 })

/** After each frame. */
export function watchRun(watch: RunWatch, model: NodeModel): void {
  const memcg = model.memcgs.get(watch.memcgId), usage = memcg?.usage
  if (memcg === undefined || usage === undefined || memcg.diedNs !== undefined || model.nowNs <= watch.lastNs) return
  if (watch.firstNs === 0) watch.firstNs = model.nowNs
  else {
    const ns = model.nowNs - watch.lastNs
    if (watch.lastShare >= 0.8) watch.over80Ns += ns
    if (watch.lastShare >= 0.9) watch.over90Ns += ns
  }
  watch.limit = limitOver(model, memcg)
  watch.lastNs = model.nowNs
  watch.lastShare = watch.limit === undefined ? 0 : usage.currentBytes / watch.limit.bytes
  watch.highestBytes = Math.max(watch.highestBytes, usage.currentBytes, usage.windowPeakBytes ?? 0)
  const top = kubectlTopOf(memcg, model.nowNs)
  if (top !== undefined) watch.kubectlTopBytes = Math.max(watch.kubectlTopBytes ?? 0, top)
}
