/** What `oomscope run` must not leave behind. */
import { readdirSync } from 'node:fs'

/** Directories of memory cgroups that `run` has made and not removed. */
export function leftovers(mount: string): string[] {
  return readdirSync(mount, { recursive: true, withFileTypes: true }).flatMap((entry) => (entry.isDirectory() && entry.name.startsWith('oomscope-run-') ? [entry.name] : []))
}
