/** The bridge as a child process: its frames on stdout, its last words on stderr, and its certain end. */
import { spawn } from 'node:child_process'
import type { ChildProcessByStdio } from 'node:child_process'
import { existsSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { environmentError, reasonOf, SourceError } from '../base/errors.ts'
import type { UserError } from '../base/errors.ts'
import { Ring } from '../base/ring.ts'
import { printable } from '../base/text.ts'
import { formatDuration, NS_PER_MS } from '../base/time.ts'

/** After SIGTERM the bridge waits for bpftrace to catch up (at most 3 s) and to end (1.3 s measured, at most 4 s); a second one tells it to flush at once; what is left then is stuck. */
const SECOND_TERM_MS = 8000
const KILL_MS = 10_000
const STDERR_LINES = 8
const STDERR_LINE_CHARS = 2000

export type BridgeExit = { readonly code: number | null; readonly signal: NodeJS.Signals | null }

/** $OOMSCOPE_BRIDGE, else the one built beside this file (dist/native), also when run from src by a test. */
export function bridgePath(environment: NodeJS.ProcessEnv = process.env): string {
  const wanted = environment['OOMSCOPE_BRIDGE']
  if (wanted !== undefined && wanted !== '') return wanted
  const beside = ['../native/oomscope-bridge', '../../dist/native/oomscope-bridge'].map((path) => fileURLToPath(new URL(path, import.meta.url)))
  return beside.find((path) => existsSync(path)) ?? beside[0] ?? ''
}

/** The error of a bridge that is not there or cannot be run. */
export const cannotStart = (path: string, why: string, cause?: unknown): UserError =>
  environmentError({ code: 'bridge-start', message: `cannot start the bridge, ${printable(path)}: ${why}`, hint: 'run `make build`, or set OOMSCOPE_BRIDGE to the bridge', cause })

export class BridgeProcess {
  /** Frames; ends when the bridge has closed it. */
  readonly stdout: Readable
  /** Resolves when the process is gone; never rejects. Its last output may still be unread. */
  readonly exited: Promise<BridgeExit>
  readonly path: string
  /** Resolves when its output has been read to the end, too. */
  private readonly closed: Promise<void>
  private readonly child: ChildProcessByStdio<null, Readable, Readable>
  private readonly stderrLines = new Ring<string>(STDERR_LINES)
  private readonly startedMs = performance.now()
  private startError: unknown
  private isOver = false
  private stopping: Promise<void> | undefined

  constructor(path: string, args: readonly string[]) {
    this.path = path
    // A session of its own: ^C at the terminal must reach us alone, so that we end the bridge after its last frames are read,
    // and the last resort below reaches the tracer too.
    this.child = spawn(path, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true })
    this.stdout = this.child.stdout
    this.readStderr(this.child.stderr)
    process.on('exit', this.killNow)
    this.closed = new Promise((resolve) => {
      this.child.on('close', () => resolve())
      // After a failed spawn there is no `close`.
      this.child.on('error', () => { if (this.child.pid === undefined) resolve() })
    })
    this.exited = new Promise((resolve) => {
      const over = (exit: BridgeExit): void => {
        this.isOver = true
        process.off('exit', this.killNow)
        resolve(exit)
      }
      this.child.on('error', (error) => {
        this.startError ??= error
        if (this.child.pid === undefined) over({ code: null, signal: null })
      })
      this.child.on('exit', (code, signal) => over({ code, signal }))
    })
  }

  get lastLines(): readonly string[] { return this.stderrLines.values() }

  /** SIGTERM, SIGTERM again, then SIGKILL; resolves when it is gone. */
  stop(): Promise<void> {
    return this.stopping ??= this.end()
  }

  /** The same for one whose frames nobody wants any more: it need not wait for a reader. */
  discard(): Promise<void> {
    this.stdout.destroy()
    return this.stop()
  }

  /** The error of an end nobody asked for; to be called when stdout has ended. */
  async failure(): Promise<Error> {
    const exit = await this.exited
    await this.closed
    if (this.startError !== undefined) {
      return cannotStart(this.path, reasonOf(this.startError), this.startError)
    }
    const how = exit.signal === null ? `exit code ${exit.code}` : `killed by ${exit.signal}`
    const words = this.lastLines.at(-1)
    const after = formatDuration((performance.now() - this.startedMs) * NS_PER_MS)
    return new SourceError({
      code: 'bridge-died', message: `the bridge ended, ${printable(this.path)}, after ${after}: ${how}${words === undefined ? '' : `: ${words}`}`,
      hint: exit.signal === 'SIGKILL' ? 'was it OOM-killed? see `dmesg`; what was recorded until then can be read' : 'run `oomscope doctor`; what was recorded until then can be read',
      cause: { exit, stderr: this.lastLines },
    })
  }

  private async end(): Promise<void> {
    if (this.isOver) return
    this.child.kill('SIGTERM')
    const timers = [setTimeout(() => this.child.kill('SIGTERM'), SECOND_TERM_MS), setTimeout(this.killNow, KILL_MS)]
    await this.exited
    for (const timer of timers) clearTimeout(timer)
  }

  /** Synchronous, for the last moment of our own process: nothing of ours stays behind, whatever ended us. */
  private readonly killNow = (): void => {
    const { pid } = this.child
    if (pid === undefined || this.isOver) return
    try {
      process.kill(-pid, 'SIGKILL')
    } catch {
      // ESRCH: gone since; that was the aim.
    }
  }

  private readStderr(stderr: Readable): void {
    let rest = ''
    stderr.setEncoding('utf8')
    stderr.on('data', (text: string) => {
      const lines = (rest + text).split('\n')
      rest = (lines.pop() ?? '').slice(0, STDERR_LINE_CHARS)
      for (const line of lines) this.keep(line)
    })
    stderr.on('end', () => this.keep(rest))
  }

  private keep(line: string): void {
    const text = printable(line.trim())
    if (text !== '') this.stderrLines.push(text)
  }
}
