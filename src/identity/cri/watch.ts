/** One runtime behind one socket, followed for as long as the program runs: lists, events where offered, questions; again after every failure. */
import { setTimeout as sleep } from 'node:timers/promises'
import { printable } from '../../base/text.ts'
import type { NameQuestion, SourceHealth } from '../name-source.ts'
import { Asks, type AskReason } from './asks.ts'
import { CriClient, LIMITS, type Limits } from './client.ts'
import { containerFact, isContainerId, sandboxFacts, statusFact } from './facts.ts'
import type { FactBook } from './fact-book.ts'
import type { Container, ContainerEvent, Sandbox, Status } from './messages.ts'

export type WatchOptions = { readonly limits?: Limits; readonly listPeriodMs?: number; readonly retryMs?: readonly number[] }

const LIST_PERIOD_MS = 30_000
/** After a failure; the last one again and again. */
const RETRY_MS = [250, 500, 1000, 2000, 5000, 10_000] as const
/** Calls at the same time: enough to hide a round trip, few enough to leave the runtime to its kubelet. */
const CALLS_AT_ONCE = 4, STATUSES_AT_ONCE = 8
/** So many unknown ones at once are cheaper to list. */
const RATHER_LIST = 60, LIST_AT_MOST_EVERY_MS = 1000
const CREATED = 0, STARTED = 1, STOPPED = 2

const nowMs = (): number => performance.now()

export class RuntimeWatch {
  readonly path: string
  readonly settled: Promise<void>
  health: SourceHealth = { state: 'starting' }
  private settle: () => void = () => undefined
  private readonly book: FactBook
  private readonly options: WatchOptions
  private readonly asks = new Asks()
  private readonly abort = new AbortController()
  private client: CriClient | undefined
  private runtime = ''
  /** Why there are no events. */
  private eventsReason: string | undefined
  private busy = 0
  private listedMs = -Infinity
  private timer: NodeJS.Timeout | undefined

  constructor(path: string, book: FactBook, options: WatchOptions = {}) {
    this.path = path
    this.book = book
    this.options = options
    this.settled = new Promise((resolve) => { this.settle = resolve })
  }

  start(): void { void this.run() }

  /** Somebody answers, or did: what is asked while it is away is answered when it comes back. */
  get isKnown(): boolean { return this.runtime !== '' || this.health.state === 'starting' }

  ask(question: NameQuestion): void {
    if (!isContainerId(question.containerId) || (question.why === 'birth' && this.book.has(`container:${question.containerId}`))) return
    this.asks.add(question, nowMs())
    this.pump()
  }

  close(): void {
    this.abort.abort()
    clearTimeout(this.timer)
    this.client?.close()
    this.health = { ...this.health, state: 'closed' }
    this.settle()
  }

  private async run(): Promise<void> {
    const retries = this.options.retryMs ?? RETRY_MS
    let failures = 0
    while (!this.abort.signal.aborted) {
      const client = new CriClient(this.path, this.options.limits ?? LIMITS), ended = new Promise<void>((resolve) => { client.onEnd = resolve })
      const isServing = await this.open(client)
      this.settle()
      if (isServing) {
        failures = 0
        await this.serve(client, ended)
      }
      client.close()
      this.client = undefined
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
    this.runtime = printable(`${version.value.runtimeName} ${version.value.runtimeVersion}`.trim(), 80)
    this.client = client
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

  private async serve(client: CriClient, ended: Promise<void>): Promise<void> {
    void this.followEvents(client)
    this.pump()
    const period = setInterval(() => void this.list(client), this.options.listPeriodMs ?? LIST_PERIOD_MS).unref()
    await ended
    clearInterval(period)
    this.fail(client.fault ?? 'closed')
  }

  private answered(): void {
    if (this.health.state !== 'closed') this.health = { state: 'answering', detail: `${this.runtime} at ${this.path}`, reason: this.eventsReason, lastAnswerNs: nowMs() * 1e6 }
  }

  /** Every pod and container, then how the living ones stand; a list that fails ends the connection, to begin anew. */
  private async list(client: CriClient): Promise<boolean> {
    this.listedMs = nowMs()
    const [sandboxes, containers] = await Promise.all([client.sandboxes(), client.containers()])
    if ('why' in sandboxes || 'why' in containers) {
      const reason = client.fault ?? ('why' in sandboxes ? sandboxes.reason : 'why' in containers ? containers.reason : '')
      this.fail(reason)
      client.close()
      return false
    }
    this.answered()
    for (const sandbox of sandboxes.value) this.learnSandbox(sandbox)
    const unread: string[] = []
    for (const container of containers.value) {
      if (!this.book.has(`container:${container.id}`) && (container.state === 'running' || container.state === 'created')) unread.push(container.id)
      this.learn(container)
      this.asks.listed(container.id)
    }
    this.forget(sandboxes.value, containers.value)
    for (let i = 0; i < STATUSES_AT_ONCE; i++) void this.readStatuses(client, unread)
    return true
  }

  private forget(sandboxes: readonly Sandbox[], containers: readonly Container[]): void {
    const listed = new Set([...sandboxes.flatMap(({ id, pod }) => [id, pod.uid]), ...containers.map(({ id }) => id)])
    this.book.keepOnly((id) => listed.has(id))
  }

  /** Takes from the common list until it is empty. */
  private async readStatuses(client: CriClient, unread: string[]): Promise<void> {
    for (let id = unread.pop(); id !== undefined && client.fault === undefined; id = unread.pop()) {
      const status = await client.containerStatus(id, false)
      if (!('why' in status)) this.learn(status.value)
      // It hangs: the next list will tell; a thousand timeouts would not.
      else if (status.why === 'silent') return
    }
  }

  private async followEvents(client: CriClient): Promise<void> {
    const ended = await client.events((event) => this.learnEvent(event), () => this.answered())
    // Lists and questions go on; a runtime that ended the stream for another reason than not having it is asked again at the next connection.
    if (client.fault !== undefined || !('why' in ended)) return
    this.eventsReason = ended.why === 'refused' ? 'it offers no container events' : `no container events: ${printable(ended.reason, 200)}`
    if (this.health.state === 'answering') this.answered()
  }

  private learnEvent({ containerId, type, sandbox, statuses }: ContainerEvent): void {
    if (type !== CREATED && type !== STARTED && type !== STOPPED) return
    if (sandbox !== undefined) this.learnSandbox(sandbox)
    for (const status of statuses) {
      this.learn(status)
      if (status.id === containerId && type === STOPPED) this.learnStatus(status)
    }
  }

  private learnSandbox(sandbox: Sandbox): void {
    for (const fact of sandboxFacts(sandbox, this.runtime)) this.book.learn(fact)
  }

  private learn(container: Container | Status): void {
    const fact = containerFact(container, this.runtime)
    if (fact !== undefined) this.book.learn(fact)
  }

  private learnStatus(status: Status): void {
    const fact = statusFact(status)
    if (fact !== undefined) this.book.learn(fact)
  }

  /** Asks what is due, as far as there is room, and comes back when more is. */
  private pump(): void {
    const { client } = this
    clearTimeout(this.timer)
    if (client === undefined || this.abort.signal.aborted) return
    const now = nowMs()
    if (this.asks.countDue(now) > RATHER_LIST && now - this.listedMs > LIST_AT_MOST_EVERY_MS) void this.list(client).then(() => this.pump())
    else for (const { containerId, why } of this.asks.due(now, CALLS_AT_ONCE - this.busy)) void this.answer(client, containerId, why)
    const wait = this.asks.waitMs(now)
    if (wait !== undefined) this.timer = setTimeout(() => this.pump(), wait).unref()
  }

  private async answer(client: CriClient, containerId: string, why: AskReason): Promise<void> {
    this.busy += 1
    const isDone = why === 'birth' ? await this.askBorn(client, containerId) : await this.askVictim(client, containerId)
    this.busy -= 1
    if (client.fault !== undefined) this.asks.release(containerId)
    else if (isDone) this.asks.done(containerId)
    else this.asks.again(containerId, nowMs())
    this.pump()
  }

  private async askBorn(client: CriClient, containerId: string): Promise<boolean> {
    const status = await client.containerStatus(containerId, false)
    if (!('why' in status)) return this.learnWithPod(client, status.value)
    if (status.why !== 'missing') return false
    // The pause container of a pod is no container to CRI.
    const sandbox = await client.sandboxStatus(containerId)
    if ('why' in sandbox) return false
    this.learnSandbox(sandbox.value)
    return true
  }

  private async learnWithPod(client: CriClient, status: Status): Promise<boolean> {
    this.learn(status)
    const podUid = status.labels.get('io.kubernetes.pod.uid')
    if (podUid === undefined || this.book.has(`pod:${podUid}`)) return true
    const sandboxes = await client.sandboxes(podUid)
    for (const sandbox of sandboxes.value ?? []) this.learnSandbox(sandbox)
    return true
  }

  /** Until its runtime says that it is over, and the reason has had a moment to arrive: containerd learns of the OOM beside the exit. */
  private async askVictim(client: CriClient, containerId: string): Promise<boolean> {
    const status = await client.containerStatus(containerId, true)
    if ('why' in status) return false
    await this.learnWithPod(client, status.value)
    this.learnStatus(status.value)
    if (status.value.state !== 'exited') return false
    this.asks.become(containerId, 'exited')
    return status.value.reason === 'OOMKilled'
  }
}

/** What to do about it, for the two that a person can change. */
function wordsOf(reason: string, path: string): string {
  if (reason === 'EACCES' || reason === 'EPERM') return `${path}: not permitted (root may)`
  return `${path}: ${reason === 'ECONNREFUSED' ? 'nobody listens' : printable(reason, 200)}`
}
