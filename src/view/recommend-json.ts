/** A recommendation as `recommend --json` prints it: integers in bytes, times in ms, a missing fact is absent and never 0. */
import type { Workload } from '../model/case.ts'
import type { Exactness } from '../model/spike.ts'
import type { Recommendation, Warning } from '../verdict/recommendation.ts'
import type { WhatIf } from '../verdict/what-if.ts'
import { known } from './json-line.ts'
import type { NeedRow } from './needs.ts'
import type { NodeFit } from './node-fit.ts'

export type RecommendJson = {
  readonly workload: Workload; readonly path: string; readonly starts: number; readonly running: boolean
  readonly recordedMs: number; readonly lostMs?: number; readonly lossSomewhere?: true
  readonly peakBytes: number; readonly peakExact: boolean; readonly exactness: Exactness
  /** Without inactive file cache, as the kubelet counts, at the true peak; and percentiles of the highest in each second. */
  readonly needPeakBytes: number; readonly p50Bytes: number; readonly p95Bytes: number; readonly p99Bytes: number
  /** The most that could not have been given back, at least as memory.stat saw it and at most. */
  readonly floorBytes?: number; readonly hardPeakBytes: number
  readonly kubectlTopBytes?: number; readonly limitNowBytes?: number
  /** Time over these shares of its limit, by looks: at least so long. */
  readonly over80PercentMs?: number; readonly over90PercentMs?: number
  readonly kills: number; /** Of these, for a limit above it, or for the node. */ readonly killsByOthers?: number; readonly atMax?: number; readonly atHigh?: number; readonly stallNs?: number; readonly swapBytes?: number
  readonly requestBytes: number; readonly limitBytes: number; readonly headroomPercent: number
  readonly reasons: readonly string[]; readonly warnings: readonly Warning[]
  readonly whatIf?: WhatIf
}

export function recommendJson({ workload, path, starts, isAlive, need }: NeedRow, { recommendation, whatIf }: { readonly recommendation: Recommendation; readonly whatIf?: WhatIf | undefined }): RecommendJson {
  const isLimited = need.limitBytes !== undefined
  return known({
    workload, path, starts, running: isAlive, recordedMs: need.knownNs / 1e6, lostMs: need.lostNs > 0 ? need.lostNs / 1e6 : undefined, lossSomewhere: need.isLossSomewhere || undefined,
    peakBytes: need.peakBytes, peakExact: need.exactness !== 'sampled', exactness: need.exactness, needPeakBytes: need.needPeakBytes, p50Bytes: need.p50Bytes, p95Bytes: need.p95Bytes, p99Bytes: need.p99Bytes,
    floorBytes: need.floorBytes, hardPeakBytes: need.hardPeakBytes, kubectlTopBytes: need.topBytes, limitNowBytes: need.limitBytes, over80PercentMs: isLimited ? need.over80Ns / 1e6 : undefined, over90PercentMs: isLimited ? need.over90Ns / 1e6 : undefined,
    kills: need.kills, killsByOthers: need.killsByOthers > 0 ? need.killsByOthers : undefined, atMax: need.atMax, atHigh: need.atHigh, stallNs: need.waitedNs, swapBytes: need.swapBytes > 0 ? need.swapBytes : undefined, ...recommendation, whatIf,
  }) as RecommendJson
}

/** The last line. */
export const fitJson = (hostname: string | undefined, fit: NodeFit): object => ({ node: known({ hostname, ...fit }) })
