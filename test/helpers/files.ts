/** A directory of one's own for a test, removed afterwards. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'vitest'

/** Returns `fresh()`, which makes a new directory; all are removed after each test. */
export function freshDirectories(): () => string {
  const made: string[] = []
  afterEach(() => { for (const directory of made.splice(0)) rmSync(directory, { recursive: true, force: true }) })
  return () => {
    const directory = mkdtempSync(join(tmpdir(), 'oomscope-test-'))
    made.push(directory)
    return directory
  }
}
