/** What `oomscope run` must not leave behind. */
import { readdirSync } from 'node:fs'
import { memcgMount } from '../helpers/lab/cgroup.ts'

/** Others' cgroups come and go while we look: what is not there any more holds nothing. */
function directoriesIn(directory: string): string[] {
  try {
    return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []))
  } catch (error) {
    if (['ENOENT', 'ENODEV'].includes((error as NodeJS.ErrnoException).code ?? '')) return []
    throw error
  }
}

const runsBelow = (directory: string): string[] =>
  directoriesIn(directory).flatMap((name) => [...(name.startsWith('oomscope-run-') ? [name] : []), ...runsBelow(`${directory}/${name}`)])

/** Of a run that was killed before these tests began. */
const BEFORE: ReadonlySet<string> = new Set(runsBelow(memcgMount()?.directory ?? '/nowhere'))

/** Directories of memory cgroups that `run` has made since then and not removed. */
export const leftovers = (mount: string): string[] => runsBelow(mount).filter((name) => !BEFORE.has(name))
