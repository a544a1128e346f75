/** The list of cases: in order of time, and bounded in number and in the candidates they hold. */
import type { KillCase } from './case.ts'

export const MAX_CASES = 10_000
/** A global OOM judges every process of the node: only the newest cases keep all of them. */
const CASES_WITH_ALL_CANDIDATES = 64, CANDIDATES_OF_OLD_CASES = 32

/** A new, empty case at the end. */
export function addCase(cases: KillCase[], tsNs: number): KillCase {
  const added: KillCase = { id: '', tsNs, victims: [], candidates: [], group: false, contributors: [], witnesses: [], evidence: [], disagreements: [], closed: false }
  cases.push(added)
  if (cases.length > MAX_CASES) cases.shift()
  const old = cases[cases.length - 1 - CASES_WITH_ALL_CANDIDATES]
  if (old !== undefined && old.candidates.length > CANDIDATES_OF_OLD_CASES) {
    const kept = old.candidates.filter((candidate, i) => i < CANDIDATES_OF_OLD_CASES || candidate.chosen)
    old.candidatesOmitted = (old.candidatesOmitted ?? 0) + old.candidates.length - kept.length
    old.candidates = kept
  }
  return added
}

export function dropCase(cases: KillCase[], dropped: KillCase): void {
  const at = cases.lastIndexOf(dropped)
  if (at >= 0) cases.splice(at, 1)
}

/** Moves a case whose time became known to its place. */
export function placeCase(cases: KillCase[], moved: KillCase): void {
  let at = cases.lastIndexOf(moved)
  for (let before = cases[at - 1]; at > 0 && before !== undefined && before.tsNs > moved.tsNs; before = cases[at - 1]) {
    cases[at] = before
    cases[--at] = moved
  }
  for (let after = cases[at + 1]; at >= 0 && after !== undefined && after.tsNs < moved.tsNs; after = cases[at + 1]) {
    cases[at] = after
    cases[++at] = moved
  }
}
