/** The same workload killed again and again: how often, and in what rhythm. A leak comes back evenly, a load test does not. */
import { workloadIn } from '../identity/workload.ts'
import { isOomCase, type KillCase } from '../model/case.ts'
import type { NodeModel } from '../model/node.ts'

export type Repeats = {
  /** This one is the n-th. */
  readonly nth: number
  readonly of: number
  readonly previousNs?: number
  /** Middle one of the distances between two of them. */
  readonly medianNs: number
  /** Every distance is within a quarter of the middle one. */
  readonly isEven: boolean
  /** Ids of all of them, oldest first, at most 100. */
  readonly ids: readonly string[]
}

const MAX_IDS = 100
/** One incident may take two decisions (a second victim while the first is exiting). */
const ONE_INCIDENT_NS = 2e9

/** Keys of cases asked for before: a list of thousands asks for each of them thousands of times. */
const known = new WeakMap<KillCase, { readonly path: string; readonly names: number; readonly key: string }>()

/** A container has a new id after each restart; its pod stays, and so does its name where that is known. */
function workloadKey(model: NodeModel, target: KillCase): string | undefined {
  const path = target.victims[0]?.path ?? target.limit?.path
  if (path === undefined || path === '/' || target.victims.length === 0) return undefined
  const before = known.get(target), names = model.names.size
  if (before !== undefined && before.path === path && before.names === names) return before.key
  const { podUid, container } = workloadIn(model, path), key = podUid === undefined ? path : `${podUid}/${container ?? ''}`
  known.set(target, { path, names, key })
  return key
}

/** Nothing when it is the only one. */
export function repeatsOf(model: NodeModel, target: KillCase): Repeats | undefined {
  const key = isOomCase(target) ? workloadKey(model, target) : undefined
  if (key === undefined) return undefined
  const same = model.cases.filter((other) => isOomCase(other) && workloadKey(model, other) === key), at = same.indexOf(target)
  const gaps = same.flatMap((one, i) => { const next = same[i + 1]; return next === undefined || next.tsNs - one.tsNs < ONE_INCIDENT_NS ? [] : [next.tsNs - one.tsNs] }).sort((a, b) => a - b)
  const medianNs = gaps[gaps.length >> 1], previous = same[at - 1]
  if (medianNs === undefined || at < 0) return undefined
  return {
    nth: at + 1, of: same.length, ...(previous === undefined ? {} : { previousNs: target.tsNs - previous.tsNs }), medianNs,
    isEven: gaps.length >= 3 && gaps.every((gap) => Math.abs(gap - medianNs) <= medianNs / 4), ids: same.slice(-MAX_IDS).map(({ id }) => id),
  }
}
