/** Folds cgroups into the rows a person thinks in: pods; elsewhere services, scopes and whatever has a limit or no children. */
import type { Workload } from '../model/case.ts'
import type { Memcg } from '../model/node.ts'
import { cellText } from './cell-text.ts'
import { containerLabel, podLabel } from './lens.ts'
import { chainOf } from './limits.ts'
import type { Link } from './limits.ts'
import { perPopulation } from './population.ts'
import type { Population } from './population.ts'

export type Folded = {
  /** Stays the same while the workload lives: pod uid, or the cgroup's kernel id. */
  readonly key: string
  readonly name: string
  readonly kind: 'pod' | 'unit' | 'cgroup'
  /** The cgroup that stands for the row: the pod's own, else the outermost known one. */
  readonly self: Memcg
  /** Its container cgroups (living), for pods; not those that a container made below itself: what is theirs is the container's. */
  readonly containers: readonly Memcg[]
  /** Every cgroup below and including `self`, the dead remembered ones too: sums of kills and stalls run over these. */
  readonly members: readonly Memcg[]
  readonly memberIds: readonly number[]
  /** Whose limits stand over it. */
  readonly chain: readonly Link[]
  /** It has children with rows of their own: without a limit its row would only repeat the sum of what theirs say. */
  readonly isInner: boolean
}

type Place = Pick<Folded, 'key' | 'name' | 'kind' | 'self' | 'containers' | 'members'> & { /** Its containers and the cgroups they made: any of them may have a limit. */ readonly within: readonly Memcg[] }

type Pod = { /** Its uid; of a nested node's pod also whose node it is. */ readonly uid: string; workload: Workload; self: Memcg | undefined; readonly containers: Memcg[]; readonly members: Memcg[] }

const isAlive = (memcg: Memcg): boolean => memcg.diedNs === undefined

/** Shortest path first: the outermost cgroup stands for the others. */
const outermost = (memcgs: readonly Memcg[]): Memcg | undefined =>
  memcgs.reduce<Memcg | undefined>((best, memcg) => (best === undefined || memcg.path.length < best.path.length ? memcg : best), undefined)

/** Those that are below none of the others. */
function outerOf(memcgs: readonly Memcg[]): Memcg[] {
  const ids = new Set(memcgs.map(({ id }) => id))
  return memcgs.filter(({ parentId }) => !ids.has(parentId))
}

function foldPod(pod: Pod): Place | undefined {
  const self = pod.self ?? outermost(pod.members.filter(isAlive))
  if (self === undefined) return undefined
  return { key: `pod:${pod.uid}`, name: podLabel(pod.workload) ?? `pod ${cellText(pod.uid)}`, kind: 'pod', self, containers: outerOf(pod.containers), within: pod.containers, members: pod.members }
}

/** Adds one cgroup of a pod to what is known about the pod. */
function addToPod(pods: Map<string, Pod>, podUid: string, { memcg, workload }: { readonly memcg: Memcg; readonly workload: Workload }): void {
  // A container that calls a cgroup of its own like a real pod must not add to that pod's row.
  const uid = workload.within === undefined ? podUid : `${podUid} ${workload.within}`
  let pod = pods.get(uid)
  if (pod === undefined) {
    pod = { uid, workload, self: undefined, containers: [], members: [] }
    pods.set(uid, pod)
  }
  pod.members.push(memcg)
  if (pod.workload.pod === undefined && workload.pod !== undefined) pod.workload = workload
  if (!isAlive(memcg)) return
  if (workload.level === 'pod') pod.self = memcg
  else if (workload.level === 'container') pod.containers.push(memcg)
}

/** Rows of everything that is no pod; nothing else is shown below a service or scope. */
function foldPlain({ workloadOf }: Population, plain: readonly Memcg[]): Place[] {
  const rows: Place[] = []
  const byPath = [...plain].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
  let unit: { readonly self: Memcg; readonly members: Memcg[] } | undefined
  for (const memcg of byPath) {
    if (unit !== undefined && memcg.path.startsWith(`${unit.self.path}/`)) { unit.members.push(memcg); continue }
    if (!isAlive(memcg)) continue
    const workload = workloadOf(memcg), { level } = workload, members = [memcg], isUnit = level === 'service' || level === 'container'
    if (level === 'root' || level === 'kubepods' || level === 'qos' || memcg.path === '/') continue
    rows.push({ key: `memcg:${memcg.id}`, name: containerLabel(workload, memcg.path) ?? cellText(memcg.path.replace(/^\/+/, '')), kind: isUnit ? 'unit' : 'cgroup', self: memcg, containers: [], within: [], members })
    if (isUnit) unit = { self: memcg, members }
  }
  return rows
}

/** One row per pod, service, leaf or inner cgroup; in no particular order. */
export const fold = perPopulation((population): Folded[] => {
  const { model, workloadOf } = population, pods = new Map<string, Pod>(), plain: Memcg[] = [], parents = new Set<number>()
  for (const memcg of model.memcgs.values()) {
    if (model.covers?.(memcg.path) === false) continue
    const workload = workloadOf(memcg)
    if (workload.podUid !== undefined) addToPod(pods, workload.podUid, { memcg, workload })
    else plain.push(memcg)
    if (isAlive(memcg)) parents.add(memcg.parentId)
  }
  const places = [...pods.values()].map(foldPod).filter((place) => place !== undefined).concat(foldPlain(population, plain))
  return places.map(({ within, ...place }) => ({ ...place, memberIds: place.members.map(({ id }) => id), chain: chainOf(population, place.self, within), isInner: place.kind === 'cgroup' && parents.has(place.self.id) }))
})

/** A limit comes and goes while everybody stays where they are. */
export const isShown = ({ isInner, self }: Folded): boolean => !isInner || self.limits?.maxBytes !== undefined
