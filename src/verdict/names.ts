/** Names in sentences: safe to print, and as a person calls the thing. */
import { sanitize } from '../base/text.ts'
import { placeName } from '../identity/workload.ts'
import type { Workload } from '../model/case.ts'

const MAX_NAME = 120

/** A name in a sentence: visible escapes, and not longer than a reader bears. */
export function safeName(text: string): string {
  const safe = sanitize(text)
  return safe.length <= MAX_NAME ? safe : `${safe.slice(0, MAX_NAME / 2 - 1)}…${safe.slice(-MAX_NAME / 2)}`
}

const shortId = (id: string): string => safeName(id).slice(0, 12)

const podName = (workload: Workload): string | undefined =>
  workload.pod !== undefined ? safeName(workload.namespace === undefined ? workload.pod : `${workload.namespace}/${workload.pod}`) : workload.podUid

/** Where somebody else than this node's kubelet made it: ids in there are what the path claims. */
const inside = ({ within }: Workload): string => (within === undefined ? '' : ` in ${/^[0-9a-f]{64}$/.test(within) ? 'container ' : ''}${safeName(placeName(within))}`)

/** `container etl of pod batch/etl-0`, `pod batch/etl-0`, `QoS class burstable`, `/system.slice/x.service`. */
export function workloadText(workload: Workload, path: string): string {
  const pod = podName(workload)
  switch (workload.level) {
    case 'container': {
      const container = workload.container !== undefined ? safeName(workload.container) : workload.role === 'sandbox' ? 'pause' : workload.containerId === undefined ? undefined : shortId(workload.containerId)
      return container === undefined ? `cgroup ${safeName(path)}` : `container ${container}${pod === undefined ? '' : ` of pod ${pod}`}${inside(workload)}`
    }
    case 'pod': return `pod ${pod ?? safeName(path)}${inside(workload)}`
    case 'qos': return `the ${workload.qos ?? ''} pods (${safeName(path)})`
    case 'kubepods': return workload.within === undefined ? 'all pods of the node (kubepods)' : `all pods of the node${inside(workload)} (kubepods)`
    case 'service': return `service ${safeName(workload.unit ?? path)}`
    case 'slice': return `slice ${safeName(workload.unit ?? path)}`
    case 'root': return 'the node'
    case 'cgroup': return `cgroup ${safeName(path)}`
  }
}
