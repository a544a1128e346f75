/** One row of the log's "Tasks state" table, by the columns that its own header named. */
import { isComm, unescapeKmsg } from './kmsg-text.ts'

export type TaskRow = {
  readonly tid: number; readonly pid: number; readonly uid: number; readonly totalVmPages: number; readonly rssPages: number
  readonly anonPages?: number; readonly filePages?: number; readonly shmemPages?: number
  readonly pgtablesBytes?: number
  /** Before 4.15 page tables are counted, not measured: a page each. */
  readonly ptes?: number; readonly pmds?: number
  readonly swapPages: number; readonly oomScoreAdj: number; readonly comm: string
}

const NUMERIC: Readonly<Record<string, keyof TaskRow>> = {
  pid: 'tid', uid: 'uid', tgid: 'pid', total_vm: 'totalVmPages', rss: 'rssPages', rss_anon: 'anonPages', rss_file: 'filePages', rss_shmem: 'shmemPages',
  pgtables_bytes: 'pgtablesBytes', nr_ptes: 'ptes', nr_pmds: 'pmds', swapents: 'swapPages', oom_score_adj: 'oomScoreAdj',
}

const patterns = new WeakMap<readonly string[], RegExp>()

/** "[%7d] %5d %5d … %5hd %s": exactly one space before the name, which may begin with more. */
function patternOf(columns: readonly string[]): RegExp {
  const known = patterns.get(columns)
  if (known !== undefined) return known
  const made = new RegExp(`^\\[ *(\\d+)\\] +${columns.slice(1, -1).map(() => '(-?\\d+)').join(' +')} (.*)$`)
  patterns.set(columns, made)
  return made
}

/** 6.1 has 9 columns, 6.12 has 12, 4.x other ones. */
export function parseTaskRow(text: string, columns: readonly string[]): TaskRow | undefined {
  const numbers = columns.slice(0, -1), match = patternOf(columns).exec(text)
  if (match === null) return undefined
  const row: Partial<Record<keyof TaskRow, number>> = {}
  numbers.forEach((column, i) => {
    const field = NUMERIC[column]
    if (field !== undefined) row[field] = Number(match[i + 1])
  })
  const comm = unescapeKmsg(match[numbers.length + 1] ?? '')
  if (row.tid === undefined || row.pid === undefined || row.rssPages === undefined || row.oomScoreAdj === undefined || row.swapPages === undefined || !isComm(comm)) return undefined
  return { uid: 0, totalVmPages: 0, ...row, comm } as TaskRow
}
