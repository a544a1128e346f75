/** Path plus learned names → the workload a person knows. */
import { keyOf } from '../event/name-keep.ts'
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
  const { kind, runtime, qos, podUid, containerId, unit, unitPath, within } = identityOf(path)
  const workload: Workload = {
    level: LEVELS[kind], ...(runtime === undefined ? {} : { runtime }), ...(qos === undefined ? {} : { qos }), ...(podUid === undefined ? {} : { podUid }),
    ...(containerId === undefined ? {} : { containerId }), ...(unit === undefined ? {} : { unit }), ...(within === undefined ? {} : { within }),
  }
  // A unit is told by its place: whoever may make cgroups can give them any unit's name.
  if (unitPath !== undefined) known.set(workload, { podKey: '', containerKey: '', unitKey: keyOf({ cgroupPath: unitPath }) })
  return workload
}

/** `self`: of the container or the unit. */
type Learned = { readonly pod: WorkloadName | undefined; readonly self: WorkloadName | undefined }
const NOTHING: Learned = { pod: undefined, self: undefined }

/** A workload's keys in the names, and the last answer with what it was made of: asked for every cgroup in every scene, answered anew only when a name changed. */
type Known = { readonly podKey: string; readonly containerKey: string; readonly unitKey?: string; learned?: Learned; answer?: Workload }
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
  const keys = knownOf(workload)
  if (keys.unitKey !== undefined) return { pod: undefined, self: names.get(keys.unitKey) }
  const container = containerId === undefined ? undefined : names.get(keys.containerKey)
  return { pod: podUid === undefined ? undefined : names.get(keys.podKey), self: container?.podUid !== undefined && container.podUid !== podUid ? undefined : container }
}

/** Adds what was learned about the container or the unit, or at least about its pod. */
export function applyNames(workload: Workload, names: ReadonlyMap<string, WorkloadName>): Workload {
  const { pod, self } = learnedOf(workload, names), last = knownOf(workload)
  if (pod === undefined && self === undefined) return workload
  if (last.answer !== undefined && last.learned?.pod === pod && last.learned?.self === self) return last.answer
  const named: { -readonly [K in keyof Workload]: Workload[K] } = Object.assign({}, workload)
  for (const field of OF_POD) assign(named, field, self?.[field] ?? pod?.[field])
  const own = self ?? (workload.containerId === undefined ? pod : undefined)
  if (own !== undefined) for (const field of OF_ITSELF) assign(named, field, own[field])
  last.learned = { pod, self }
  last.answer = named
  return named
}

/** A pod's words hold for its containers; the others only for what they are said of. */
const OF_POD = ['namespace', 'pod', 'owner', 'priority'] as const, OF_ITSELF = ['container', 'role', 'image', 'restarts', 'memoryRequestBytes', 'memoryLimitBytes', 'description'] as const

function assign<T, K extends keyof T>(target: T, key: K, value: T[K] | undefined): void {
  if (value !== undefined) target[key] = value
}

/** The workload of a path with every name the model knows. */
export const workloadIn = (model: Pick<NodeModel, 'names'>, path: string): Workload => applyNames(workloadOf(path), model.names)

/** Under which id its runtime, or systemd, says how it stands. */
export function statusIdOf(path: string): string | undefined {
  const { containerId, unitPath, within } = identityOf(path)
  return within === undefined ? unitPath ?? containerId : undefined
}

/** Where two sources give a path's workload different names. */
export function disputesOf(model: Pick<NodeModel, 'names'>, path: string): readonly NameDispute[] {
  const { pod, self } = learnedOf(workloadOf(path), model.names)
  return [...(pod?.disputes ?? []), ...(self?.disputes ?? [])]
}

/** `1b3319ed9c1d` for a container's id, else as it is. */
export const placeName = (within: string): string => (/^[0-9a-f]{64}$/.test(within) ? within.slice(0, 12) : within)
