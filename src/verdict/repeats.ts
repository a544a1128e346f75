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
  /** Ids of the nearest of them, oldest first. */
  readonly ids: readonly string[]
}

const NEAR_IDS = 5
/** One incident may take two decisions (a second victim while the first is exiting). */
const ONE_INCIDENT_NS = 2e9

type Group = { readonly cases: readonly KillCase[]; readonly gaps: readonly number[] }
type Groups = { readonly count: number; readonly nowNs: number; readonly names: number; readonly byKey: ReadonlyMap<string, Group> }

/** Of the newest look at a model: a report asks for every case of it. */
const newest = new WeakMap<NodeModel, Groups>()

/** A container has a new id after each restart; its pod stays, and so does its name where that is known. */
function workloadKey(model: NodeModel, target: KillCase): string | undefined {
  const path = target.victims[0]?.path ?? target.limit?.path
  if (path === undefined || path === '/' || target.victims.length === 0 || !isOomCase(target)) return undefined
  const { podUid, container, within } = workloadIn(model, path)
  return podUid === undefined || within !== undefined ? path : `${podUid}/${container ?? ''}`
}

function gapsOf(cases: readonly KillCase[]): number[] {
  const gaps: number[] = []
  for (const [i, one] of cases.entries()) {
    const next = cases[i + 1]
    if (next !== undefined && next.tsNs - one.tsNs >= ONE_INCIDENT_NS) gaps.push(next.tsNs - one.tsNs)
  }
  return gaps.sort((a, b) => a - b)
}

function groupsOf(model: NodeModel): Groups['byKey'] {
  const { cases, nowNs } = model, names = model.nameBook.version, before = newest.get(model)
  if (before !== undefined && before.count === cases.length && before.nowNs === nowNs && before.names === names) return before.byKey
  const lists = new Map<string, KillCase[]>()
  for (const target of cases) {
    const key = workloadKey(model, target), list = key === undefined ? undefined : lists.get(key)
    if (list !== undefined) list.push(target)
    else if (key !== undefined) lists.set(key, [target])
  }
  const byKey = new Map([...lists].map(([key, list]) => [key, { cases: list, gaps: gapsOf(list) }]))
  newest.set(model, { count: cases.length, nowNs, names, byKey })
  return byKey
}

/** Nothing when it is the only one. */
export function repeatsOf(model: NodeModel, target: KillCase): Repeats | undefined {
  const key = workloadKey(model, target), group = key === undefined ? undefined : groupsOf(model).get(key)
  if (group === undefined) return undefined
  const { cases, gaps } = group, at = cases.indexOf(target), medianNs = gaps[gaps.length >> 1], previous = cases[at - 1]
  if (medianNs === undefined || at < 0) return undefined
  const [shortest = 0] = gaps, longest = gaps.at(-1) ?? 0
  return {
    nth: at + 1, of: cases.length, ...(previous === undefined ? {} : { previousNs: target.tsNs - previous.tsNs }), medianNs,
    isEven: gaps.length >= 3 && medianNs - shortest <= medianNs / 4 && longest - medianNs <= medianNs / 4, ids: cases.slice(Math.max(0, at - NEAR_IDS), at + NEAR_IDS + 1).map(({ id }) => id),
  }
}
