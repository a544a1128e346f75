/** Asks a runtime about single containers, as the queue says it is time to. */
import type { NameQuestion } from '../name-source.ts'
import { Asks, type Ask } from '../asks.ts'
import { containerIdOf } from '../ids.ts'
import type { CriClient } from './client.ts'
import type { Learner } from './learner.ts'
import type { Status } from './messages.ts'

/**
 * Calls at the same time: those of a window in one go, which cost a third less than in waves of eight (each wave wakes the process again).
 * What leaves the runtime to its kubelet is that there are only so many a second.
 */
const CALLS_AT_ONCE = 32
/** So many unknown ones at once are cheaper to list. */
const RATHER_LIST = 60
/** A runtime that tells events says it by itself soon; and none has noticed a death the moment the kernel decides it. */
const DELAY_MS = { birth: { events: 300, none: 0 }, victim: { events: 500, none: 100 }, resized: { events: 0, none: 0 } } as const
/** Questions of one window are asked together: ten calls in a row cost half of ten calls each on its own. Who asks much waits longer. */
const WINDOW_MS = { calm: 100, busy: 1000 } as const, BUSY_PER_SECOND = 5

const nowMs = (): number => performance.now()

export class Questioner {
  /** Events tell, too. */
  hasEvents = false
  /** Called instead of asking one by one; says whether a list is on its way. */
  listInstead: () => boolean = () => false
  private readonly asks: Asks
  private readonly learner: Learner
  private client: CriClient | undefined
  private busy = 0
  /** Pods (uids) that somebody is asking about just now. */
  private readonly podsAsked = new Set<string>()
  private timer: NodeJS.Timeout | undefined
  private ringsMs = 0
  private second = { startMs: 0, count: 0, before: 0 }

  constructor(asks: Asks, learner: Learner) {
    this.asks = asks
    this.learner = learner
  }

  /** Who to ask from now on; nobody: questions wait. */
  use(client: CriClient | undefined): void {
    this.client = client
    if (client === undefined) {
      clearTimeout(this.timer)
      this.timer = undefined
    }
    this.pump()
  }

  ask(question: NameQuestion): void {
    const { containerId, why } = question
    if (containerIdOf(containerId) === undefined || (why === 'birth' && this.learner.knows(`container:${containerId}`)) || this.learner.isOver(containerId)) return
    const now = nowMs(), window = this.windowMs(now)
    this.asks.add(question, Math.ceil((now + DELAY_MS[why][this.hasEvents ? 'events' : 'none']) / window) * window)
    this.arm()
  }

  /** By how many questions this second and the one before had. */
  private windowMs(now: number): number {
    if (now - this.second.startMs > 1000) this.second = { startMs: now, count: 0, before: now - this.second.startMs > 2000 ? 0 : this.second.count }
    this.second.count += 1
    return Math.max(this.second.count, this.second.before) > BUSY_PER_SECOND ? WINDOW_MS.busy : WINDOW_MS.calm
  }

  /** Asks what is due, as far as there is room, and comes back when more is. */
  pump(): void {
    const { client } = this, now = nowMs()
    if (client === undefined) return
    if (this.asks.countDue(now) <= RATHER_LIST || !this.listInstead()) for (const ask of this.asks.due(now, CALLS_AT_ONCE - this.busy)) void this.answer(client, ask)
    this.arm()
  }

  /** The timer stands already when it rings soon enough: this runs for every birth and every answer. */
  private arm(): void {
    const now = nowMs(), wait = this.client === undefined ? undefined : this.asks.waitMs(now)
    if (wait === undefined || (this.timer !== undefined && this.ringsMs <= now + wait)) return
    clearTimeout(this.timer)
    this.ringsMs = now + wait
    this.timer = setTimeout(() => {
      this.timer = undefined
      this.pump()
    }, wait).unref()
  }

  private async answer(client: CriClient, ask: Ask): Promise<void> {
    this.busy += 1
    const isDone = await (ask.why === 'birth' ? this.askBorn(client, ask) : ask.why === 'resized' ? this.askContainer(client, ask.containerId) : this.askVictim(client, ask.containerId))
    this.busy -= 1
    if (client.fault !== undefined) this.asks.release(ask.containerId)
    else if (isDone) this.asks.done(ask.containerId)
    else this.asks.again(ask.containerId, nowMs())
    if (this.asks.countDue(nowMs()) > 0) this.pump()
    else this.arm()
  }

  private async askBorn(client: CriClient, { containerId, podUid }: Ask): Promise<boolean> {
    // The pause container, which is no container to CRI, is the first to be born in a pod.
    if (podUid === undefined || this.isPodSettled(podUid)) return await this.askContainer(client, containerId) || (client.fault === undefined && this.askSandbox(client, containerId))
    this.podsAsked.add(podUid)
    const isSandbox = await this.askSandbox(client, containerId)
    this.podsAsked.delete(podUid)
    return isSandbox || (client.fault === undefined && this.askContainer(client, containerId))
  }

  private isPodSettled(podUid: string): boolean { return this.learner.knows(`pod:${podUid}`) || this.podsAsked.has(podUid) }

  private async askContainer(client: CriClient, containerId: string): Promise<boolean> {
    const status = await client.containerStatus(containerId)
    return !('why' in status) && this.learnWithPod(client, status.value)
  }

  private async askSandbox(client: CriClient, containerId: string): Promise<boolean> {
    const sandbox = await client.sandboxStatus(containerId)
    if (!('why' in sandbox)) this.learner.sandbox(sandbox.value)
    return !('why' in sandbox)
  }

  /** A status has the pod's name, but not its labels: those are the sandbox's. */
  private async learnWithPod(client: CriClient, status: Status): Promise<boolean> {
    this.learner.container(status)
    const podUid = status.labels.get('io.kubernetes.pod.uid')
    if (podUid === undefined || this.isPodSettled(podUid)) return true
    this.podsAsked.add(podUid)
    const sandboxes = await client.sandboxesOf(podUid)
    this.podsAsked.delete(podUid)
    for (const sandbox of sandboxes) this.learner.sandbox(sandbox)
    return true
  }

  /** Until its runtime says that it is over, and why; or until it has removed what it had: that never comes back. */
  private async askVictim(client: CriClient, containerId: string): Promise<boolean> {
    const status = await client.containerStatus(containerId)
    if ('why' in status) return status.why === 'missing' && this.learner.knows(`container:${containerId}`)
    await this.learnWithPod(client, status.value)
    return this.learner.status(status.value)
  }
}
