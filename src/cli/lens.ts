/** The lens every view looks through: names from identity, causes and sentences from verdict. */
import { remembered } from '../base/remembered.ts'
import { workloadOf } from '../identity/workload.ts'
import { verdictOf } from '../verdict/verdict.ts'
import { killText } from '../view/kill-report.ts'
import type { Lens } from '../view/lens.ts'

export const lens: Lens = {
  /** What a path says never changes, and every path is asked for twice a second. */
  workloadOf: remembered(workloadOf),
  caseWords: (killCase, model) => {
    const { cause, sentence, brief, confidence } = verdictOf(model, killCase)
    return { cause: cause ?? 'unknown', sentence, ...(brief === undefined ? {} : { brief }), confidence }
  },
  caseLines: (killCase, model) => killText(killCase, model).split('\n'),
}
