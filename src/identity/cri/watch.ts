/** One runtime behind one socket, followed for as long as the program runs: lists, events where offered, questions; again after every failure. */
import { setTimeout as sleep } from 'node:timers/promises'
import { printable } from '../../base/text.ts'
import type { NameQuestion, SourceHealth } from '../name-source.ts'
import { Asks } from '../asks.ts'
import { CriClient, LIMITS, type Limits } from './client.ts'
import type { FactBook } from '../fact-book.ts'
import { Learner } from './learner.ts'
import { Questioner } from './questioner.ts'

export type WatchOptions = { readonly limits?: Limits; readonly listPeriodMs?: number; readonly retryMs?: readonly number[] }

const LIST_PERIOD_MS = 30_000, LIST_AT_MOST_EVERY_MS = 1000
/** After a failure; the last one again and again. */
const RETRY_MS = [250, 500, 1000, 2000, 5000, 10_000] as const
/** Served for so long, a runtime is healthy: the next failure is its first. */
const STABLE_MS = 10_000
const STATUSES_AT_ONCE = 8

const nowMs = (): number => performance.now()

export class RuntimeWatch {
  readonly path: string
  readonly settled: Promise<void>
  health: SourceHealth = { state: 'starting' }
  private settle: () => void = () => undefined
  private readonly options: WatchOptions
  private readonly learner: Learner
  private readonly questioner: Questioner
  private readonly abort = new AbortController()
  private client: CriClient | undefined
  /** Why there are no events. */
  private eventsReason: string | undefined
  private listedMs = -Infinity
  /** Listed, and not yet asked for their limits. */
  private readonly unread: string[] = []

  constructor(path: string, book: FactBook, options: WatchOptions = {}) {
    const asks = new Asks()
    this.path = path
    this.options = options
    this.learner = new Learner(book, asks)
    this.questioner = new Questioner(asks, this.learner)
    this.settled = new Promise((resolve) => { this.settle = resolve })
  }

  start(): void { void this.run() }

  /** Somebody answers, or did: what is asked while it is away is answered when it comes back. */
  get isKnown(): boolean { return this.learner.runtime !== '' || this.health.state === 'starting' }

  ask(question: NameQuestion): void { this.questioner.ask(question) }

  close(): void {
    this.abort.abort()
    this.questioner.use(undefined)
    this.client?.close()
    this.health = { ...this.health, state: 'closed' }
    this.settle()
  }

  private async run(): Promise<void> {
    const retries = this.options.retryMs ?? RETRY_MS
    let failures = 0
    while (!this.abort.signal.aborted) {
      const client = this.client = new CriClient(this.path, this.options.limits ?? LIMITS), ended = new Promise<void>((resolve) => { client.onEnd = resolve })
      const isServing = await this.open(client)
      this.settle()
      if (isServing) {
        const fromMs = nowMs()
        await this.serve(client, ended)
        // One that answers well and hangs up at once is no better than one that does not answer.
        if (nowMs() - fromMs > STABLE_MS) failures = 0
      }
      client.close()
      const wait = retries[Math.min(failures, retries.length - 1)] ?? 1000
      failures += 1
      await sleep(wait, undefined, { ref: false, signal: this.abort.signal }).catch(() => undefined)
    }
  }

  /** Who answers, and everything it has; false when it does not. */
  private async open(client: CriClient): Promise<boolean> {
    const version = await client.version()
    if (this.abort.signal.aborted) return false
    if ('why' in version) return version.why === 'refused' ? this.dismiss() : this.fail(client.fault ?? version.reason)
    this.eventsReason = undefined
    this.learner.runtime = printable(`${version.value.runtimeName} ${version.value.runtimeVersion}`.trim(), 80)
    return this.list(client)
  }

  private fail(reason: string): false {
    if (this.health.state !== 'closed') this.health = reason === 'ENOENT' ? { state: 'absent' } : { ...this.health, state: 'failing', reason: wordsOf(reason, this.path) }
    return false
  }

  /** A containerd without its CRI plugin, as Docker brings it: there is nothing to learn, and nothing is wrong. */
  private dismiss(): false {
    if (this.health.state !== 'closed') this.health = { state: 'absent', reason: `${this.path}: speaks no CRI v1` }
    return false
  }

  private answered(): void {
    if (this.health.state !== 'closed') this.health = { state: 'answering', detail: `${this.learner.runtime} at ${this.path}`, reason: this.eventsReason, lastAnswerNs: nowMs() * 1e6 }
  }

  private async serve(client: CriClient, ended: Promise<void>): Promise<void> {
    void this.followEvents(client)
    this.questioner.listInstead = () => {
      if (nowMs() - this.listedMs < LIST_AT_MOST_EVERY_MS) return false
      void this.list(client).then(() => this.questioner.pump())
      return true
    }
    this.questioner.use(client)
    const period = setInterval(() => void this.list(client), this.options.listPeriodMs ?? LIST_PERIOD_MS).unref()
    await ended
    clearInterval(period)
    this.questioner.use(undefined)
    this.fail(client.fault ?? 'closed')
  }

  /** Every pod and container, then how the living ones stand; a list that fails ends the connection, to begin anew. */
  private async list(client: CriClient): Promise<boolean> {
    this.listedMs = nowMs()
    const [sandboxes, containers] = await Promise.all([client.sandboxes(this.learner.isKnown), client.containers(this.learner.isKnown)])
    if ('why' in sandboxes || 'why' in containers) {
      this.fail(client.fault ?? ('why' in sandboxes ? sandboxes.reason : 'why' in containers ? containers.reason : ''))
      client.close()
      return false
    }
    this.answered()
    this.unread.push(...this.learner.list(sandboxes.value, containers.value))
    for (let i = 0; i < STATUSES_AT_ONCE; i++) void this.readStatuses(client)
    return true
  }

  /** Until nobody's limits are missing. When it hangs, a thousand timeouts would help nobody: the next list begins again. */
  private async readStatuses(client: CriClient): Promise<void> {
    for (let id = this.unread.pop(); id !== undefined; id = this.unread.pop()) {
      const status = await client.containerStatus(id)
      if (!('why' in status)) this.learner.container(status.value)
      else if (status.why !== 'missing') {
        this.unread.push(id)
        return
      }
    }
  }

  private async followEvents(client: CriClient): Promise<void> {
    const ended = await client.events({ isWanted: this.learner.isWanted, onEvent: (event) => this.learner.event(event), onOpen: () => { this.questioner.hasEvents = true } })
    this.questioner.hasEvents = false
    // Lists and questions go on; a runtime that ended the stream for another reason than not having it is asked again at the next connection.
    if (client.fault !== undefined || !('why' in ended)) return
    this.eventsReason = ended.why === 'refused' ? 'it offers no container events' : `no container events: ${printable(ended.reason, 200)}`
    if (this.health.state === 'answering') this.answered()
  }
}

/** What to do about it, for the two that a person can change. */
function wordsOf(reason: string, path: string): string {
  if (reason === 'EACCES' || reason === 'EPERM') return `${path}: not permitted (root may)`
  return `${path}: ${reason === 'ECONNREFUSED' ? 'nobody listens' : printable(reason, 200)}`
}
