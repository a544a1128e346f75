/** The program under test, as a person uses it: `record` until interrupted, then `kills --json`. Plain node, so that a guest can run it too. */
import { execFile, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'

export type Descendant = { readonly pid: number; readonly comm: string }
export type RecorderEnd = { readonly code: number | null; readonly signal: NodeJS.Signals | null; readonly stderr: string }

/** `node dist/cli/main.js record -o FILE`. */
export class Recorder {
  readonly file: string
  readonly ended: Promise<RecorderEnd>
  private readonly child: ChildProcess
  private stderr = ''
  private wake = (): void => undefined

  constructor(main: string, file: string, options: readonly string[] = []) {
    this.file = file
    const child = spawn(process.execPath, [main, 'record', '--force', '-o', file, ...options], { stdio: ['ignore', 'ignore', 'pipe'] })
    // The lab protects itself from its own kills; the program starts as a person would start it.
    if (child.pid !== undefined) writeFileSync(`/proc/${child.pid}/oom_score_adj`, '0')
    child.stderr.setEncoding('utf8').on('data', (text: string) => { this.stderr += text; this.wake() })
    this.child = child
    this.ended = new Promise((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (code, signal) => { this.wake(); resolve({ code, signal, stderr: this.stderr }) })
    })
  }

  get pid(): number { return this.child.pid ?? 0 }

  /** The line `recording …`, printed once everything is attached and samples. */
  async ready(): Promise<string> {
    for (;;) {
      const line = this.stderr.split('\n').slice(0, -1).find((text) => text.startsWith('recording '))
      if (line !== undefined) return line
      if (this.child.exitCode !== null || this.child.signalCode !== null) throw new Error(`record ended before it was ready: ${this.stderr}`)
      await new Promise<void>((resolve) => { this.wake = resolve })
    }
  }

  async end(signal: NodeJS.Signals = 'SIGINT'): Promise<RecorderEnd> {
    this.child.kill(signal)
    return this.ended
  }

  /** Its processes and theirs: bridge, bpftrace. */
  descendants(of = this.pid): number[] { return childrenOf(of).flatMap((pid) => [pid, ...this.descendants(pid)]) }

  /** The same with their names. */
  family(): Descendant[] { return this.descendants().map((pid) => ({ pid, comm: readProc(pid, 'comm').trimEnd() })).filter(({ comm }) => comm !== '') }
}

/** Records while `run` goes on; also its failure ends the recorder. */
export async function recorded<T>(main: string, { file, options }: { readonly file: string; readonly options: readonly string[] }, run: () => Promise<T>): Promise<T> {
  const recorder = new Recorder(main, file, options)
  try {
    await recorder.ready()
    return await run()
  } finally {
    await recorder.end()
  }
}

/** Under emulation everything takes its time; a fault must end before the level's patience does. */
const PATIENCE_MS = 300_000

/** Looks at the recording, as somebody else might while it is written, until its cases tell what is waited for. */
export async function untilTold(main: string, file: string, isTold: (text: string) => boolean): Promise<void> {
  for (const endMs = performance.now() + PATIENCE_MS; performance.now() < endMs; await wait(250)) {
    if (existsSync(file) && isTold(JSON.stringify((await killsOf(main, file)).cases))) return
  }
}

/** Nothing of one that has ended since it was named. */
function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return ''
    throw error
  }
}

const childrenOf = (pid: number): number[] => readProc(pid, `task/${pid}/children`).split(' ').filter(Boolean).map(Number)

/** The kill case as design.md promises it; only what is compared is named here. */
export type CaseJson = {
  readonly cause?: string; readonly confidence: string; readonly because: readonly string[]; readonly doubts: readonly string[]; readonly sentence: string
  readonly limit?: { readonly path?: string; readonly level?: string; readonly limitBytes?: number }
  readonly invoker?: { readonly pid: number; readonly comm: string }
  readonly victims: readonly { readonly pid: number; readonly comm?: string; readonly path?: string; readonly oomScoreAdj?: number; readonly workload?: Readonly<Record<string, string | number>> }[]
  readonly candidates: readonly { readonly pid: number; readonly comm?: string; readonly path?: string; readonly points?: number; readonly oomScoreAdj?: number; readonly eligible: boolean; readonly chosen: boolean }[]
  readonly candidatesFrom?: string
  readonly composition?: Readonly<Record<string, number>>
  readonly reasons: readonly { readonly name: string }[]; readonly differences: readonly string[]
  readonly witnesses: readonly string[]; readonly disagreements: readonly string[]; readonly evidence: readonly { readonly fact: string; readonly source: string }[]
}

/** A death by a process's signal. */
export type SignalCaseJson = CaseJson & { readonly signal: { readonly signal: string; readonly sender: { readonly pid: number; readonly comm: string }; readonly asker?: { readonly pid: number; readonly comm: string }; readonly graceMs?: number } }

/** Kills of the kernel apart from those of a process. */
export type KillsOutput = { readonly cases: readonly CaseJson[]; readonly signalCases: readonly SignalCaseJson[]; readonly stderr: string }

/** `oomscope kills FILE --json`; an exit code other than 0 is an error. */
export function killsOf(main: string, file: string, evidence?: string): Promise<KillsOutput> {
  return new Promise((resolve, reject) => execFile(process.execPath, [main, 'kills', file, '--json', ...(evidence === undefined ? [] : ['--evidence', evidence])], { maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
    if (error !== null) return reject(new Error(`kills ended with ${error.code}: ${stderr}`))
    const all = casesOfLines(stdout), isSignal = (said: CaseJson): said is SignalCaseJson => 'signal' in said
    resolve({ cases: all.filter((said) => !isSignal(said)), signalCases: all.filter(isSignal), stderr })
  }))
}

const casesOfLines = (stdout: string): CaseJson[] => stdout.split('\n').filter(Boolean).map((line) => JSON.parse(line) as CaseJson)

/** `oomscope explain FILE --json`. */
export function explained(main: string, file: string): Promise<readonly CaseJson[]> {
  return new Promise((resolve, reject) => execFile(process.execPath, [main, 'explain', file, '--json'], { maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
    if (error !== null) return reject(new Error(`explain ended with ${error.code}: ${stderr}`))
    resolve(casesOfLines(stdout))
  }))
}

/** A spike as design.md promises it. */
export type SpikeJson = {
  readonly path: string; readonly bootNs: number; readonly durationMs: number; readonly durationLeastMs: number
  readonly baseBytes: number; readonly peakBytes: number; readonly peakExact: boolean; readonly exactness: string
  readonly kubectlTopBytes?: number; readonly missedByKubectlTop?: boolean; readonly lossDuring?: true; readonly lossSomewhere?: true
}

/** `oomscope spikes FILE --json`. */
export function spikesOf(main: string, file: string): Promise<{ readonly spikes: readonly SpikeJson[]; readonly stderr: string }> {
  return new Promise((resolve, reject) => execFile(process.execPath, [main, 'spikes', file, '--json'], { maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
    if (error !== null) return reject(new Error(`spikes ended with ${error.code}: ${stderr}`))
    resolve({ spikes: stdout.split('\n').filter(Boolean).map((line) => JSON.parse(line) as SpikeJson), stderr })
  }))
}
