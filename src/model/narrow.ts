/** A model seen through a choice of cgroups: its workloads and kills, with the limits above them. Everything else is the node's, as it is. */
import { remembered } from '../base/remembered.ts'
import type { KillCase } from './case.ts'
import type { NodeModel } from './node.ts'

/** `text` is what the person wrote. */
export type Chosen = { readonly text: string; readonly covers: (path: string) => boolean }
type Covers = Chosen['covers']

const pathOf = (model: NodeModel, of: { readonly path?: string; readonly memcgId?: number }): string | undefined => of.path ?? (of.memcgId === undefined ? undefined : model.memcgs.get(of.memcgId)?.path)

/** One that killed inside counts wherever its limit was; one that killed nobody, or nobody knows whom, counts where its limit is. */
function isCovered(model: NodeModel, target: KillCase, covers: Covers): boolean {
  const { victims, countedPath, picked, limit } = target, places = victims.map((victim) => pathOf(model, victim))
  if (places.some((path) => path !== undefined && covers(path))) return true
  if (places.length > 0 && places.every((path) => path !== undefined)) return false
  const path = countedPath ?? picked?.path ?? (limit === undefined ? undefined : pathOf(model, limit))
  return path !== undefined && covers(path)
}

/** The same object for the same model: others remember by it. Not for writing. */
export function narrower(chosen: Chosen | undefined): (model: NodeModel) => NodeModel {
  if (chosen === undefined) return (model) => model
  const seen = new WeakMap<NodeModel, NodeModel>(), isInside = remembered(chosen.covers)
  return (model) => {
    const before = seen.get(model)
    if (before !== undefined) return before
    const narrowed = Object.create(model, {
      covers: { value: isInside, enumerable: true }, coversText: { value: chosen.text, enumerable: true },
      cases: { get: () => model.cases.filter((target) => isCovered(model, target, isInside)), enumerable: true },
    }) as NodeModel
    seen.set(model, narrowed)
    return narrowed
  }
}
