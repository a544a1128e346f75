/** A spike as `spikes --json` prints it: the contract's fields, integers in bytes, a missing fact is absent and never 0. */
import { bootNsAt, formatWall } from '../base/time.ts'
import { workloadIn } from '../identity/workload.ts'
import type { Workload } from '../model/case.ts'
import { shareOfPhases } from '../model/kubectl-top.ts'
import type { NodeModel } from '../model/node.ts'
import type { Exactness, Spike } from '../model/spike.ts'
import { wallOf } from './clock.ts'
import { known } from './json-line.ts'
import { compositionOf, isSeenInside, madeOf } from './spike-facts.ts'
import type { Composition } from './spike-facts.ts'
import { isTimeVague } from './spikes-list.ts'
import { isUsageLost } from './usage-loss.ts'

export type SpikeJson = {
  readonly workload: Workload
  readonly path: string
  /** It began at or after this. */
  readonly start?: string
  readonly bootNs?: number
  /** The most it can have lasted, and the least: 0 = it came and went between two looks. */
  readonly durationMs: number
  readonly durationLeastMs: number
  /** Only a high-water mark tells of it: the time is known to two seconds. */
  readonly timeVague?: true
  readonly baseBytes: number
  readonly peakBytes: number
  readonly peakExact: boolean
  readonly exactness: Exactness
  readonly limitBytes?: number
  /** Whose limit, when it is not its own. */
  readonly limitPath?: string
  readonly kubectlTopBytes?: number
  readonly missedByKubectlTop?: boolean
  /** The share of all moments at which looks 15 s apart can fall, with which one would have fallen into it. */
  readonly kubectlTopPhases: { readonly least: number; readonly most: number }
  /** memory.stat, read while it lasted or `ageMs` before it began. */
  readonly composition?: Composition & { readonly during: boolean; readonly ageMs?: number }
  readonly madeOf?: string
  readonly stallNs?: number
  /** It fell; it stayed up, lower; its cgroup went away. */
  readonly ended: Spike['ended']
  /** Facts were lost during it: its numbers may be too low. */
  readonly lossDuring?: true
  /** Rows were lost of which nobody knows the time: any number of this recording may be too low. */
  readonly lossSomewhere?: true
}

const compositionJson = (spike: Spike): SpikeJson['composition'] => {
  if (spike.statDuring !== undefined && isSeenInside(spike)) return { ...compositionOf(spike.statDuring), during: true }
  return spike.statBefore === undefined ? undefined : { ...compositionOf(spike.statBefore), during: false, ageMs: Math.max(0, spike.startNs - spike.statBefore.tsNs) / 1e6 }
}

const rounded = (share: number): number => Math.round(share * 1e4) / 1e4

export function spikeJson(spike: Spike, model: NodeModel): SpikeJson {
  const { path, startNs, endNs, leastNs, limit, isShownByTop, exactness, isTouched } = spike, wall = wallOf(model, startNs)
  return known({
    workload: workloadIn(model, path), path, start: wall === undefined ? undefined : formatWall(wall), bootNs: model.anchor === undefined ? undefined : bootNsAt(model.anchor, startNs),
    durationMs: (endNs - startNs) / 1e6, durationLeastMs: leastNs / 1e6, timeVague: isTimeVague(spike) || undefined, baseBytes: spike.baseBytes, peakBytes: spike.peakBytes, peakExact: exactness !== 'sampled', exactness,
    limitBytes: limit?.bytes, limitPath: limit === undefined || limit.path === path ? undefined : limit.path, kubectlTopBytes: spike.kubectlTopBytes, missedByKubectlTop: isShownByTop === undefined ? undefined : !isShownByTop,
    kubectlTopPhases: { least: rounded(shareOfPhases(leastNs)), most: rounded(shareOfPhases(endNs - startNs)) },
    composition: compositionJson(spike), madeOf: madeOf(spike), stallNs: spike.stallNs, ended: spike.ended, lossDuring: isTouched || undefined, lossSomewhere: isUsageLost(model) || undefined,
  }) as SpikeJson
}
