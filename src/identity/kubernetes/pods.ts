/** A pod as the API and the kubelet's `/pods` write it (core/v1 Pod) → rows: pure. Everything in it is text that any user of the cluster may have chosen. */
import { containerIdOf, nameOf, podUidOf } from '../ids.ts'
import { at, countOf, integerOf, listOf, mapOf, textOf, timeOf } from '../json.ts'
import { labelText, type NameFact } from '../name-source.ts'
import { parseQuantity } from './quantity.ts'

type Role = 'container' | 'init' | 'sidecar' | 'ephemeral'
type OfPod = { readonly podUid: string; readonly namespace: string; readonly pod: string }

/** More than any pod has. */
const MAX_CONTAINERS = 500

/**
 * The uid in the cgroup's path. The API's copy of a static pod (a mirror pod, which belongs to the node) has another uid than the kubelet
 * uses: the hash of its manifest, in an annotation.
 */
function uidInPath(metadata: unknown): string | undefined {
  const annotations = mapOf(at(metadata, 'annotations')), mirror = annotations.get('kubernetes.io/config.mirror')
  const isOfNode = listOf(at(metadata, 'ownerReferences')).some((owner) => at(owner, 'kind') === 'Node' && at(owner, 'controller') === true)
  if (mirror !== undefined && isOfNode && /^[0-9a-f]{32}$/.test(mirror)) return mirror
  return podUidOf(at(metadata, 'uid'))
}

/** `Deployment/web` of a ReplicaSet's pod: the controller puts the hash that ends the set's name into a label, too. */
function ownerOf(metadata: unknown): string | undefined {
  const owner = listOf(at(metadata, 'ownerReferences')).find((candidate) => at(candidate, 'controller') === true)
  const kind = at(owner, 'kind'), name = nameOf(at(owner, 'name'))
  if (name === undefined || typeof kind !== 'string' || !/^[A-Z][A-Za-z]{0,62}$/.test(kind)) return undefined
  const hash = mapOf(at(metadata, 'labels')).get('pod-template-hash')
  return kind === 'ReplicaSet' && hash !== undefined && hash !== '' && name.endsWith(`-${hash}`) ? `Deployment/${name.slice(0, -hash.length - 1)}` : `${kind}/${name}`
}

const memoryOf = (resources: unknown, which: 'requests' | 'limits'): number | undefined => parseQuantity(at(resources, which, 'memory'))

/** `containerd://<64 hex>`, `docker://…`, `cri-o://…`. */
const idOf = (value: unknown): string | undefined => (typeof value === 'string' ? containerIdOf(value.replace(/^[a-z][a-z0-9+.-]{0,30}:\/\//, '')) : undefined)

function terminatedFact(state: unknown): NameFact | undefined {
  const containerId = idOf(at(state, 'containerID'))
  if (containerId === undefined) return undefined
  return { kind: 'container_status', containerId, state: 'exited', exitCode: integerOf(at(state, 'exitCode')), reason: textOf(at(state, 'reason'), 80), startedMs: timeOf(at(state, 'startedAt')), finishedMs: timeOf(at(state, 'finishedAt')) }
}

/** The container that is there now, and the one before it, which is the one that was killed. */
function containerFacts(pod: OfPod, { status, spec, role }: { readonly status: unknown; readonly spec: unknown; readonly role: Role }): NameFact[] {
  const container = nameOf(at(status, 'name')), restarts = countOf(at(status, 'restartCount')), given = at(status, 'resources') ?? at(spec, 'resources')
  if (container === undefined) return []
  const common = { kind: 'workload' as const, ...pod, container, role, image: textOf(at(spec, 'image') ?? at(status, 'image')), memoryRequestBytes: memoryOf(given, 'requests'), memoryLimitBytes: memoryOf(given, 'limits') }
  const facts: NameFact[] = [], now = idOf(at(status, 'containerID')), before = idOf(at(status, 'lastState', 'terminated', 'containerID'))
  if (before !== undefined && before !== now) facts.push({ ...common, containerId: before, restarts: restarts === undefined || restarts === 0 ? undefined : restarts - 1 })
  if (now !== undefined) facts.push({ ...common, containerId: now, restarts })
  for (const state of [at(status, 'lastState', 'terminated'), at(status, 'state', 'terminated')]) {
    const fact = terminatedFact(state)
    if (fact !== undefined) facts.push(fact)
  }
  return facts
}

const KINDS: readonly (readonly [specs: string, statuses: string, role: (spec: unknown) => Role])[] = [
  ['containers', 'containerStatuses', () => 'container'], ['ephemeralContainers', 'ephemeralContainerStatuses', () => 'ephemeral'],
  ['initContainers', 'initContainerStatuses', (spec) => (at(spec, 'restartPolicy') === 'Always' ? 'sidecar' : 'init')],
]

/** Every row that one pod gives rise to; none when it is no pod. */
export function podFacts(value: unknown): NameFact[] {
  const metadata = at(value, 'metadata'), podUid = uidInPath(metadata), namespace = nameOf(at(metadata, 'namespace')), name = nameOf(at(metadata, 'name'))
  if (podUid === undefined || namespace === undefined || name === undefined) return []
  const spec = at(value, 'spec'), qos = textOf(at(value, 'status', 'qosClass'), 20)?.toLowerCase(), pod: OfPod = { podUid, namespace, pod: name }
  const facts: NameFact[] = [{
    kind: 'workload', ...pod, owner: ownerOf(metadata), qos: qos === 'guaranteed' || qos === 'burstable' || qos === 'besteffort' ? qos : undefined, priority: integerOf(at(spec, 'priority')), labels: labelText(mapOf(at(metadata, 'labels'))),
    memoryRequestBytes: memoryOf(at(spec, 'resources'), 'requests'), memoryLimitBytes: memoryOf(at(spec, 'resources'), 'limits'),
  }]
  for (const [specs, statuses, roleOf] of KINDS) {
    const byName = new Map(listOf(at(spec, specs)).slice(0, MAX_CONTAINERS).map((one) => [at(one, 'name'), one]))
    for (const status of listOf(at(value, 'status', statuses)).slice(0, MAX_CONTAINERS)) {
      const own = byName.get(at(status, 'name'))
      facts.push(...containerFacts(pod, { status, spec: own, role: roleOf(own) }))
    }
  }
  return facts
}
