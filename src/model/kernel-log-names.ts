/** Finds the names in "oom-kill:…,oom_memcg=PATH,task_memcg=PATH,task=NAME,pid=N,uid=N", in which both paths and the name are hostile. */
import { isComm, unescapeKmsg } from './kmsg-text.ts'

/** One way to read the line; `limitPath` is absent for a global OOM. */
export type OomKillSplit = { readonly limitPath?: string; readonly taskPath: string; readonly comm: string }

/** More readings than a person would ever meet; a line with more is left unread. */
const MAX_PLACES = 16

function placesOf(text: string, mark: string): number[] {
  const places: number[] = []
  for (let at = text.indexOf(mark); at >= 0; at = text.indexOf(mark, at + 1)) places.push(at)
  return places
}

const isWithin = (path: string, root: string): boolean => root === '/' || path === root || path.startsWith(`${root}/`)

/**
 * Every reading that the kernel could have meant: the limit's path is an ancestor of the task's (a memcg OOM only looks
 * inside its subtree), paths begin with "/", a name has at most 15 bytes. Usually one; the caller decides between more.
 */
export function splitOomKill(line: string, memcg: boolean): OomKillSplit[] {
  const body = line.replace(/,pid=\d+,uid=\d+$/, '')
  const limits = memcg ? placesOf(body, ',oom_memcg=/') : placesOf(body, ',global_oom,task_memcg=/')
  const paths = placesOf(body, ',task_memcg=/'), tasks = placesOf(body, ',task=')
  if (limits.length > MAX_PLACES || paths.length > MAX_PLACES || tasks.length > MAX_PLACES) return []
  const splits: OomKillSplit[] = []
  for (const limitAt of limits) {
    for (const pathAt of paths) {
      if (memcg ? pathAt <= limitAt : pathAt !== limitAt + ',global_oom'.length) continue
      for (const taskAt of tasks) {
        if (taskAt <= pathAt) continue
        const limitPath = memcg ? unescapeKmsg(body.slice(limitAt + ',oom_memcg='.length, pathAt)) : undefined
        const taskPath = unescapeKmsg(body.slice(pathAt + ',task_memcg='.length, taskAt)), comm = unescapeKmsg(body.slice(taskAt + ',task='.length))
        if (!isComm(comm) || (limitPath !== undefined && !isWithin(taskPath, limitPath))) continue
        splits.push(limitPath === undefined ? { taskPath, comm } : { limitPath, taskPath, comm })
      }
    }
  }
  return splits
}

const LIMIT_OF = ' killed as a result of limit of '

/** 4.x: "Task in PATH killed as a result of limit of PATH". The process is named by another line: `comm` is empty. */
export function splitLimitOf(line: string): OomKillSplit[] {
  const body = line.replace(/^Tasks? in /, ''), places = placesOf(body, LIMIT_OF)
  if (places.length > MAX_PLACES) return []
  return places.flatMap((at) => {
    const taskPath = unescapeKmsg(body.slice(0, at)), limitPath = unescapeKmsg(body.slice(at + LIMIT_OF.length))
    return limitPath.startsWith('/') && isWithin(taskPath, limitPath) ? [{ limitPath, taskPath, comm: '' }] : []
  })
}

/** What is known from elsewhere about the names in the line. */
export type KnownNames = { readonly comm?: string | undefined; readonly limitPath?: string | undefined; readonly paths?: ReadonlySet<string> | undefined }

/** The reading that agrees with everything known; nothing when several remain (then a name is forging). */
export function chooseSplit(splits: readonly OomKillSplit[], known: KnownNames): OomKillSplit | undefined {
  let left = splits
  if (known.comm !== undefined) left = left.filter((split) => split.comm === '' || split.comm === known.comm)
  if (known.limitPath !== undefined) left = left.filter((split) => split.limitPath === undefined || split.limitPath === known.limitPath)
  if (left.length > 1 && known.paths !== undefined) {
    const paths = known.paths
    left = left.filter((split) => paths.has(split.taskPath) && (split.limitPath === undefined || paths.has(split.limitPath)))
  }
  return left.length === 1 ? left[0] : undefined
}
