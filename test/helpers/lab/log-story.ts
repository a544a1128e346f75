/** What a kernel log alone can tell of a kill: cause, who died, whose limit; the same of the truth and of a case. */
import type { CaseJson } from './recorder.ts'
import type { TrueKill } from './truth.ts'

export type LogStory = { readonly cause: string | undefined; readonly dead: readonly number[]; readonly limitPath?: string | undefined; readonly limitBytes?: number | undefined }

/** The log counts what the kernel could use of the node, the truth names no limit there. */
const isWholeNode = (path: string | undefined): boolean => path === undefined || path === '/'

export const storyOf = ({ cause, victims, limit }: TrueKill): LogStory => ({ cause, dead: victims.map(({ pid }) => pid), ...(limit === undefined ? {} : { limitPath: limit.path, limitBytes: limit.bytes }) })

export const toldInLog = ({ cause, victims, limit }: Pick<CaseJson, 'cause' | 'victims' | 'limit'>): LogStory =>
  ({ cause, dead: victims.map(({ pid }) => pid), ...(isWholeNode(limit?.path) ? {} : { limitPath: limit?.path, limitBytes: limit?.limitBytes }) })
