/** The lab's C programs (test/workloads) as processes that are told what to do and waited for by what they say. */
import { spawn } from 'node:child_process'
import type { ChildProcessByStdio } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { Readable, Writable } from 'node:stream'
import { escaped } from './cgroup.ts'
import type { Memcg } from './cgroup.ts'

export type Exit = { readonly code: number | null; readonly signal: NodeJS.Signals | null }

/** A running workload. It speaks in lines `word number`. */
export class Workload {
  readonly exited: Promise<Exit>
  private readonly child: ChildProcessByStdio<Writable, Readable, null>
  private readonly said: string[] = []
  private hasEnded = false
  private wake = (): void => undefined

  constructor(program: string, args: readonly string[]) {
    this.child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    let rest = ''
    this.child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      this.said.push(...lines)
      this.wake()
    })
    // A killed hog no longer reads what it is told.
    this.child.stdin.on('error', () => undefined)
    this.exited = new Promise((resolve, reject) => {
      this.child.on('error', reject)
      this.child.on('close', (code, signal) => { this.hasEnded = true; this.wake(); resolve({ code, signal }) })
    })
  }

  get pid(): number { return this.child.pid ?? 0 }
  get isAlive(): boolean { return !this.hasEnded }

  /** All it has said so far. */
  get lines(): readonly string[] { return this.said }

  /** The number of the first line that begins with one of these words; an error when the workload ends without having said one. */
  async says(...words: readonly string[]): Promise<number> {
    for (;;) {
      const line = this.said.find((text) => words.includes(text.split(' ')[0] ?? ''))
      if (line !== undefined) return Number(line.split(' ')[1])
      if (this.hasEnded) throw new Error(`workload ${this.pid} ended and never said ${words.join(' or ')}, only: ${this.said.join(', ')}`)
      await new Promise<void>((resolve) => { this.wake = resolve })
    }
  }

  tell(command: string): void { this.child.stdin.write(command) }

  /** Closes its stdin, on which every workload ends. */
  async end(): Promise<Exit> {
    this.child.stdin.end()
    return this.exited
  }
}

/** A comm as the kernel keeps it: at most 15 bytes, any of them. */
export const commOf = (pid: number): string => readFileSync(`/proc/${pid}/comm`).subarray(0, -1).toString('utf8')

export type HogOptions = {
  readonly cgroup?: Memcg; readonly name?: Buffer | string; readonly oomScoreAdj?: number
  /** Touched before it is ready, and what it grows to when told. */
  readonly touchMib?: number; readonly growToMib?: number; readonly stepKib?: number
  readonly fork?: boolean; readonly thread?: boolean
  /** As `fork`, and the child is the first process of a PID namespace, with so many idle ones below it. */
  readonly pidNamespace?: boolean; readonly kids?: number
  /** TCP connections to itself, full of what nobody reads. */
  readonly connections?: number
  /** Out of reach of swap. */
  readonly isLocked?: boolean
  /** Its memory may come from this NUMA node only. */
  readonly numaNode?: number
  /** What it grows by; anonymous memory otherwise. */
  readonly growBy?: 'sockets' | 'forks' | { readonly file: string }
}

function growArguments({ growBy }: HogOptions): string[] {
  if (growBy === undefined) return []
  return typeof growBy === 'string' ? [`--${growBy}`] : ['--file', growBy.file]
}

/** oom_score_adj is always set: it would be inherited from whoever runs the test. */
export function hogArguments({ cgroup, name, oomScoreAdj = 0, touchMib = 1, growToMib = 0, stepKib = 64, ...options }: HogOptions): string[] {
  const { fork, thread, pidNamespace, kids, connections, isLocked, numaNode } = options
  return [
    '--adj', String(oomScoreAdj), '--touch', String(touchMib), '--grow-to', String(growToMib), '--step', String(stepKib),
    ...(cgroup === undefined ? [] : ['--cgroup', escaped(cgroup.directory)]), ...(name === undefined ? [] : ['--name', escaped(Buffer.from(name))]),
    ...(fork === true ? ['--fork'] : []), ...(thread === true ? ['--thread'] : []), ...(pidNamespace === true ? ['--pidns'] : []), ...(kids === undefined ? [] : ['--kids', String(kids)]),
    ...(connections === undefined ? [] : ['--connections', String(connections)]), ...(isLocked === true ? ['--lock'] : []), ...(numaNode === undefined ? [] : ['--bind', String(numaNode)]), ...growArguments(options),
  ]
}
