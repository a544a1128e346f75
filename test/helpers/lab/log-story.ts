/** What a kernel log alone can tell of a kill: cause, how sure, who died, whose limit, why reclaim could not help, everybody's points. */
import type { CaseJson } from './recorder.ts'
import { remainingReasons } from './told.ts'
import type { TrueKill } from './truth.ts'

export type LogStory = {
  readonly cause: string | undefined; readonly confidence: string; readonly dead: readonly number[]
  readonly limitPath?: string | undefined; readonly limitBytes?: number | undefined
  readonly reasons?: readonly string[]
  /** Process → points, null for who may not be killed; in order of the process ids. */
  readonly points?: readonly (readonly [number, number | null])[]
}

/** The log counts what the kernel could use of the node, the truth names no limit there. */
const isWholeNode = (path: string | undefined): boolean => path === undefined || path === '/'

const pointsOf = (candidates: readonly { readonly pid: number; readonly points?: number }[]): [number, number | null][] =>
  candidates.map(({ pid, points }): [number, number | null] => [pid, points ?? null]).toSorted(([a], [b]) => a - b)

/** One witness alone is never certain. */
export const storyOf = ({ cause, victims, limit, reasons, candidates, inLog }: TrueKill): LogStory => ({
  cause: inLog?.cause ?? cause, confidence: inLog?.confidence ?? 'likely', dead: victims.map(({ pid }) => pid),
  ...(limit === undefined ? {} : { limitPath: limit.path, limitBytes: limit.bytes }), ...(reasons === undefined || inLog?.hasReasons === false ? {} : { reasons: reasons.toSorted() }),
  ...(inLog?.hasPoints === false ? {} : { points: pointsOf(candidates) }),
})

/** The same of a case, as far as this story goes. */
export const toldInLog = ({ cause, confidence, victims, limit, reasons, candidates }: CaseJson, story: LogStory | undefined): LogStory => ({
  cause, confidence, dead: victims.map(({ pid }) => pid), ...(isWholeNode(limit?.path) ? {} : { limitPath: limit?.path, limitBytes: limit?.limitBytes }),
  ...(story?.reasons === undefined ? {} : { reasons: remainingReasons(reasons) }), ...(story?.points === undefined ? {} : { points: pointsOf(candidates) }),
})
