/** Why a workload deserves attention: a table of rules, each a condition over facts and the sentence that is then true. */
import { bytesCell, countCell, percentCell, secondsCell } from './compact.ts'
import { shareOf } from './limits.ts'
import type { Binding, Level } from './limits.ts'

/** 2 = act now (`!!`), 1 = look (`!`), 0 = nothing known against it. */
export type Severity = 0 | 1 | 2

export type Judged = {
  readonly binding: Binding | undefined
  /** Working set of the level whose limit binds. */
  readonly boundWorkingSetBytes?: number | undefined
  readonly somePercent?: number | undefined
  readonly fullPercent?: number | undefined
  readonly stallMsPerS?: number | undefined
  readonly highPerS?: number | undefined
  readonly maxPerS?: number | undefined
  readonly growthBytesPerS?: number | undefined
  readonly secondsToLimit?: number | undefined
  /** The limit that growth meets first, when it is not the binding one. */
  readonly forecastLevel?: Level | undefined
  readonly sinceKillS?: number | undefined
}

type Rule = { readonly severity: 1 | 2; readonly when: (f: Judged) => boolean; readonly say: (f: Judged) => string }

const at = (value: number | undefined): number => value ?? 0
const WHOSE: Readonly<Partial<Record<Level['where'], string>>> = { container: 'its container limit', self: 'its limit' }
const nameOf = ({ where, label, maxBytes }: Level): string => `${WHOSE[where] ?? `the ${label} limit`} of ${bytesCell(at(maxBytes))}`
const limitOf = (f: Judged): string => (f.binding === undefined ? 'its limit' : nameOf(f.binding))
const share = (f: Judged): number => (f.binding === undefined ? 0 : shareOf(f.binding))
const ago = (f: Judged): string => `${secondsCell(at(f.sinceKillS))} ago`
const rush = (f: Judged): string => `is ~${secondsCell(at(f.secondsToLimit))} from ${f.forecastLevel === undefined ? limitOf(f) : nameOf(f.forecastLevel)} (+${bytesCell(at(f.growthBytesPerS))}/s)`

/** Most urgent first; where two would say the same, only the stronger one holds. */
const RULES: readonly Rule[] = [
  { severity: 2, when: (f) => f.sinceKillS !== undefined && f.sinceKillS < 60, say: (f) => `was OOM-killed ${ago(f)}` },
  { severity: 2, when: (f) => f.secondsToLimit !== undefined && f.secondsToLimit < 120 && share(f) >= 0.5, say: rush },
  { severity: 2, when: (f) => share(f) >= 0.95 && at(f.maxPerS) >= 1, say: (f) => `is at ${limitOf(f)}: ${countCell(at(f.maxPerS))} allocations a second hit it and reclaim` },
  { severity: 2, when: (f) => at(f.fullPercent) >= 20, say: (f) => `has all its tasks waiting for memory ${percentCell(at(f.fullPercent))} % of the time` },
  { severity: 2, when: (f) => at(f.stallMsPerS) >= 500, say: (f) => `waits ${countCell(at(f.stallMsPerS))} ms of each second for reclaim or throttling` },
  { severity: 1, when: (f) => at(f.highPerS) > 0, say: (f) => `passes memory.high ${countCell(at(f.highPerS))} times a second: its tasks are put to sleep` },
  { severity: 1, when: (f) => at(f.somePercent) >= 5 && at(f.fullPercent) < 20, say: (f) => `has a task waiting for memory ${percentCell(at(f.somePercent))} % of the time` },
  { severity: 1, when: (f) => at(f.stallMsPerS) >= 50 && at(f.stallMsPerS) < 500, say: (f) => `waits ${countCell(at(f.stallMsPerS))} ms of each second for reclaim or throttling` },
  { severity: 1, when: (f) => f.secondsToLimit !== undefined && (f.secondsToLimit >= 120 || share(f) < 0.5) && f.secondsToLimit < 1800, say: rush },
  // Inactive file cache is given back before anything is killed, so only what kubectl top counts too makes a full limit worth a look.
  { severity: 1, when: (f) => f.binding !== undefined && f.binding.where !== 'above' && at(f.boundWorkingSetBytes) >= 0.9 * f.binding.maxBytes, say: (f) => `fills ${percentCell(100 * share(f))} % of ${limitOf(f)}` },
  { severity: 1, when: (f) => f.binding?.where === 'above' && share(f) >= 0.95, say: (f) => `stands under ${limitOf(f)}, which is ${percentCell(100 * share(f))} % full` },
  { severity: 1, when: (f) => f.sinceKillS !== undefined && f.sinceKillS >= 60 && f.sinceKillS < 600, say: (f) => `was OOM-killed ${ago(f)}` },
]

/** A kill is one of the workload: the container that was killed may be gone, and the one whose limit binds now another. */
export const isOfKill = (reason: string): boolean => reason.startsWith('was OOM-killed')

/** The sentences that are true of it, most urgent first; predicates, the name is their subject. */
export const reasonsOf = (facts: Judged): string[] => RULES.filter(({ when }) => when(facts)).map(({ say }) => say(facts))

export function severityOf(facts: Judged): Severity {
  let most: Severity = 0
  for (const { severity, when } of RULES) if (severity > most && when(facts)) most = severity
  return most
}

/** A number to sort by: severity first, then how new its kill is, waiting, fullness. */
export function urgencyOf(facts: Judged, severity: Severity): number {
  const fast = facts.secondsToLimit === undefined ? 0 : 100 / (1 + facts.secondsToLimit / 60)
  // The newest kill is what somebody was woken for.
  const fresh = facts.sinceKillS !== undefined && facts.sinceKillS < 60 ? 200 + 2 * (60 - facts.sinceKillS) : 0
  // Rounded, so that rows of equal worth do not change places with every sample.
  const weight = Math.round(fresh + fast + 2 * at(facts.fullPercent) + at(facts.somePercent) + at(facts.stallMsPerS) / 10 + 20 * Math.min(1, share(facts)))
  return severity * 10_000 + weight
}
