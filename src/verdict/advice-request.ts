/** Advice about requests: they decide oom_score_adj, and whom the kubelet evicts first. */
import { formatBytes } from '../base/bytes.ts'
import { workloadOf } from '../identity/workload.ts'
import type { NodeModel } from '../model/node.ts'
import type { Asked } from './asked.ts'
import { safeName } from './names.ts'

const MIB = 2 ** 20

/** What a container was promised, where a source told. */
function requestOf(model: NodeModel, path: string | undefined): number | undefined {
  const { containerId, within } = workloadOf(path ?? '')
  return containerId === undefined || within !== undefined ? undefined : model.names.get(`container:${containerId}`)?.memoryRequestBytes
}

const requestText = (bytes: number | undefined): string => (bytes === undefined ? 'a small request' : bytes === 0 ? 'no memory request' : `a request of ${formatBytes(bytes)}`)

/** Chosen for its oom_score_adj, not for its size. */
function smallRequest({ model, target, finding }: Asked): string[] {
  // Inside one container all have the same, unless the application itself changed it.
  if (!['pod-limit', 'slice-limit', 'node'].includes(finding.cause)) return []
  const chosen = target.candidates.find((candidate) => candidate.chosen), size = chosen?.rssBytes
  if (chosen?.oomScoreAdj === undefined || size === undefined || chosen.oomScoreAdj < 100) return []
  const larger = target.candidates.filter((other) => other.eligible && !other.chosen && (other.rssBytes ?? 0) > size + 8 * MIB && (other.oomScoreAdj ?? 0) < (chosen.oomScoreAdj ?? 0)), [first] = larger.sort((a, b) => (b.rssBytes ?? 0) - (a.rssBytes ?? 0))
  if (first?.rssBytes === undefined) return []
  return [`raise the memory request of ${safeName(chosen.comm ?? `pid ${chosen.pid}`)}, because it was chosen for its oom_score_adj of ${chosen.oomScoreAdj} (${requestText(requestOf(model, chosen.path))}) and not for its size: ${safeName(first.comm ?? `pid ${first.pid}`)} used ${formatBytes(first.rssBytes)}, it ${formatBytes(size)}`]
}

/** The kubelet evicts first who uses more than was requested (eviction manager, rankMemoryPressure). */
function evicted({ model, target, finding }: Asked): string[] {
  const { path, usedBytes } = target.waits ?? {}
  if (finding.cause !== 'eviction' || usedBytes === undefined) return []
  const request = requestOf(model, path)
  if (request === undefined || usedBytes <= request) return []
  return [`raise its memory request to what it uses, because the kubelet evicts first who is above the request: it used ${formatBytes(usedBytes)} and had ${requestText(request)}`]
}

export const requestAdvice = (asked: Asked): string[] => [...smallRequest(asked), ...evicted(asked)]
