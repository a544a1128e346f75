/** `oomscope run` as a person uses it, in a guest with cgroup v2: commands that live, die at their limit, ignore it, or do not exist. Plain node. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { runningNow } from './running-now.ts'

const CGROUPS = '/sys/fs/cgroup', LIMIT_MIB = 64
/** Under emulation a run takes some 25 s; a machine ten times slower is still on time, and what hangs does not eat the guest's life. */
const DEADLINE_MS = 300_000

/** What `--summary` promises; only what is compared is named here. */
export type RunSummaryJson = {
  readonly exitCode: number; readonly signal?: string; readonly path: string; readonly limitBytes?: number; readonly peakBytes?: number; readonly peakExact: boolean
  readonly kills: readonly { readonly victims: readonly { readonly comm?: string }[]; readonly limit?: { readonly path?: string } }[]; readonly oomsWithoutKill: number; readonly leftBehind: number; readonly failure?: string
}
export type RunEnd = { readonly code: number | null; readonly signal: NodeJS.Signals | null; readonly stderr: string; readonly summary?: RunSummaryJson }
/** One that hangs or ends too early must not hide the others. */
export type Told<T> = { readonly end: T } | { readonly error: string }
export type GuestRuns = {
  /** Lives below its limit, leaves a process behind, and answers SIGINT in its own way; `peakBytes` was read while it lived (5.19 and later). */
  readonly lived: Told<RunEnd & { readonly peakBytes?: number }>
  /** Its child dies at the limit, then the command itself. */
  readonly killed: Told<RunEnd>
  /** Stands at its limit and may not be killed, until SIGTERM. */
  readonly immune: Told<RunEnd>
  readonly missing: Told<RunEnd>
  readonly leftovers: readonly string[]
}

/** One `oomscope run`. */
class Run {
  readonly name: string
  readonly ended: Promise<RunEnd>
  private readonly child: ChildProcess
  private stdout = ''
  private stderr = ''
  private isOver = false

  constructor(main: string, name: string, command: readonly string[]) {
    this.name = name
    const file = `/run/run-${name}.json`, options = ['--no-tui', '--no-probes', '--limit', `${LIMIT_MIB}Mi`, '--summary', file]
    // bpftrace has no part in it, and an emulated CPU needs seconds to ask for its version.
    this.child = spawn(process.execPath, [main, 'run', ...options, '--', ...command], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, OOMSCOPE_BPFTRACE: '/nonexistent' } })
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => { this.stdout += text })
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => { this.stderr += text })
    this.ended = new Promise((resolve, reject) => {
      this.child.on('error', reject)
      this.child.on('close', (code, signal) => {
        this.isOver = true
        resolve({ code, signal, stderr: this.stderr, ...(existsSync(file) ? { summary: JSON.parse(readFileSync(file, 'utf8')) as RunSummaryJson } : {}) })
      })
    })
  }

  get said(): string { return this.stdout }

  /** A file of its memcg; nothing while there is none. */
  read(file: string): string {
    const path = `${CGROUPS}/oomscope-run-${this.child.pid}/${file}`
    return existsSync(path) ? readFileSync(path, 'utf8') : ''
  }

  /** Resolves once it is so; an error when the run ends before. */
  async until(isSo: () => boolean): Promise<void> {
    const LOOK_MS = 50
    while (!isSo()) {
      if (this.isOver) throw new Error(`${this.name} ended too early: ${this.stdout}${this.stderr}`)
      await wait(LOOK_MS)
    }
  }

  end(signal: NodeJS.Signals): Promise<RunEnd> {
    this.child.kill(signal)
    return this.ended
  }

  /** What it comes to, or the error that says who was running when its time was up. */
  async within<T>(task: Promise<T>): Promise<Told<T>> {
    const inTime = new AbortController(), late = wait(DEADLINE_MS, 'late' as const, { signal: inTime.signal }).catch(() => 'late' as const)
    try {
      const first = await Promise.race([task.then((end) => ({ end }), (error: unknown) => ({ error: String(error) })), late])
      if (first !== 'late') return first
      return { error: `run hung: '${this.name}' was not over after ${DEADLINE_MS / 1000} s; it said: ${this.stdout}${this.stderr}\nmemory.events: ${this.read('memory.events')}\n${await runningNow()}` }
    } finally {
      inTime.abort()
      if (!this.isOver) this.kill()
    }
  }

  private kill(): void {
    this.child.kill('SIGKILL')
    for (const pid of this.read('cgroup.procs').split('\n').filter(Boolean)) {
      try {
        process.kill(Number(pid), 'SIGKILL')
      } catch {
        // It ended by itself meanwhile.
      }
    }
  }
}

/** Whoever calls it is immune to the OOM killer (-1000), which no command may inherit. */
export async function performRuns(main: string, programs: string): Promise<GuestRuns> {
  const hog = (name: string, mib: number): string => `${programs}/hog --name ${name} --touch 3 --grow-to ${mib}`
  const start = (name: string, script: string): Run => new Run(main, name, ['sh', '-c', script])
  const [lived, killed, missing] = await Promise.all([
    answers(start('lived', `trap 'exit 42' INT; (echo g | ${hog('small', 40)}); sleep 1000 & echo up; wait $!`)),
    ends(start('killed', `echo g | ${hog('child', 90)}; echo g | exec ${hog('itself', 90)}`)),
    ends(new Run(main, 'missing', ['no-such-command'])),
  ])
  const immune = await resists(start('immune', `echo -1000 > /proc/self/oom_score_adj; echo g | exec ${hog('immune', 90)}`))
  return { lived, killed, missing, immune, leftovers: readdirSync(CGROUPS).filter((name) => name.startsWith('oomscope-run-')) }
}

const ends = (run: Run): Promise<Told<RunEnd>> => run.within(run.ended)

function answers(run: Run): Promise<GuestRuns['lived']> {
  return run.within((async () => {
    await run.until(() => run.said.includes('up\n'))
    // What comes after is small: this is the peak of all its life.
    const peak = run.read('memory.peak')
    return { ...(peak === '' ? {} : { peakBytes: Number(peak) }), ...await run.end('SIGINT') }
  })())
}

/** Every charge fails and is tried again (pagefault_out_of_memory): each try is a decision of the OOM killer that kills nobody. */
function resists(run: Run): Promise<Told<RunEnd>> {
  const TRIES = 20
  return run.within((async () => {
    await run.until(() => Number(/^oom (\d+)$/m.exec(run.read('memory.events'))?.[1] ?? 0) >= TRIES)
    // Not SIGINT, which a shell that waits for somebody passes over.
    return run.end('SIGTERM')
  })())
}
