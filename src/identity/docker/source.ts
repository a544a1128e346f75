/**
 * Docker's socket, or podman's of the same form, as a source of names. It is left alone until a container without a name is seen: on most
 * nodes nobody uses it, and a connection would start the program behind a socket that systemd holds. Two calls, both of which only read.
 */
import { lstat } from 'node:fs/promises'
import { errnoOf } from '../../base/errors.ts'
import { Asks, type AskReason } from '../asks.ts'
import { FactBook } from '../fact-book.ts'
import { getJson, type Answer } from '../http-json.ts'
import { containerIdOf } from '../ids.ts'
import type { NameFact, NameQuestion, NameSource, SourceHealth } from '../name-source.ts'
import { inspectedFacts, listedOf } from './facts.ts'

export type DockerOptions = {
  /** Somebody said that it is there. */
  readonly isNamed?: boolean
  /** Asks without a reason, for `doctor`. */
  readonly isEager?: boolean
  readonly listPeriodMs?: number; readonly timeoutMs?: number
  /** After a failure. */
  readonly recheckMs?: number
  /** Is there while the daemon runs: without it a connection would start it. */
  readonly pidFile?: string | undefined
}

export const DOCKER_SOCKET = '/run/docker.sock', DOCKER_PID_FILE = '/run/docker.pid', PODMAN_SOCKET = '/run/podman/podman.sock'
const LIST_PERIOD_MS = 30_000, TIMEOUT_MS = 3000, CALLS_AT_ONCE = 4, MAX_LIST_BYTES = 8 * 2 ** 20, MAX_ONE_BYTES = 2 ** 20, RECHECK_MS = 5000
/** The word that needs no second look. */
const OOM = 'OOMKilled'

const nowMs = (): number => performance.now()

export class DockerSource implements NameSource {
  readonly name: string
  readonly settled: Promise<void>
  health: SourceHealth = { state: 'starting' }
  private settle: () => void = () => undefined
  private readonly path: string
  private readonly options: DockerOptions
  private readonly book = new FactBook()
  private readonly asks = new Asks()
  private readonly abort = new AbortController()
  /** Of the last list: what each container's state was. */
  private states = new Map<string, string>()
  private unread: string[] = []
  private busy = 0
  private isListing = false
  private hasPods = false
  private checkedMs = -Infinity
  private isWanted = false
  private timer: NodeJS.Timeout | undefined
  private period: NodeJS.Timeout | undefined

  constructor(name: 'docker' | 'podman', path: string, options: DockerOptions = {}) {
    this.name = name
    this.path = path
    this.options = options
    this.settled = new Promise((resolve) => { this.settle = resolve })
  }

  start(): void {
    this.period ??= setInterval(() => { if (this.isWanted) void this.list() }, this.options.listPeriodMs ?? LIST_PERIOD_MS).unref()
    void this.look().then(async (isThere) => {
      if (isThere && this.options.isEager === true) await this.list()
      this.settle()
    })
  }

  take(): readonly NameFact[] { return this.book.take() }

  /** Containers of Kubernetes' pods are the CRI's, except where a list had some of them. */
  ask(question: NameQuestion): void {
    if (this.abort.signal.aborted || containerIdOf(question.containerId) === undefined) return
    if (question.podUid !== undefined && !this.hasPods) return
    if (question.why === 'birth' && this.book.has(`container:${question.containerId}`)) return
    this.asks.add(question, nowMs())
    if (this.isWanted) this.pump()
    else void this.begin()
  }

  close(): void {
    this.abort.abort()
    clearTimeout(this.timer)
    clearInterval(this.period)
    this.health = { ...this.health, state: 'closed' }
    this.settle()
  }

  private async begin(): Promise<void> {
    if (nowMs() - this.checkedMs < (this.options.recheckMs ?? RECHECK_MS) && this.health.state !== 'starting') { this.retry(); return }
    if (await this.look()) await this.list()
  }

  /** Whether somebody would answer; nothing is connected to. */
  private async look(): Promise<boolean> {
    this.checkedMs = nowMs()
    const { isNamed = false, pidFile } = this.options, missing = await missingOf(this.path)
    const asleep = missing === undefined && pidFile !== undefined && !isNamed ? await missingOf(pidFile) : undefined
    if (this.abort.signal.aborted) return false
    if (missing === undefined && asleep === undefined) return true
    this.health = isNamed || (missing ?? asleep) !== 'ENOENT' ? { state: 'failing', reason: `${this.path}: ${missing === 'ENOENT' ? 'there is no such socket' : `cannot be looked at (${missing ?? asleep ?? ''})`}` }
      : { state: 'absent', ...(asleep === undefined ? {} : { reason: `${this.path}: nobody runs behind it, and it is not started for this` }) }
    return false
  }

  private async get(path: string, maxBytes: number): Promise<Answer> {
    return await getJson({ socketPath: this.path }, path, { timeoutMs: this.options.timeoutMs ?? TIMEOUT_MS, maxBytes, signal: this.abort.signal })
  }

  private async list(): Promise<void> {
    if (this.isListing || this.abort.signal.aborted) return
    this.isWanted = true
    this.isListing = true
    const answer = await this.get('/containers/json?all=1', MAX_LIST_BYTES)
    this.isListing = false
    if (this.abort.signal.aborted) return
    if ('failure' in answer || !Array.isArray(answer.value)) {
      this.failed('failure' in answer ? answer.failure : 'the answer is no list')
      return
    }
    this.health = { state: 'answering', detail: `${answer.server ?? this.name} at ${this.path}`, lastAnswerNs: nowMs() * 1e6 }
    this.learnList(answer.value)
    this.pump()
  }

  /** Asked again when the next one is wanted: at the next period, or at the next birth. */
  private failed(why: string): void {
    this.isWanted = false
    this.health = why === 'there is no such socket' && this.options.isNamed !== true ? { state: 'absent' } : { ...this.health, state: 'failing', reason: `${this.path}: ${why}` }
    this.retry()
  }

  private retry(): void {
    clearTimeout(this.timer)
    if (this.asks.size > 0 && !this.abort.signal.aborted) this.timer = setTimeout(() => void this.begin(), this.options.recheckMs ?? RECHECK_MS).unref()
  }

  private learnList(rows: readonly unknown[]): void {
    const states = new Map<string, string>()
    let hasPods = false
    for (const row of rows) {
      const listed = listedOf(row)
      if (listed === undefined) continue
      states.set(listed.containerId, listed.state)
      hasPods ||= listed.isOfPod
      if (this.states.get(listed.containerId) !== listed.state) this.unread.push(listed.containerId)
      this.book.learn(listed.fact)
    }
    this.hasPods = hasPods
    this.book.keepOnly((id) => states.has(id))
    this.states = states
  }

  /** Asks what is due, as far as there is room, and comes back when more is. */
  private pump(): void {
    clearTimeout(this.timer)
    if (!this.isWanted || this.abort.signal.aborted) return
    for (const { containerId, why } of this.asks.due(nowMs(), CALLS_AT_ONCE - this.busy)) void this.answer(containerId, why)
    while (this.busy < CALLS_AT_ONCE) {
      const id = this.unread.pop()
      if (id === undefined) break
      void this.answer(id)
    }
    const wait = this.asks.waitMs(nowMs())
    if (wait !== undefined) this.timer = setTimeout(() => this.pump(), wait).unref()
  }

  private async answer(containerId: string, why?: AskReason): Promise<void> {
    this.busy += 1
    const answer = await this.get(`/containers/${containerId}/json`, MAX_ONE_BYTES)
    this.busy -= 1
    if (this.abort.signal.aborted) return
    if ('failure' in answer) {
      // One that is gone, or not yet there, is no fault of the daemon.
      if (answer.status === undefined) { this.asks.release(containerId); this.forgetUnread(containerId); this.failed(answer.failure); return }
      if (why !== undefined) this.asks.again(containerId, nowMs())
    } else this.learn(containerId, why, inspectedFacts(answer.value, answer.server))
    this.pump()
  }

  /** Those that were to be read when it failed are as new at the next list. */
  private forgetUnread(containerId: string): void {
    for (const id of [containerId, ...this.unread]) this.states.delete(id)
    this.unread = []
  }

  private learn(containerId: string, why: AskReason | undefined, facts: readonly NameFact[]): void {
    const isAnswer = facts.some((fact) => fact.containerId === containerId)
    // An answer about somebody else is none.
    if (isAnswer) for (const fact of facts) this.book.learn(fact)
    if (why === undefined) return
    const status = facts.find((fact) => fact.kind === 'container_status'), isOver = status?.state === 'exited'
    // Its cgroup is there before it runs: then it has no process yet.
    if (isAnswer && (why === 'birth' ? status?.state !== 'created' : why === 'resized' || (isOver && status.reason === OOM))) { this.asks.done(containerId); return }
    // Docker learns of the OOM beside the exit, and sometimes after it (moby, daemon/monitor.go: EventOOM).
    if (isAnswer && isOver && why === 'victim') this.asks.become(containerId, 'exited')
    this.asks.again(containerId, nowMs())
  }
}

/** Why there is no such file; nothing when there is one. */
async function missingOf(path: string): Promise<string | undefined> {
  try {
    await lstat(path)
    return undefined
  } catch (error) {
    return errnoOf(error) || 'unreadable'
  }
}
