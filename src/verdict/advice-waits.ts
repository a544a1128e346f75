/** Advice from how the victim's tasks waited for memory before: memory.high that throttled, and probes that failed while all stood still. */
import { formatBytes } from '../base/bytes.ts'
import { isAnonymous, type Asked } from './asked.ts'
import { stopReason } from './runtime-stop.ts'

/** Throttled so often a second, it was kept above memory.high and not only touched it. */
const OFTEN = 5
/** Part of the time in which a task waited: a probe of one second hardly gets through. */
const WAITED_PERCENT = 25

function high(asked: Asked): string[] {
  const { waits, limit, victims } = asked.target, maxBytes = limit?.limitBytes
  if (waits?.highBytes === undefined || maxBytes === undefined || victims[0]?.memcgId === undefined || limit?.memcgId !== victims[0].memcgId) return []
  if (waits.highBytes >= maxBytes) return [`set memory.high below memory.max or not at all, because at ${formatBytes(waits.highBytes)} it throttles nothing before the limit of ${formatBytes(maxBytes)} kills`]
  if ((waits.highPerSecond ?? 0) < OFTEN || !isAnonymous(asked)) return []
  return [`do not count on memory.high here: give it more memory or less to do, because it was throttled above ${formatBytes(waits.highBytes)} ${Math.round(waits.highPerSecond ?? 0)} times a second before it was killed, and reclaim had nothing to take`]
}

/** The probe was the messenger. */
function probes({ model, target, finding }: Asked): string[] {
  const { waits } = target
  if (finding.cause !== 'runtime-stop' || stopReason(model, target)?.endsWith('probe failed') !== true) return []
  if ((waits?.somePercent ?? 0) < WAITED_PERCENT) return ['look at the probe\'s timeout and at what the container waited for, because the probe ended it and not memory']
  return [`give it more memory, or its probe a longer timeout, because the probe failed while tasks waited for memory ${Math.round(waits?.somePercent ?? 0)} % of the time: it was killed for being slow before it could be killed for being large`]
}

export const waitsAdvice = (asked: Asked): string[] => [...high(asked), ...probes(asked)]
