/** Options of `run`: limits of the command, and when its peak is too high. */
import { parseBytes } from '../base/bytes.ts'
import { usageError } from '../base/errors.ts'
import { printable } from '../base/text.ts'
import type { RunLimits } from '../source/run-memcg.ts'
import { bytesOf, isSet, textOf } from './args.ts'
import type { Options } from './args.ts'

/** Less than this no shell can start in. */
const MIN_LIMIT_BYTES = 2 ** 20

export function runLimits(options: Options): RunLimits {
  const maxBytes = bytesOf(options, 'limit', MIN_LIMIT_BYTES), swapBytes = bytesOf(options, 'swap', 0)
  if (swapBytes !== undefined && maxBytes === undefined) throw usageError('bad-option', 'cannot use --swap without --limit', 'say both: --limit 512Mi --swap 256Mi')
  return { ...(maxBytes === undefined ? {} : { maxBytes }), ...(swapBytes === undefined ? {} : { swapBytes }), oomGroup: isSet(options, 'oom-group') }
}

/** enum of include/uapi/linux/oom.h: oom_badness() never chooses such a process. */
const OOM_SCORE_ADJ_MIN = '-1000'

/**
 * oom_score_adj of the command: the one it would have without us, unless that makes it immune. Nobody could then be killed at its limit,
 * and the kernel lets the page fault try again for ever (pagefault_out_of_memory). No container is immune: Kubernetes goes down to -998.
 */
export const commandAdj = (inherited: string): string => (inherited === OOM_SCORE_ADJ_MIN ? '0' : inherited)

/** The most that the peak may be: a size, or a share of the limit that holds. */
export type FailOver = { readonly text: string; readonly bytes: number | undefined; readonly share: number | undefined }

export function failOverOf(options: Options): FailOver | undefined {
  const text = textOf(options, 'fail-over')
  if (text === undefined) return undefined
  const share = /^(\d+(?:\.\d+)?)%$/.exec(text)?.[1], bytes = share === undefined ? parseBytes(text) : undefined
  if (share === undefined && bytes === undefined) throw usageError('bad-value', `cannot understand --fail-over '${printable(text, 60)}': neither a share nor a size`, 'write for example --fail-over 90% or --fail-over 450Mi')
  if (share !== undefined && (Number(share) <= 0 || Number(share) > 100)) throw usageError('bad-value', `cannot use --fail-over '${printable(text, 60)}': out of range`, 'a share is more than 0% and at most 100%')
  return { text, bytes, share: share === undefined ? undefined : Number(share) / 100 }
}

/** Whether the peak went too high; undefined when there is no limit to measure it against. */
export function isOver({ bytes, share }: FailOver, peakBytes: number, limitBytes: number | undefined): boolean | undefined {
  const most = bytes ?? (limitBytes === undefined || share === undefined ? undefined : share * limitBytes)
  return most === undefined ? undefined : peakBytes >= most
}
