/** The verdict on a case: cause, level, one sentence, and how sure it is. Computed again whenever it is asked for. */
import { workloadIn } from '../identity/workload.ts'
import { isSelfTest, type KillCase, type Level } from '../model/case.ts'
import { versionOf } from '../model/case-version.ts'
import type { NodeModel } from '../model/node.ts'
import { adviceOf } from './advice.ts'
import { differencesOf } from './difference.ts'
import { baseOf, type Cause, type Confidence, type Finding } from './finding.ts'
import { isNoKill } from './memcg-limit.ts'
import { repeatsOf, type Repeats } from './repeats.ts'
import { RULES } from './rules.ts'
import type { Reason } from './reason.ts'
import { briefOf, sentenceOf, unknownText } from './sentence.ts'
import { reasonsOf } from './why.ts'

export type { Cause, Confidence } from './finding.ts'

export type Verdict = {
  readonly cause?: Cause; readonly level?: Level; readonly sentence: string; readonly confidence: Confidence
  /** The sentence without who was killed. */
  readonly brief?: string
  /** Why this cause. */
  readonly because: readonly string[]
  /** Why not surer. */
  readonly doubts: readonly string[]
}

/** What else there is to say about a case: for its own page, not for every line of a list. */
export type Account = {
  /** Why reclaim did not save it. */
  readonly reasons: readonly Reason[]
  /** Why a dashboard showed less. */
  readonly differences: readonly string[]
  readonly advice: readonly string[]
  /** Kills of the same workload. */
  readonly repeats?: Repeats
}

/** What is missing for a cause. */
function missingOf(target: KillCase): string {
  if (isNoKill(target) && !target.closed) return 'the decision is not finished'
  if (target.markedOnly === true) return 'only mark_victim tells of it, which marks processes that are dying anyway, too'
  const { limit, constraint } = target
  if (constraint === 3 || (limit?.memcgId !== undefined && limit.memcgId > 0)) return 'no witness named the cgroup whose limit was hit'
  return 'neither a probe nor the kernel log told whose limit was hit'
}

/** The rule that holds; nothing when facts are missing. */
export function findingOf(model: NodeModel, target: KillCase): Finding | undefined {
  if (target.markedOnly === true) return undefined
  for (const rule of RULES) {
    const finding = rule(model, target)
    if (finding !== undefined) return finding
  }
  return undefined
}

type Remembered = { readonly version: number; readonly names: number; readonly hello: unknown; readonly verdict: Verdict }
const remembered = new WeakMap<KillCase, Remembered>()

/** Judges one case with what the model knows now. A list asks for thousands of them many times a second, and few change. */
export function verdictOf(model: NodeModel, target: KillCase): Verdict {
  // A signal's story depends on the cases before it and on what the kubelet said.
  if (target.sentSignal !== undefined) return judge(model, target)
  const version = versionOf(target), names = model.nameBook.version, { hello } = model, before = remembered.get(target)
  if (before !== undefined && before.version === version && before.names === names && before.hello === hello) return before.verdict
  const verdict = judge(model, target)
  remembered.set(target, { version, names, hello, verdict })
  return verdict
}

function judge(model: NodeModel, target: KillCase): Verdict {
  const finding = findingOf(model, target)
  if (finding === undefined) {
    const missing = missingOf(target), level = target.limit?.path === undefined ? undefined : workloadIn(model, target.limit.path).level
    return { ...(level === undefined ? {} : { level }), sentence: unknownText(model, target, missing), confidence: 'possible', because: [], doubts: [missing, ...baseOf(target).doubts] }
  }
  const { cause, level, confidence, because, doubts } = finding
  const lead = isSelfTest(target) ? 'Self-test of oomscope: ' : '', brief = briefOf(model, target, finding)
  return { cause, ...(level === undefined ? {} : { level }), sentence: `${lead}${sentenceOf(model, target, finding)}`, ...(brief === undefined ? {} : { brief: `${lead}${brief}` }), confidence, because, doubts }
}

/** The rest of the story; empty when no rule could name a cause. */
export function accountOf(model: NodeModel, target: KillCase): Account {
  const finding = findingOf(model, target), repeats = repeatsOf(model, target), linked = repeats === undefined ? {} : { repeats }
  if (finding === undefined || isSelfTest(target)) return { reasons: [], differences: [], advice: [], ...linked }
  const reasons = reasonsOf(model, target, finding)
  return { reasons, differences: differencesOf(model, target, finding), advice: adviceOf(model, target, { finding, reasons }), ...linked }
}
