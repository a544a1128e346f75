/** The verdict on a case: cause, level, one sentence, and how sure it is. Computed again whenever it is asked for. */
import type { KillCase, Level } from '../model/case.ts'
import type { NodeModel } from '../model/node.ts'
import { causeOf, type Cause, type CauseFound } from './cause.ts'
import { sentenceOf } from './sentence.ts'

export type Confidence = 'certain' | 'likely' | 'possible'

export type Verdict = { readonly cause?: Cause; readonly level?: Level; readonly sentence: string; readonly confidence: Confidence }

/**
 * Certain: two independent witnesses agree. Likely: one complete witness, or two that differ in something.
 * Possible: the cause is unknown, or the only witness was cut off.
 */
function confidenceOf(target: KillCase, found: CauseFound): Confidence {
  if (found.cause === undefined || !target.closed) return 'possible'
  if (target.disagreements.length > 0) return 'likely'
  // Nobody killed leaves no second witness: the probe saw the decision return.
  if (found.cause === 'invoked-no-kill') return target.witnesses.length > 1 ? 'certain' : 'likely'
  return target.witnesses.length > 1 ? 'certain' : 'likely'
}

/** Judges one case with what the model knows now. */
export function verdictOf(model: NodeModel, target: KillCase): Verdict {
  const found = causeOf(model, target)
  return {
    ...(found.cause === undefined ? {} : { cause: found.cause }), ...(found.level === undefined ? {} : { level: found.level }),
    sentence: sentenceOf(model, target, found), confidence: confidenceOf(target, found),
  }
}
