/** The Kubernetes API or the kubelet as a source of names: the pods of this node, read again now and then, and soon after a container was born or killed. */
import { FactBook } from '../fact-book.ts'
import type { NameFact, NameQuestion, NameSource, SourceHealth } from '../name-source.ts'
import { podFacts } from './pods.ts'
import type { PodReader } from './readers.ts'

export type PodSourceOptions = { readonly periodMs?: number; /** After a question, but not sooner after the last reading. */ readonly soonMs?: number; readonly victimMs?: readonly number[] }

const PERIOD_MS = 30_000, SOON_MS = 3000
/** Reading the list of 500 pods takes some 50 ms of one core: questions must not make that more than half a per cent. */
const PAUSE_PER_MS = 200
/** The kubelet writes a death into the status when it has looked: it looks once a second, and asks the runtime first. */
const VICTIM_MS = [1500, 6000]
/** Nobody gave credentials: they may be mounted later, but hardly soon. */
const ABSENT_MS = 300_000

export class PodSource implements NameSource {
  readonly name: 'kubelet' | 'kubernetes'
  readonly settled: Promise<void>
  health: SourceHealth = { state: 'starting' }
  private settle: () => void = () => undefined
  private readonly read: PodReader
  private readonly options: PodSourceOptions
  private readonly book = new FactBook()
  private readonly abort = new AbortController()
  private readonly timers = new Set<NodeJS.Timeout>()
  private isReading = false
  /** Asked for during a reading, which may have begun too early for it. */
  private isWantedAgain = false
  private costMs = 0
  private readMs = -Infinity
  private soon: NodeJS.Timeout | undefined
  private period: NodeJS.Timeout | undefined

  constructor(name: 'kubelet' | 'kubernetes', read: PodReader, options: PodSourceOptions = {}) {
    this.name = name
    this.read = read
    this.options = options
    this.settled = new Promise((resolve) => { this.settle = resolve })
  }

  start(): void { void this.look() }

  take(): readonly NameFact[] { return this.book.take() }

  /** Pods only: of other containers it knows nothing. */
  ask({ containerId, podUid, why }: NameQuestion): void {
    if (podUid === undefined || this.health.state === 'absent' || this.abort.signal.aborted) return
    if (why === 'birth' && this.book.has(`container:${containerId}`)) return
    this.readSoon()
    if (why === 'victim' && this.timers.size < 20) for (const ms of this.options.victimMs ?? VICTIM_MS) this.later(() => this.readSoon(), ms)
  }

  close(): void {
    this.abort.abort()
    for (const timer of this.timers) clearTimeout(timer)
    clearTimeout(this.period)
    this.health = { ...this.health, state: 'closed' }
    this.settle()
  }

  private later(work: () => void, ms: number): NodeJS.Timeout {
    const timer = setTimeout(() => { this.timers.delete(timer); work() }, ms).unref()
    this.timers.add(timer)
    return timer
  }

  private readSoon(): void {
    if (this.soon !== undefined && this.timers.has(this.soon)) return
    this.soon = this.later(() => void this.look(), Math.max(0, this.readMs + Math.max(this.options.soonMs ?? SOON_MS, this.costMs * PAUSE_PER_MS) - performance.now()))
  }

  private async look(): Promise<void> {
    this.isWantedAgain = this.isReading
    if (this.isReading || this.abort.signal.aborted) return
    this.isReading = true
    try {
      const answer = await this.read(this.abort.signal)
      if (this.abort.signal.aborted) return
      if ('failure' in answer) this.health = answer.isAbsent === true ? { state: 'absent', reason: answer.failure } : { ...this.health, state: 'failing', reason: answer.failure }
      else {
        this.health = { state: 'answering', detail: answer.who, reason: answer.reason, lastAnswerNs: performance.now() * 1e6 }
        const startMs = performance.now()
        this.learn(answer.pods)
        this.costMs = answer.parseMs + performance.now() - startMs
      }
    } catch {
      this.health = { ...this.health, state: 'failing', reason: 'the answer could not be used' }
    } finally {
      this.isReading = false
      this.readMs = performance.now()
      this.settle()
    }
    if (this.abort.signal.aborted) return
    clearTimeout(this.period)
    if (this.isWantedAgain) this.readSoon()
    this.period = setTimeout(() => void this.look(), this.health.state === 'absent' ? ABSENT_MS : this.options.periodMs ?? PERIOD_MS).unref()
  }

  private learn(pods: readonly unknown[]): void {
    const listed = new Set<string>()
    for (const pod of pods) for (const fact of podFacts(pod)) {
      this.book.learn(fact)
      listed.add((fact.kind === 'workload' ? fact.containerId ?? fact.podUid : fact.containerId) ?? '')
    }
    this.book.keepOnly((id) => listed.has(id))
  }
}
