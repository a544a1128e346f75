/** A command that lives in a memory cgroup from its first instruction on. */
import { spawn } from 'node:child_process'
import { accessSync, constants, statSync } from 'node:fs'
import { constants as os } from 'node:os'
import { join } from 'node:path'

/** How it ended: its own exit status, or 128 + the signal's number as shells say it. */
export type Ending = { readonly code: number; readonly signal?: string }

export type RunningCommand = {
  readonly pid: number
  readonly ended: Promise<Ending>
  readonly signal: (name: NodeJS.Signals) => void
}

export type Seat = {
  /** cgroup.procs of the memcg. */
  readonly procsFile: string
  /** oom_score_adj it would have without us: ours is lowered, and children inherit it. */
  readonly oomScoreAdj: string
}

/** The shell that enters the memcg becomes the command: nothing of it is charged elsewhere, and no process of ours stays in it. */
const ENTER = 'echo $$ > "$1" || exit 125; echo "$2" > /proc/$$/oom_score_adj; shift 2; exec "$@"'

/** Arguments of /bin/sh. */
export const entering = (argv: readonly string[], { procsFile, oomScoreAdj }: Seat): string[] => ['-c', ENTER, 'sh', procsFile, oomScoreAdj, ...argv]

/** Missing, in a directory that is none or that we may not enter, a name too long: a shell looks on. */
function kindOf(path: string): 'file' | 'directory' | undefined {
  try {
    const stats = statSync(path)
    return stats.isFile() ? 'file' : stats.isDirectory() ? 'directory' : undefined
  } catch {
    return undefined
  }
}

/** What a shell would say of a command that it cannot start: 127 not found, 126 not executable; undefined when it can. */
export function unstartable(command: string, path = process.env['PATH'] ?? ''): { readonly code: 126 | 127; readonly why: string } | undefined {
  const places = command.includes('/') ? [command] : path.split(':').map((directory) => join(directory === '' ? '.' : directory, command))
  let found = false
  for (const place of places) {
    if (kindOf(place) !== 'file') continue
    found = true
    try {
      accessSync(place, constants.X_OK)
      return undefined
    } catch {
      // Another directory of PATH may have one that may be executed.
    }
  }
  if (command.includes('/') && kindOf(command) === 'directory') return { code: 126, why: 'is a directory' }
  return found ? { code: 126, why: 'permission denied' } : { code: 127, why: command.includes('/') ? 'no such file' : 'not found in PATH' }
}

/** In this terminal: it reads what we would read, and ^C reaches it as it reaches us. */
export function startHere(argv: readonly string[], seat: Seat): RunningCommand {
  const child = spawn('/bin/sh', entering(argv, seat), { stdio: 'inherit' })
  const ended = new Promise<Ending>((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code, signal) => resolve(signal === null ? { code: code ?? 0 } : { code: 128 + os.signals[signal], signal }))
  })
  return { pid: child.pid ?? 0, ended, signal: (name) => { child.kill(name) } }
}
