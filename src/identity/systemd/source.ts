/**
 * systemd's units as a source of names: what they call themselves, what they were promised, how their main process ended. Asked through `systemctl show`,
 * which only reads: all units at the start and every few minutes, one soon after it was started or somebody in it was killed.
 */
import { existsSync } from 'node:fs'
import { reasonOf } from '../../base/errors.ts'
import { FactBook } from '../fact-book.ts'
import type { NameFact, NameSource, SourceHealth, UnitQuestion } from '../name-source.ts'
import { factsOf, PROPERTIES, unitOf } from './units.ts'

/** Runs `systemctl` with these arguments and gives what it printed; rejects with a reason in words. */
export type Systemctl = (args: readonly string[]) => Promise<string>

/** There when systemd is the init of this machine (sd_booted(3)). */
const BOOTED = '/run/systemd/system'
const PERIOD_MS = 300_000, RETRY_MS = 30_000
/** Not every scope and slice: on a node of Kubernetes most are containers and pods, which their runtime knows better. */
const LISTED = ['*.service', 'run-*.scope', 'session-*.scope', 'system*.slice', 'user*.slice', 'machine*.slice'] as const
/** A restart forgets how the run before it ended, 100 ms after (RestartSec=): asked at once, and again for what comes of it. */
const AGAIN_MS = { birth: [300], victim: [20, 200, 1000, 5000] } as const
/** One call at a time, and so long apart: a unit that is started over and over must not keep systemd busy. */
const LEAST_GAP_MS = 100
const MOST_A_CALL = 100, MOST_WAITING = 1000

type Ask = { readonly cgroupPath: string; readonly waitsMs: readonly number[]; tries: number; dueMs: number }

const nowMs = (): number => performance.now()

export class SystemdSource implements NameSource {
  readonly name = 'systemd'
  readonly settled: Promise<void>
  health: SourceHealth = { state: 'starting' }
  private settle: () => void = () => undefined
  private readonly systemctl: Systemctl
  private readonly booted: string
  private readonly book = new FactBook()
  private readonly asks = new Map<string, Ask>()
  private listDueMs = 0
  private hasTimes = true
  private isAsking = false
  private timer: NodeJS.Timeout | undefined

  constructor(systemctl: Systemctl, booted = BOOTED) {
    this.systemctl = systemctl
    this.booted = booted
    this.settled = new Promise((resolve) => { this.settle = resolve })
  }

  start(): void {
    if (existsSync(this.booted)) this.arm()
    else {
      this.health = { state: 'absent' }
      this.settle()
    }
  }

  take(): readonly NameFact[] { return this.book.take() }

  /** Knows no containers. */
  ask(): void { return undefined }

  askUnit({ cgroupPath, why }: UnitQuestion): void {
    const unit = unitOf(cgroupPath), before = unit === undefined ? undefined : this.asks.get(unit), waitsMs = AGAIN_MS[why]
    if (unit === undefined || this.health.state === 'absent' || this.health.state === 'closed' || (before !== undefined && (why === 'birth' || before.waitsMs === AGAIN_MS.victim))) return
    if (before === undefined && this.asks.size >= MOST_WAITING) return
    this.asks.set(unit, { cgroupPath, waitsMs, tries: 0, dueMs: nowMs() + waitsMs[0] })
    this.arm()
  }

  close(): void {
    clearTimeout(this.timer)
    this.health = { ...this.health, state: 'closed' }
    this.settle()
  }

  /** The next call, when the first of what waits is due. */
  private arm(): void {
    if (this.isAsking || this.health.state === 'closed') return
    const dueMs = Math.min(this.listDueMs, ...[...this.asks.values()].map((ask) => ask.dueMs))
    clearTimeout(this.timer)
    this.timer = setTimeout(() => void this.turn(), Math.max(0, dueMs - nowMs())).unref()
  }

  private async turn(): Promise<void> {
    const now = nowMs(), isList = this.listDueMs <= now
    const due = [...this.asks].filter(([, { dueMs }]) => isList || dueMs <= now).slice(0, MOST_A_CALL)
    // A timer may be a moment early; and asked about nobody, systemd would tell of itself.
    if (!isList && due.length === 0) return this.arm()
    this.isAsking = true
    try {
      const facts = factsOf(await this.show(isList ? LISTED : due.map(([unit]) => unit)), new Map(due.map(([unit, { cgroupPath }]) => [unit, cgroupPath])))
      for (const fact of facts) this.book.learn(fact)
      if (this.health.state !== 'closed') this.health = { state: 'answering', lastAnswerNs: nowMs() * 1e6 }
    } catch (error) {
      if (this.health.state !== 'closed') this.health = { ...this.health, state: 'failing', reason: reasonOf(error) }
    }
    if (isList) this.listDueMs = nowMs() + (this.health.state === 'answering' ? PERIOD_MS : RETRY_MS)
    for (const [unit, ask] of due) this.again(unit, ask)
    this.settle()
    await new Promise((resolve) => { setTimeout(resolve, LEAST_GAP_MS).unref() })
    this.isAsking = false
    this.arm()
  }

  /** systemd before 247 prints times to the second only, and does not know the option. */
  private async show(units: readonly string[]): Promise<string> {
    const ask = (options: readonly string[]): Promise<string> => this.systemctl(['show', '--no-pager', ...options, `--property=${PROPERTIES.join(',')}`, '--', ...units])
    if (!this.hasTimes) return ask([])
    try {
      return await ask(['--timestamp=us+utc'])
    } catch (error) {
      if (!/unrecognized option|Unknown option/i.test(reasonOf(error))) throw error
      this.hasTimes = false
      return ask([])
    }
  }

  private again(unit: string, ask: Ask): void {
    // Killed meanwhile: the newer question stands.
    if (this.asks.get(unit) !== ask) return
    ask.tries += 1
    const wait = ask.waitsMs[ask.tries]
    if (wait === undefined) this.asks.delete(unit)
    else ask.dueMs = nowMs() + wait
  }
}
