/** Path plus learned names → the workload a person knows. */
import type { Level, Workload } from '../model/case.ts'
import type { NameDispute, WorkloadName } from '../model/names.ts'
import type { NodeModel } from '../model/node.ts'
import { identityOf, type PathKind } from './path.ts'

const LEVELS: Readonly<Record<PathKind, Level>> = {
  root: 'root', kubepods: 'kubepods', qos: 'qos', pod: 'pod', container: 'container', subgroup: 'container', lxc: 'container', conmon: 'cgroup',
  slice: 'slice', service: 'service', session: 'service', 'user-service': 'service', infra: 'service', mount: 'cgroup', cgroup: 'cgroup',
}

/** What the path alone says. */
export function workloadOf(path: string): Workload {
  const { kind, runtime, qos, podUid, containerId, unit, within } = identityOf(path)
  return {
    level: LEVELS[kind], ...(runtime === undefined ? {} : { runtime }), ...(qos === undefined ? {} : { qos }), ...(podUid === undefined ? {} : { podUid }),
    ...(containerId === undefined ? {} : { containerId }), ...(unit === undefined ? {} : { unit }), ...(within === undefined ? {} : { within }),
  }
}

type Learned = { readonly pod: WorkloadName | undefined; readonly container: WorkloadName | undefined }
const NOTHING: Learned = { pod: undefined, container: undefined }

/** A workload's keys in the names, and the last answer with what it was made of: asked for every cgroup in every scene, answered anew only when a name changed. */
type Known = { readonly podKey: string; readonly containerKey: string; learned?: Learned; answer?: Workload }
const known = new WeakMap<Workload, Known>()

function knownOf(workload: Workload): Known {
  const found = known.get(workload)
  if (found !== undefined) return found
  const made: Known = { podKey: `pod:${workload.podUid}`, containerKey: `container:${workload.containerId}` }
  known.set(workload, made)
  return made
}

/**
 * Nothing where somebody else could have made the path: a name is of this node's own pods. And a container's name comes with its pod's uid,
 * which must be the path's.
 */
function learnedOf(workload: Workload, names: ReadonlyMap<string, WorkloadName>): Learned {
  const { within, podUid, containerId } = workload
  if (within !== undefined) return NOTHING
  const keys = knownOf(workload), container = containerId === undefined ? undefined : names.get(keys.containerKey)
  return { pod: podUid === undefined ? undefined : names.get(keys.podKey), container: container?.podUid !== undefined && container.podUid !== podUid ? undefined : container }
}

/** Adds what was learned about the container, or at least about its pod. */
export function applyNames(workload: Workload, names: ReadonlyMap<string, WorkloadName>): Workload {
  const { pod, container } = learnedOf(workload, names), last = knownOf(workload)
  if (pod === undefined && container === undefined) return workload
  if (last.answer !== undefined && last.learned?.pod === pod && last.learned?.container === container) return last.answer
  const named: { -readonly [K in keyof Workload]: Workload[K] } = Object.assign({}, workload)
  for (const field of OF_POD) assign(named, field, container?.[field] ?? pod?.[field])
  const own = container ?? (workload.containerId === undefined ? pod : undefined)
  if (own !== undefined) for (const field of OF_ITSELF) assign(named, field, own[field])
  last.learned = { pod, container }
  last.answer = named
  return named
}

/** A pod's words hold for its containers; the others only for what they are said of. */
const OF_POD = ['namespace', 'pod', 'owner', 'priority'] as const, OF_ITSELF = ['container', 'role', 'image', 'restarts', 'memoryRequestBytes', 'memoryLimitBytes'] as const

function assign<T, K extends keyof T>(target: T, key: K, value: T[K] | undefined): void {
  if (value !== undefined) target[key] = value
}

/** The workload of a path with every name the model knows. */
export const workloadIn = (model: Pick<NodeModel, 'names'>, path: string): Workload => applyNames(workloadOf(path), model.names)

/** Where two sources give a path's workload different names. */
export function disputesOf(model: Pick<NodeModel, 'names'>, path: string): readonly NameDispute[] {
  const { pod, container } = learnedOf(workloadOf(path), model.names)
  return [...(pod?.disputes ?? []), ...(container?.disputes ?? [])]
}

/** `1b3319ed9c1d` for a container's id, else as it is. */
export const placeName = (within: string): string => (/^[0-9a-f]{64}$/.test(within) ? within.slice(0, 12) : within)
