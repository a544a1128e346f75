/** The lens every view looks through: names from identity, causes and sentences from verdict. */
import { workloadOf } from '../identity/workload.ts'
import type { Workload } from '../model/case.ts'
import { verdictOf } from '../verdict/verdict.ts'
import { killText } from '../view/kill-report.ts'
import type { Lens } from '../view/lens.ts'

/** More paths than a node has cgroups; a damaged or hostile stream may bring any number. */
const MOST_PATHS = 20_000
const workloads = new Map<string, Workload>()

/** What a path says never changes, and every path is asked for twice a second. */
function rememberedWorkload(path: string): Workload {
  const known = workloads.get(path)
  if (known !== undefined) return known
  if (workloads.size >= MOST_PATHS) workloads.clear()
  const workload = workloadOf(path)
  workloads.set(path, workload)
  return workload
}

export const lens: Lens = {
  workloadOf: rememberedWorkload,
  caseWords: (killCase, model) => {
    const { cause, sentence, confidence } = verdictOf(model, killCase)
    return { cause: cause ?? 'unknown', sentence, confidence }
  },
  caseLines: (killCase, model) => killText(killCase, model).split('\n'),
}
