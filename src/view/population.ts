/** Who the cgroups of a node are: found when one of them has come, gone or got another name, not in every scene. */
import type { Workload } from '../model/case.ts'
import type { Memcg, NodeModel } from '../model/node.ts'
import { levelLabel, named } from './lens.ts'
import type { Lens } from './lens.ts'

export type Population = {
  readonly model: NodeModel
  readonly workloadOf: (memcg: Memcg) => Workload
  /** As a level of limits in a sentence. */
  readonly labelOf: (memcg: Memcg) => string
}

function populationOf(lens: Lens, model: NodeModel): Population {
  const workloadOf = (memcg: Memcg): Workload => named(model, lens.workloadOf(memcg.path))
  return { model, workloadOf, labelOf: (memcg) => levelLabel(workloadOf(memcg), memcg.path) }
}

type Found<T> = { readonly lens: Lens; readonly population: number; readonly names: number; readonly found: T }

/** `find`, which may look at nothing but who lives where, who died, and the names: asked again when that has changed. */
export function perPopulation<T>(find: (population: Population) => T): (of: { readonly lens: Lens; readonly model: NodeModel }) => T {
  const known = new WeakMap<NodeModel, Found<T>>()
  return ({ lens, model }) => {
    const { population, nameBook: { version: names } } = model, before = known.get(model)
    if (before?.lens === lens && before.population === population && before.names === names) return before.found
    const found = find(populationOf(lens, model))
    known.set(model, { lens, population, names, found })
    return found
  }
}
