/** The kubelet's log directories as a source of names: read again every few seconds, told when new. */
import { errnoOf } from '../base/errors.ts'
import { MAX_WAITING, type NameFact, type NameSource, type SourceHealth } from './name-source.ts'
import { podLogReader, type LearnedName, type PodLogs } from './pod-logs.ts'

/** A pod that lives shorter than this and dies keeps its uid as its name. */
const PERIOD_MS = 3000, LIMIT_MS = 10_000
/** Told names remembered: more than a node can hold in weeks; beyond it a name is told twice. */
const MAX_TOLD = 50_000

export class PodLogSource implements NameSource {
  readonly name = 'pod-logs'
  readonly settled: Promise<void>
  private settle: () => void = () => undefined
  private readonly read: () => Promise<PodLogs>
  private readonly limitMs: number
  private readonly told = new Map<string, string>()
  private waiting: NameFact[] = []
  private timer: NodeJS.Timeout | undefined
  private now: SourceHealth = { state: 'starting' }
  private last: PodLogs | undefined

  constructor(read: () => Promise<PodLogs> = podLogReader(), limitMs = LIMIT_MS) {
    this.read = read
    this.limitMs = limitMs
    this.settled = new Promise((resolve) => { this.settle = resolve })
  }

  get health(): SourceHealth { return this.now }

  start(): void {
    this.timer ??= setInterval(() => void this.look(), PERIOD_MS).unref()
    void this.look()
  }

  take(): readonly NameFact[] {
    const { waiting } = this
    this.waiting = []
    return waiting
  }

  /** The next look is near, and a directory does not answer questions. */
  ask(): void { return undefined }

  close(): void {
    clearInterval(this.timer)
    this.now = { ...this.now, state: 'closed' }
    this.settle()
  }

  private isLooking = false

  private async look(): Promise<void> {
    // A directory on a file system that hangs holds a thread of this process: one look at a time, however late it is.
    if (this.isLooking) return
    this.isLooking = true
    const late = setTimeout(() => this.fail(`no answer within ${this.limitMs / 1000} s`), this.limitMs).unref()
    try {
      this.learn(await this.read())
    } catch (error) {
      this.fail(errnoOf(error) || 'cannot be read')
    } finally {
      clearTimeout(late)
      this.isLooking = false
    }
  }

  private fail(reason: string): void {
    if (this.now.state === 'closed') return
    this.now = { ...this.now, state: 'failing', reason }
    this.settle()
  }

  private learn(found: PodLogs): void {
    if (this.now.state === 'closed') return
    if (found !== this.last) for (const name of found.names) if (this.isNew(name)) this.waiting.push({ kind: 'workload', ...name })
    if (this.waiting.length > MAX_WAITING) this.waiting.splice(0, this.waiting.length - MAX_WAITING)
    this.last = found
    this.now = healthOf(found)
    this.settle()
  }

  private isNew(name: LearnedName): boolean {
    const key = `${name.podUid ?? ''} ${name.containerId ?? ''}`, value = `${name.namespace} ${name.pod} ${name.container ?? ''}`
    if (this.told.get(key) === value) return false
    if (this.told.size >= MAX_TOLD) this.told.clear()
    this.told.set(key, value)
    return true
  }
}

function healthOf({ names, failure, truncated }: PodLogs): SourceHealth {
  if (failure !== undefined && names.length === 0) return { state: 'failing', reason: failure }
  if (names.length === 0) return { state: 'absent' }
  const reason = failure ?? (truncated ? 'more entries than are read' : undefined)
  return { state: 'answering', lastAnswerNs: performance.now() * 1e6, ...(reason === undefined ? {} : { reason }) }
}
