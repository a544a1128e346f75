/** "But I was below my limit": the difference between what a dashboard shows and what the kernel counted, as far as both are known. */
import { formatBytes } from '../base/bytes.ts'
import { formatDuration } from '../base/time.ts'
import { workloadIn } from '../identity/workload.ts'
import type { KillCase } from '../model/case.ts'
import type { NodeModel } from '../model/node.ts'
import type { Finding } from './finding.ts'
import { workloadText } from './names.ts'
import { runtimeDifferences } from './runtime-word.ts'

/** A difference below this part of the limit surprises nobody. */
const NOTABLE = 0.1
/** With sysrq nothing ran out. */
const KERNELS: ReadonlySet<string> = new Set(['container-limit', 'pod-limit', 'slice-limit', 'node', 'numa'])

/** Its own limit, when it was somebody else's that was hit. */
function ownLimit(model: NodeModel, target: KillCase, finding: Finding): string[] {
  const victim = target.victims[0], own = target.victimUsage
  if (victim?.path === undefined || own === undefined || finding.equalLimitPath !== undefined || own.path === target.limit?.path) return []
  const who = workloadText(workloadIn(model, own.path), own.path), limit = own.limitBytes === undefined ? 'no limit of its own' : `its own limit of ${formatBytes(own.limitBytes)}`
  if (own.limitBytes === undefined && own.limitsRead !== true) return []
  if (own.limitBytes !== undefined && own.currentBytes >= own.limitBytes * (1 - NOTABLE)) return []
  const whose = finding.cause === 'node' ? 'the node\'s memory' : finding.cause === 'numa' ? 'the memory of the NUMA nodes it may use' : target.limit?.path === undefined ? 'another limit' : `the limit of ${workloadText(workloadIn(model, target.limit.path), target.limit.path)}`
  return [`${who} used ${formatBytes(own.currentBytes)} and has ${limit}: it was ${whose} that ran out`]
}

/** kubectl top shows the working set: usage without inactive file cache (cadvisor). */
function workingSet(target: KillCase): string[] {
  const used = target.limit?.usageBytes, inactive = target.composition?.['inactiveFileBytes'], limit = target.limit?.limitBytes
  if (target.constraint !== 3 || used === undefined || inactive === undefined || limit === undefined || inactive < limit * NOTABLE) return []
  return [`kubectl top would say ${formatBytes(Math.max(0, used - inactive))} (the working set); the kernel counts ${formatBytes(used)}, with ${formatBytes(inactive)} of inactive file cache`]
}

/** The process itself is smaller than the limit: what is the rest? */
function restOfLimit(target: KillCase): string[] {
  const victim = target.victims[0], used = target.limit?.usageBytes, { composition } = target
  if (target.constraint !== 3 || used === undefined || victim?.anonBytes === undefined || composition === undefined) return []
  const anon = victim.anonBytes + (victim.shmemBytes ?? 0)
  if (used - anon < used * NOTABLE) return []
  const parts: readonly (readonly [string, number])[] = [
    ['anonymous memory of other processes', (composition['anonBytes'] ?? 0) - victim.anonBytes], ['file cache', (composition['fileBytes'] ?? 0) - (composition['shmemBytes'] ?? 0)],
    ['shared memory', (composition['shmemBytes'] ?? 0) - (victim.shmemBytes ?? 0)], ['kernel memory', composition['kernelBytes'] ?? composition['slabBytes'] ?? 0],
  ]
  const told = parts.filter(([, bytes]) => bytes > used * 0.03).sort((a, b) => b[1] - a[1]).map(([title, bytes]) => `${formatBytes(bytes)} ${title}`)
  return told.length === 0 ? [] : [`the process itself had ${formatBytes(anon)} of the ${formatBytes(used)}; the rest: ${told.join(', ')}`]
}

/** A dashboard that looks every 15 s saw an older value: computed where it is one of a pod, which kubectl top shows. */
function olderSample(model: NodeModel, target: KillCase): string[] {
  const limit = target.limit?.limitBytes, { tenSecondsBeforeBytes: before, topBytes, topNs } = target.growth ?? {}, notable = (limit ?? 0) * (1 - NOTABLE)
  if (limit === undefined) return []
  if (topBytes !== undefined && topNs !== undefined && topBytes <= notable && target.limit?.path !== undefined && workloadIn(model, target.limit.path).podUid !== undefined) {
    const share = topBytes < limit / 100 ? 'less than 1 %' : `${Math.round((100 * topBytes) / limit)} %`
    return [`${formatDuration(target.tsNs - topNs)} before kubectl top would have said ${formatBytes(topBytes)}, ${share} of the limit: computed for a look every 15 s`]
  }
  return before === undefined || before > notable ? [] : [`10 s before it used ${formatBytes(before)}: a dashboard that samples every 15 s may have shown no more`]
}

/** Nothing when the numbers do not differ, or are not known. */
export function differencesOf(model: NodeModel, target: KillCase, finding: Finding): string[] {
  const runtime = runtimeDifferences(model, target)
  if (!KERNELS.has(finding.cause)) return runtime
  return [...runtime, ...ownLimit(model, target, finding), ...workingSet(target), ...restOfLimit(target), ...olderSample(model, target)]
}
