/** What a rule finds: a cause, how sure it is, what it rests on, and what it could not rule out. */
import type { KillCase, Level } from '../model/case.ts'
import type { NodeModel } from '../model/node.ts'

export type Cause = 'container-limit' | 'pod-limit' | 'slice-limit' | 'node' | 'numa' | 'sysrq' | 'eviction' | 'runtime-stop' | 'oom-daemon' | 'signal' | 'invoked-no-kill'

/** Certain: two independent witnesses agree. Likely: one complete witness. Possible: something that matters is not known. */
export type Confidence = 'certain' | 'likely' | 'possible'

export type Finding = {
  readonly cause: Cause
  readonly confidence: Confidence
  /** Level of the cgroup whose limit it was. */
  readonly level?: Level
  /** The container whose limit it really was, when the pod's limit only equals it. */
  readonly equalLimitPath?: string
  /** Why this cause and no other, one fact each. */
  readonly because: readonly string[]
  /** Why not surer. */
  readonly doubts: readonly string[]
}

/** Looks at one case; nothing when the cause is another one or the facts do not suffice. */
export type Rule = (model: NodeModel, target: KillCase) => Finding | undefined

const ORDER: readonly Confidence[] = ['possible', 'likely', 'certain']

/** The less sure of two. */
export const atMost = (a: Confidence, b: Confidence): Confidence => ORDER[Math.min(ORDER.indexOf(a), ORDER.indexOf(b))] ?? 'possible'

type Base = { readonly confidence: Confidence; readonly doubts: readonly string[] }

const NAMES: Readonly<Record<string, string>> = { probe: 'a probe', kmsg: 'the kernel log', 'memory.events': 'memory.events', signal: 'the signal probe', exit: 'the exit probe' }

/** How sure the account of the decision itself is, whatever its cause. */
export function baseOf(target: KillCase): Base {
  const doubts: string[] = [], [only, ...others] = target.witnesses
  if (!target.closed) doubts.push(target.picked === undefined ? 'the account ends in the middle of the decision' : 'the log ends before it tells whether the chosen process was killed')
  if (target.disagreements.length > 0) doubts.push('the witnesses differ')
  if (target.logMixed === true) doubts.push('two reports stand between each other in the log')
  if (only !== undefined && others.length === 0) doubts.push(`only ${NAMES[only] ?? only} tells of it`)
  return { confidence: !target.closed ? 'possible' : target.disagreements.length > 0 || target.witnesses.length < 2 ? 'likely' : 'certain', doubts }
}

/** A finding as sure as its account, or less when the rule itself has a doubt. */
export function found(target: KillCase, finding: Omit<Finding, 'confidence' | 'doubts'>, doubt?: { readonly atMost: Confidence; readonly why: string } | undefined): Finding {
  const { confidence, doubts } = baseOf(target)
  return doubt === undefined ? { ...finding, confidence, doubts } : { ...finding, confidence: atMost(confidence, doubt.atMost), doubts: [...doubts, doubt.why] }
}
