/** What the program told about a kill, beside what was true: two objects of the same shape, so that a failing test shows the difference. */
import type { CaseJson } from './recorder.ts'
import type { Person, TrueKill, Truth } from './truth.ts'

type Told = {
  readonly cause?: string | undefined; readonly level?: string | undefined; readonly limitPath?: string | undefined; readonly limitBytes?: number | undefined; readonly invokerPid?: number | undefined
  readonly anonBytes?: number | undefined; readonly reasons?: readonly string[]
  readonly victims: readonly object[]; readonly candidates: readonly object[]
  readonly disagreements: readonly string[]; readonly confidence: string
}

/** These depend on when usage was sampled last before the kill. */
const BY_SAMPLES: ReadonlySet<string> = new Set(['fast-spike', 'other-container', 'other-pod'])

/** Reasons that follow from the kernel's own account of the moment. */
export const remainingReasons = (reasons: CaseJson['reasons']): string[] => reasons.map(({ name }) => name).filter((name) => !BY_SAMPLES.has(name)).toSorted()

/** Pod and container as the path spells them. */
function identityIn(path: string): { podUid: string | undefined; containerId: string | undefined } {
  return { podUid: /-pod([0-9a-f_]{36})\.slice/.exec(path)?.[1]?.replaceAll('_', '-'), containerId: /cri-containerd-([0-9a-f]{64})\.scope$/.exec(path)?.[1] }
}

const byPid = <T extends { readonly pid: number }>(rows: readonly T[]): T[] => rows.toSorted((a, b) => a.pid - b.pid)

const trueVictim = ({ pid, comm, path, oomScoreAdj }: Person): object => ({ pid, comm, path, oomScoreAdj, ...identityIn(path) })

/** Only the kernel's log names no cgroup of a candidate. */
type Detail = { readonly candidatePaths: boolean }

/** Of processes that are not the lab's only presence and oom_score_adj are known beforehand: they go on living while they are judged. */
function trueCandidates(kill: TrueKill, { candidatePaths }: Detail): object[] {
  return byPid(kill.candidates).map(({ pid, oomScoreAdj, points, chosen, person }) =>
    person === undefined ? { pid, oomScoreAdj } : { pid, oomScoreAdj, comm: person.comm, ...(candidatePaths ? { path: person.path } : {}), points, eligible: points !== undefined, chosen })
}

/** What had to be told. */
export function trueStory(kill: TrueKill, detail: Detail): Told {
  const [chosen, ...swept] = kill.victims
  return {
    cause: kill.cause, level: kill.level, invokerPid: kill.invokerPid, confidence: 'certain', disagreements: [],
    ...(kill.limit === undefined ? {} : { limitPath: kill.limit.path, limitBytes: kill.limit.bytes, anonBytes: kill.anonBytes }),
    victims: [...(chosen === undefined ? [] : [chosen]), ...byPid(swept)].map(trueVictim), candidates: trueCandidates(kill, detail),
    ...(kill.reasons === undefined ? {} : { reasons: kill.reasons.toSorted() }),
  }
}

function toldCandidates(said: CaseJson, kill: TrueKill, { candidatePaths }: Detail): object[] {
  const known = new Map(kill.candidates.map((candidate) => [candidate.pid, candidate]))
  // Who was exiting has no memory any more: oom_badness() is asked, the task table leaves it out.
  const judged = said.candidates.filter((candidate) => candidate.eligible || known.has(candidate.pid))
  return byPid(judged).map(({ pid, comm, path, points, oomScoreAdj, eligible, chosen }) =>
    known.get(pid)?.person === undefined ? { pid, oomScoreAdj } : { pid, oomScoreAdj, comm, ...(candidatePaths ? { path } : {}), points: asJudged(points, known.get(pid)?.points, kill), eligible, chosen })
}

/**
 * When the node (or a NUMA node) runs out, whoever is judged goes on running on the other CPU: the log's table is of a later moment than oom_badness().
 * In a memcg OOM everybody who could grow waits.
 */
const MOVED_PAGES = 64
function asJudged(points: number | undefined, truth: number | undefined, { cause }: TrueKill): number | undefined {
  return (cause === 'node' || cause === 'numa') && points !== undefined && truth !== undefined && Math.abs(points - truth) <= MOVED_PAGES ? truth : points
}

/** The same of a case. */
export function toldStory(said: CaseJson, kill: TrueKill, detail: Detail): Told {
  const [chosen, ...swept] = said.victims
  return {
    cause: said.cause, level: said.limit?.level, invokerPid: kill.invokerPid === undefined ? undefined : said.invoker?.pid, confidence: said.confidence, disagreements: said.disagreements,
    ...(kill.limit === undefined ? {} : { limitPath: said.limit?.path, limitBytes: said.limit?.limitBytes, anonBytes: said.composition?.['anonBytes'] }),
    victims: [...(chosen === undefined ? [] : [chosen]), ...byPid(swept)].map(({ pid, comm, path, oomScoreAdj, workload }) => ({ pid, comm, path, oomScoreAdj, podUid: workload?.['podUid'], containerId: workload?.['containerId'] })),
    candidates: toldCandidates(said, kill, detail), ...(kill.reasons === undefined ? {} : { reasons: remainingReasons(said.reasons) }),
  }
}

/** Cases in which somebody of this scenario is a victim, by process or by thread, or whose limit is this scenario's. */
export function casesOf(truth: Truth, cases: readonly CaseJson[]): CaseJson[] {
  const people = [...truth.spared, ...truth.kills.flatMap((kill) => kill.victims)]
  const ids = new Set([...people.map((who) => who.pid), ...truth.kills.flatMap((kill) => kill.victimTids)]), limits = new Set(truth.kills.flatMap((kill) => kill.limit?.path ?? []))
  return cases.filter((said) => said.victims.some((victim) => ids.has(victim.pid)) || (said.victims.length > 0 && limits.has(said.limit?.path ?? '')))
}
