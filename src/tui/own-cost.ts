/** What this program itself consumes, measured over the last seconds: shown on the health page beside the bridge and bpftrace. */
import type { OwnCost } from '../view/health-page.ts'

/** Means over at least so long: one frame more or less must not show. */
const WINDOW_MS = 5000

export class OwnCostMeter {
  private sinceMs = performance.now()
  private since = process.cpuUsage()
  private last: OwnCost | undefined

  /** To be asked at every refresh; nothing until the first window is over. */
  read(): OwnCost | undefined {
    const nowMs = performance.now(), passedMs = nowMs - this.sinceMs
    if (passedMs < WINDOW_MS) return this.last
    const used = process.cpuUsage(this.since), { rss, heapUsed } = process.memoryUsage()
    this.last = { cpuPercent: (used.user + used.system) / (passedMs * 10), rssBytes: rss, heapBytes: heapUsed }
    this.sinceMs = nowMs
    this.since = process.cpuUsage()
    return this.last
  }
}
