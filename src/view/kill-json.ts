/** A kill case as `kills --json` prints it: the contract's fields, integers in bytes, a missing fact is absent and never 0. */
import { formatWall } from '../base/time.ts'
import { workloadIn } from '../identity/workload.ts'
import { isSelfTest, type Candidate, type Evidence, type KillCase, type Level, type Program, type Victim, type Workload } from '../model/case.ts'
import type { NodeModel } from '../model/node.ts'
import { nameDisputesOf } from '../verdict/name-disputes.ts'
import type { Repeats } from '../verdict/repeats.ts'
import type { Reason } from '../verdict/reason.ts'
import { evidenceOf } from '../verdict/runtime-word.ts'
import { accountOf, verdictOf, type Cause, type Confidence } from '../verdict/verdict.ts'
import { anchorClock, type CaseClock } from './case-time.ts'
import { known } from './json-line.ts'

type LimitLevel = Exclude<Level, 'service' | 'cgroup'>

type VictimJson = Pick<Victim, 'pid' | 'comm' | 'path' | 'points' | 'oomScoreAdj' | 'anonBytes' | 'fileBytes' | 'shmemBytes' | 'swapBytes' | 'pgtablesBytes' | 'killedBy' | 'msToExit'> & { readonly workload?: Workload; /** Of the command line values of secrets are masked, and it is cut. */ readonly program?: Program }
type CandidateJson = Pick<Candidate, 'pid' | 'comm' | 'path' | 'points' | 'oomScoreAdj' | 'eligible' | 'chosen'> & { readonly workload?: Workload }

export type KillJson = {
  readonly id: string; readonly time?: string; readonly bootNs?: number
  /** The kernel log's own words for the time, where they name no year or no zone. */
  readonly logTime?: string
  readonly cause?: Cause; readonly sentence: string; readonly confidence: Confidence
  /** Why this cause, and why not surer. */
  readonly because: readonly string[]; readonly doubts: readonly string[]
  /** Caused by oomscope itself (`doctor --self-test`). */
  readonly selfTest?: true
  /** A process sent it: who, and how long after a SIGTERM of whom. */
  readonly signal?: { readonly signal: string; readonly sender: { readonly pid: number; readonly comm: string; readonly path?: string }; readonly graceMs?: number; readonly asker?: { readonly pid: number; readonly comm: string } }
  readonly limit?: { readonly path?: string; readonly level?: LimitLevel; readonly limitBytes?: number; readonly usageBytes?: number; readonly swapLimitBytes?: number }
  readonly invoker?: { readonly pid: number; readonly comm: string; readonly path?: string; readonly order?: number; readonly gfp?: string }
  readonly victims: readonly VictimJson[]
  readonly candidates: readonly CandidateJson[]
  readonly candidatesFrom?: string
  readonly candidatesOmitted?: number
  readonly totalBytes?: number
  readonly group: boolean
  /** Killed processes that only the counters of a cgroup's files saw, and that cgroup. */
  readonly unseenVictims?: number; readonly countedPath?: string
  readonly reclaim?: KillCase['reclaim']
  readonly composition?: Readonly<Record<string, number>>
  readonly contributors: readonly { readonly path: string; readonly bytes: number; readonly workload: Workload }[]
  readonly invokedWhileExiting?: number
  readonly witnesses: readonly string[]
  readonly disagreements: readonly string[]
  /** Where the sources of names differ about who it was. */
  readonly nameDisputes?: readonly string[]
  readonly evidence: readonly Evidence[]
  /** Why reclaim did not save it, each with its evidence. */
  readonly reasons: readonly Reason[]
  /** Why a dashboard showed less than the kernel counted. */
  readonly differences: readonly string[]
  readonly advice: readonly string[]
  /** Kills of the same workload: which one this is, and their rhythm. */
  readonly repeats?: { readonly nth: number; readonly of: number; readonly sincePreviousMs?: number; readonly medianMs: number; readonly isEven: boolean; readonly ids: readonly string[] }
}

const some = <T>(list: readonly T[]): readonly T[] | undefined => (list.length === 0 ? undefined : list)

const workloadOfPath = (model: NodeModel, path: string | undefined): Workload | undefined => (path === undefined ? undefined : workloadIn(model, path))

/** The contract's levels: any other service or cgroup counts as a slice, as the cause `slice-limit` does. */
const limitLevel = (level: Level): LimitLevel => (level === 'service' || level === 'cgroup' ? 'slice' : level)

function limitJson(model: NodeModel, { limit }: KillCase): KillJson['limit'] {
  if (limit === undefined) return undefined
  const level = limit.path === undefined ? undefined : limitLevel(workloadIn(model, limit.path).level)
  return known({ path: limit.path, level, limitBytes: limit.limitBytes, usageBytes: limit.usageBytes, swapLimitBytes: limit.swapLimitBytes }) as KillJson['limit']
}

function invokerJson(target: KillCase): KillJson['invoker'] {
  if (target.invoker === undefined) return undefined
  const gfp = target.gfpText ?? (target.gfp === undefined ? undefined : `0x${target.gfp.toString(16)}`)
  return known({ pid: target.invoker.pid, comm: target.invoker.comm, path: target.invoker.path, order: target.order, gfp }) as KillJson['invoker']
}

const victimJson = (model: NodeModel, victim: Victim): VictimJson => known({
  pid: victim.pid, comm: victim.comm, path: victim.path, points: victim.points, oomScoreAdj: victim.oomScoreAdj, anonBytes: victim.anonBytes, fileBytes: victim.fileBytes,
  shmemBytes: victim.shmemBytes, swapBytes: victim.swapBytes, pgtablesBytes: victim.pgtablesBytes, workload: workloadOfPath(model, victim.path), killedBy: victim.killedBy, msToExit: victim.msToExit,
  program: victim.program,
}) as VictimJson

const candidateJson = (model: NodeModel, candidate: Candidate): CandidateJson => known({
  pid: candidate.pid, comm: candidate.comm, path: candidate.path, points: candidate.points, oomScoreAdj: candidate.oomScoreAdj, eligible: candidate.eligible, chosen: candidate.chosen,
  workload: workloadOfPath(model, candidate.path),
}) as CandidateJson

const idOf = (id: string, prefix: string | undefined): string => (prefix === undefined ? id : id.replace(/^[^-]*/, prefix))

function repeatsJson(repeats: Repeats | undefined, prefix: string | undefined): KillJson['repeats'] {
  if (repeats === undefined) return undefined
  const { nth, of, previousNs, medianNs, isEven, ids } = repeats
  return known({ nth, of, sincePreviousMs: previousNs === undefined ? undefined : previousNs / 1e6, medianMs: medianNs / 1e6, isEven, ids: ids.map((id) => idOf(id, prefix)) }) as KillJson['repeats']
}

function signalJson({ sentSignal }: KillCase): KillJson['signal'] {
  if (sentSignal === undefined) return undefined
  const { signo, sender, graceNs, asker } = sentSignal
  return known({ signal: signo === 9 ? 'SIGKILL' : 'SIGTERM', sender: known({ pid: sender.pid, comm: sender.comm, path: sender.path }), graceMs: graceNs === undefined ? undefined : graceNs / 1e6, asker }) as KillJson['signal']
}

/** One case. */
export function killJson(target: KillCase, model: NodeModel, clock: CaseClock = anchorClock(model)): KillJson {
  const verdict = verdictOf(model, target), account = accountOf(model, target), { wallMs, bootNs, stamp, idPrefix } = clock(target)
  return known({
    id: idOf(target.id, idPrefix), time: wallMs === undefined ? undefined : formatWall(wallMs), bootNs, logTime: wallMs === undefined ? stamp : undefined,
    cause: verdict.cause, sentence: verdict.sentence, confidence: verdict.confidence, because: verdict.because, doubts: verdict.doubts,
    selfTest: isSelfTest(target) || undefined, signal: signalJson(target),
    limit: limitJson(model, target), invoker: invokerJson(target),
    victims: target.victims.map((victim) => victimJson(model, victim)), candidates: target.candidates.map((candidate) => candidateJson(model, candidate)),
    candidatesFrom: target.candidatesFrom, candidatesOmitted: target.candidatesOmitted, totalBytes: target.totalBytes, group: target.group, unseenVictims: target.unseenVictims, countedPath: target.countedPath,
    reclaim: target.reclaim, composition: target.composition,
    contributors: target.contributors.map(({ path, bytes }) => ({ path, bytes, workload: workloadIn(model, path) })),
    invokedWhileExiting: target.invokedWhileExiting, witnesses: target.witnesses, disagreements: target.disagreements, nameDisputes: some(nameDisputesOf(model, target)), evidence: evidenceOf(model, target),
    reasons: account.reasons, differences: account.differences, advice: account.advice, repeats: repeatsJson(account.repeats, idPrefix),
  }) as KillJson
}
