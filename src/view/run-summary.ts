/** What a run comes to: peak, time near the limit, stalls, kills and spikes of one memcg, for a person and for a program. */
import { COUNTERS } from '../event/kinds.ts'
import { isOomCase } from '../model/case.ts'
import type { KillCase } from '../model/case.ts'
import type { Memcg, NodeModel } from '../model/node.ts'
import type { RunWatch } from '../model/run-watch.ts'
import type { Spike } from '../model/spike.ts'
import type { Account } from '../model/usage-ledger.ts'
import { recommend } from '../verdict/recommendation.ts'
import type { Need, Recommendation } from '../verdict/recommendation.ts'
import { killJson } from './kill-json.ts'
import type { KillJson } from './kill-json.ts'
import { lossText } from './kill-report.ts'
import { needOf } from './needs.ts'
import { toldSpikes } from './spike-facts.ts'
import { countedKinds } from './stalls.ts'

/** Who ran, and what the kernel's own files said at its end. */
export type RunFacts = {
  readonly argv: readonly string[]
  readonly code: number
  readonly signal?: string | undefined
  /** From its start to its end. */
  readonly ns: number
  /** memory.peak of the memcg, read after the command ended: exact, whatever was sampled. */
  readonly peakBytes: number | undefined
  /** Processes that the command left behind. */
  readonly leftBehind: number
  /** Why watching ended before the command did. */
  readonly failure?: string | undefined
}

/** How long tasks of the memcg waited for one thing, and how often. A stall may be of two kinds: throttling reclaims first. */
export type Waited = { readonly what: string; readonly ns: number; readonly count: number }

export type RunSummary = RunFacts & {
  readonly path: string
  /** The memcg's own limit, else the nearest above it. */
  readonly limitBytes: number | undefined
  readonly limitPath: string | undefined
  /** The peak comes from the kernel's own mark, not from samples. */
  readonly isPeakExact: boolean
  readonly over80Ns: number
  readonly over90Ns: number
  readonly kubectlTopBytes: number | undefined
  /** Absent: no probe tells of stalls here. */
  readonly waited: readonly Waited[] | undefined
  readonly kills: readonly KillCase[]
  /** How often the OOM killer was seen to run for it and kill nobody: everybody was immune, or somebody was dying already. */
  readonly oomsWithoutKill: number
  readonly spikes: readonly Spike[]
  /** What to request and where to set the limit, going by this run; absent when it ended before the first look. */
  readonly recommendation: Recommendation | undefined
  /** What did not arrive; empty when nothing is missing. */
  readonly lost: string
}

const WAITS = [['memcg_reclaim', 'reclaim at a limit'], ['over_high', 'memory.high'], ['direct_reclaim', 'direct reclaim'], ['compaction', 'compaction']] as const

function waitedOf(model: NodeModel, memcg: Memcg | undefined): Waited[] | undefined {
  // Without a wait there is no counter; without a probe nobody would know.
  if (!countedKinds(model).some(Boolean)) return undefined
  if (memcg?.counters === undefined) return []
  const of = (name: (typeof COUNTERS)[number]): number => memcg.counters?.[COUNTERS.indexOf(name)] ?? 0
  return WAITS.flatMap(([key, what]) => (of(`${key}_count`) === 0 ? [] : [{ what, ns: of(`${key}_ns`), count: of(`${key}_count`) }]))
}

const isInside = (path: string | undefined, root: string): boolean => path !== undefined && (path === root || path.startsWith(`${root}/`))

/** Decisions of the OOM killer about the memcg's limit, or that killed in it. */
const decisionsIn = (cases: readonly KillCase[], path: string): KillCase[] =>
  cases.filter((kill) => isOomCase(kill) && (isInside(kill.limit?.path, path) || kill.victims.some((victim) => isInside(victim.path, path))))

/** Whoever was picked and whose end nobody saw most likely died. */
const killedNobody = ({ noKill, picked, unseenVictims }: KillCase): boolean => noKill === true && picked === undefined && unseenVictims === undefined

/** Everything that died in the memcg, or because of its limit. */
export const killsIn = (cases: readonly KillCase[], path: string): KillCase[] => decisionsIn(cases, path).filter((kill) => !killedNobody(kill))

/** A case of one that was dying already counts the runs of the OOM killer meanwhile. */
const runsWithoutKill = (cases: readonly KillCase[], path: string): number =>
  decisionsIn(cases, path).filter(killedNobody).reduce((sum, { invokedWhileExiting = 0 }) => sum + 1 + invokedWhileExiting, 0)

export function runSummary(facts: RunFacts, model: NodeModel, what: { readonly watch: RunWatch; readonly path: string; readonly cases: readonly KillCase[]; readonly account?: Account | undefined }): RunSummary {
  const { watch, path, cases, account } = what, kills = killsIn(cases, path), memcg = model.memcgs.get(watch.memcgId)
  return {
    ...facts, path, limitBytes: watch.limit?.bytes, limitPath: watch.limit?.path === path ? undefined : watch.limit?.path,
    peakBytes: facts.peakBytes ?? (watch.firstNs === 0 ? undefined : watch.highestBytes), isPeakExact: facts.peakBytes !== undefined,
    over80Ns: watch.over80Ns, over90Ns: watch.over90Ns, kubectlTopBytes: watch.kubectlTopBytes, waited: waitedOf(model, memcg),
    kills, oomsWithoutKill: runsWithoutKill(cases, path), recommendation: account === undefined ? undefined : recommend(needOfRun(model, account, { facts, kills })), spikes: toldSpikes(model).filter((spike) => isInside(spike.path, path)), lost: lossText(model),
  }
}

/** As of a recording, with the kernel's own mark for the peak, which counts also what lies between the last look and the end. */
function needOfRun(model: NodeModel, account: Account, { facts, kills }: { readonly facts: RunFacts; readonly kills: readonly KillCase[] }): Need {
  const need = needOf(model, [account]), above = Math.max(0, (facts.peakBytes ?? 0) - need.peakBytes)
  return {
    ...need, exactness: facts.peakBytes === undefined ? need.exactness : 'high-water', peakBytes: need.peakBytes + above, needPeakBytes: need.needPeakBytes + above, hardPeakBytes: need.hardPeakBytes + above,
    kills: kills.reduce((sum, { victims, unseenVictims = 0 }) => sum + victims.length + unseenVictims, 0),
  }
}

export type RunJson = {
  readonly command: readonly string[]; readonly exitCode: number; readonly signal?: string; readonly durationMs: number
  readonly path: string; readonly limitBytes?: number; readonly limitPath?: string
  readonly peakBytes?: number; readonly peakExact: boolean; readonly kubectlTopBytes?: number
  readonly over80Ms: number; readonly over90Ms: number
  readonly stalls?: readonly { readonly what: string; readonly ms: number; readonly count: number }[]
  readonly kills: readonly KillJson[]; readonly oomsWithoutKill: number
  readonly spikes: number; readonly spikesMissedByKubectlTop: number
  readonly recommendation?: Recommendation
  readonly leftBehind: number; readonly lost?: string; readonly failure?: string
}

const ms = (ns: number): number => Math.round(ns / 1e6)

export function runJson(run: RunSummary, model: NodeModel): RunJson {
  return {
    command: run.argv, exitCode: run.code, ...(run.signal === undefined ? {} : { signal: run.signal }), durationMs: ms(run.ns),
    path: run.path, ...(run.limitBytes === undefined ? {} : { limitBytes: run.limitBytes }), ...(run.limitPath === undefined ? {} : { limitPath: run.limitPath }),
    ...(run.peakBytes === undefined ? {} : { peakBytes: run.peakBytes }), peakExact: run.isPeakExact, ...(run.kubectlTopBytes === undefined ? {} : { kubectlTopBytes: run.kubectlTopBytes }),
    over80Ms: ms(run.over80Ns), over90Ms: ms(run.over90Ns), ...(run.waited === undefined ? {} : { stalls: run.waited.map(({ what, ns, count }) => ({ what, ms: ms(ns), count })) }),
    kills: run.kills.map((kill) => killJson(kill, model)), oomsWithoutKill: run.oomsWithoutKill, spikes: run.spikes.length, spikesMissedByKubectlTop: run.spikes.filter(({ isShownByTop }) => isShownByTop === false).length,
    ...(run.recommendation === undefined ? {} : { recommendation: run.recommendation }), leftBehind: run.leftBehind, ...(run.lost === '' ? {} : { lost: run.lost }), ...(run.failure === undefined ? {} : { failure: run.failure }),
  }
}
