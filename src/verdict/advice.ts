/** What a senior engineer would try next. Each piece names its reason; none is given for a cause that it does not touch. */
import { formatBytes } from '../base/bytes.ts'
import { workloadIn } from '../identity/workload.ts'
import type { KillCase } from '../model/case.ts'
import type { NodeModel } from '../model/node.ts'
import { groupAdvice } from './advice-group.ts'
import { requestAdvice } from './advice-request.ts'
import { runtimeAdvice } from './advice-runtime.ts'
import { waitsAdvice } from './advice-waits.ts'
import type { Asked } from './asked.ts'
import type { Finding } from './finding.ts'
import { workloadText } from './names.ts'
import type { Reason, ReasonName } from './reason.ts'

const MEMCG_CAUSES: ReadonlySet<string> = new Set(['container-limit', 'pod-limit', 'slice-limit'])

/** The exact need is not known: it died on the way there. */
function raiseLimit({ target, finding, reasons }: Asked): string[] {
  const limit = target.limit?.limitBytes
  if (!MEMCG_CAUSES.has(finding.cause) || limit === undefined || finding.cause !== 'container-limit' || reasons.has('dirty-pages') || reasons.has('tmpfs') || reasons.has('kernel-memory')) return []
  if (!(reasons.has('anonymous') || reasons.has('anonymous-no-swap'))) return []
  return [`find out whether it leaks or needs more than ${formatBytes(limit)}: measure its peak under a higher limit and set the limit a fifth above, because reclaim had nothing to give back`]
}

function neighbours({ model, target, finding, reasons }: Asked): string[] {
  const [largest] = target.contributors
  if (largest === undefined) return []
  const who = workloadText(workloadIn(model, largest.path), largest.path)
  if (reasons.has('other-container')) {
    const child = target.holderChildren?.find(({ path }) => path === largest.path)
    return child !== undefined && child.limitBytes === undefined ? [`give ${who} a memory limit of its own, because it has none and used ${formatBytes(largest.bytes)} of the pod's`] : [`look at ${who} first, because it used most of the pod's memory and another container died for it`]
  }
  return finding.cause === 'slice-limit' && reasons.has('other-pod') ? [`look at ${who} first, because it used ${formatBytes(largest.bytes)} of the limit and another one died for it`] : []
}

const BY_REASON: readonly (readonly [ReasonName, string])[] = [
  ['dirty-pages', 'let the writer flush as it goes (sync every few MiB, or direct I/O), or set memory.high below the limit so that it is throttled, because unwritten file cache filled the limit'],
  ['tmpfs', 'count tmpfs and emptyDir in memory into the limit and give them a sizeLimit, or put them on disk, because they filled the limit'],
  ['kernel-memory', 'look for what makes the kernel allocate for it (open files, inodes, cgroups, network), because no process holds this memory'],
  ['sockets', 'bound connections or socket buffers, because data that nobody reads filled the limit'],
  ['page-tables', 'bound the number of processes (pids.max) or the size of mappings, because page tables and stacks are charged, too'],
  ['fragmentation', 'look at the driver or setting that wants contiguous pages, because memory was free, but not in one piece'],
  ['numa-node-empty', 'widen its cpuset or memory policy, or spread its memory, because only some of the NUMA nodes were full'],
]

function ofNode({ finding, target }: Asked): string[] {
  if (finding.cause !== 'node' || target.order === undefined || target.order > 0) return []
  return ['compare the requests of the node\'s pods with what they use, and reserve memory for the system, because no limit stopped anybody before the node was full']
}

function ofSignal({ target, finding }: Asked): string[] {
  const { sentSignal } = target
  if (sentSignal === undefined || finding.cause === 'oom-daemon') return []
  return sentSignal.termIgnored === true ? ['handle SIGTERM in its first process (or run it under an init), because it ignored SIGTERM and was killed after the grace period'] : []
}

/** At most a handful; the most specific first. */
export function adviceOf(model: NodeModel, target: KillCase, told: { readonly finding: Finding; readonly reasons: readonly Reason[] }): string[] {
  const asked: Asked = { model, target, finding: told.finding, reasons: new Set(told.reasons.map(({ name }) => name)) }
  if (told.finding.confidence === 'possible') return []
  return [...neighbours(asked), ...requestAdvice(asked), ...BY_REASON.flatMap(([name, text]) => (asked.reasons.has(name) ? [text] : [])), ...runtimeAdvice(asked), ...waitsAdvice(asked), ...groupAdvice(asked), ...raiseLimit(asked), ...ofNode(asked), ...ofSignal(asked)]
}
