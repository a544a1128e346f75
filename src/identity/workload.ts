/** Path plus learned names → the workload a person knows. */
import type { Level, Workload } from '../model/case.ts'
import type { NodeModel, WorkloadName } from '../model/node.ts'
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

/**
 * Adds what was learned about the container, or at least about its pod. Nothing where somebody else could have made the path: a name is of
 * this node's own pods. And a container's name comes with its pod's uid, which must be the path's.
 */
export function applyNames(workload: Workload, names: ReadonlyMap<string, WorkloadName>): Workload {
  if (workload.within !== undefined) return workload
  const pod = workload.podUid === undefined ? undefined : names.get(`pod:${workload.podUid}`), ofId = workload.containerId === undefined ? undefined : names.get(`container:${workload.containerId}`)
  const container = ofId?.podUid !== undefined && ofId.podUid !== workload.podUid ? undefined : ofId
  if (pod === undefined && container === undefined) return workload
  const namespace = container?.namespace ?? pod?.namespace, podName = container?.pod ?? pod?.pod
  // Assigned, not spread: this runs for every cgroup in every scene.
  const named: { -readonly [K in keyof Workload]: Workload[K] } = Object.assign({}, workload)
  if (namespace !== undefined) named.namespace = namespace
  if (podName !== undefined) named.pod = podName
  if (container?.container !== undefined) named.container = container.container
  return named
}

/** The workload of a path with every name the model knows. */
export const workloadIn = (model: Pick<NodeModel, 'names'>, path: string): Workload => applyNames(workloadOf(path), model.names)

/** `1b3319ed9c1d` for a container's id, else as it is. */
export const placeName = (within: string): string => (/^[0-9a-f]{64}$/.test(within) ? within.slice(0, 12) : within)
