/** Does a process run? A zombie is dead: who adopts the orphans of a killed program may never reap them. */
import { readFileSync } from 'node:fs'

export function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))
  } catch {
    return false
  }
}
