/** The bpftrace script on disk: in a directory only we may enter, because bpftrace runs as root what it finds there. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { environmentError, reasonOf } from '../base/errors.ts'

/** Where a container with a read-only root, or a full disk, still has room. */
const SHARED_MEMORY = '/dev/shm'

export class ScriptFile {
  private directory: string | undefined

  /** Writes the script (again) and returns its path; it stays until `remove()` or the end of the process. */
  write(text: string): string {
    try {
      return this.writeBelow(tmpdir(), text)
    } catch (error) {
      this.remove()
      try {
        return this.writeBelow(SHARED_MEMORY, text)
      } catch {
        this.remove()
        throw environmentError({ code: 'no-temporary-file', message: `cannot write the probes, ${tmpdir()}: ${reasonOf(error)}`, hint: 'set TMPDIR to a directory you may write to, or pass --no-probes', cause: error })
      }
    }
  }

  private writeBelow(place: string, text: string): string {
    if (this.directory === undefined) {
      this.directory = mkdtempSync(join(place, 'oomscope-'))
      process.on('exit', this.remove)
    }
    const path = join(this.directory, 'probes.bt')
    writeFileSync(path, text, { mode: 0o600 })
    return path
  }

  readonly remove = (): void => {
    if (this.directory === undefined) return
    process.off('exit', this.remove)
    rmSync(this.directory, { recursive: true, force: true })
    this.directory = undefined
  }
}
