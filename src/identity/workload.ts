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
  const { kind, runtime, qos, podUid, containerId, unit } = identityOf(path)
  return {
    level: LEVELS[kind], ...(runtime === undefined ? {} : { runtime }), ...(qos === undefined ? {} : { qos }), ...(podUid === undefined ? {} : { podUid }),
    ...(containerId === undefined ? {} : { containerId }), ...(unit === undefined ? {} : { unit }),
  }
}

/** Adds what was learned about the container, or at least about its pod. */
export function applyNames(workload: Workload, names: ReadonlyMap<string, WorkloadName>): Workload {
  const container = workload.containerId === undefined ? undefined : names.get(`container:${workload.containerId}`)
  const pod = workload.podUid === undefined ? undefined : names.get(`pod:${workload.podUid}`)
  const namespace = container?.namespace ?? pod?.namespace, podName = container?.pod ?? pod?.pod
  return {
    ...workload, ...(namespace === undefined ? {} : { namespace }), ...(podName === undefined ? {} : { pod: podName }),
    ...(container?.container === undefined ? {} : { container: container.container }),
  }
}

/** The workload of a path with every name the model knows. */
export const workloadIn = (model: Pick<NodeModel, 'names'>, path: string): Workload => applyNames(workloadOf(path), model.names)
