/** The laboratory: makes cgroups and workloads, knows all of them, and clears up behind each scenario. */
import { readFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { Memcg } from './cgroup.ts'
import type { MemcgMount } from './cgroup.ts'
import { KernelLog, oomReports } from './kernel-log.ts'
import type { OomReport } from './kernel-log.ts'
import { factsOf, killOf } from './truth.ts'
import type { Expected, Fact, Person, TrueNoKill, TrueStroke, Truth } from './truth.ts'
import { commOf, hogArguments, Workload } from './workload.ts'
import type { HogOptions } from './workload.ts'

export type Place = 'host' | 'guest'

export type LabOptions = {
  readonly place: Place
  readonly mount: MemcgMount
  /** Every group is made below this path: '' in a guest, a name of our own on a machine with other tenants. */
  readonly root: string
  /** Where the built workloads are. */
  readonly programs: string
  /** A directory on a file system with page cache. */
  readonly scratch: string
}

/** What a scenario tells when it is over. */
export type Outcome = { readonly expected?: Expected; readonly strokes?: readonly TrueStroke[]; readonly noKills?: readonly TrueNoKill[]; readonly facts?: readonly Fact[]; readonly memcgs?: Readonly<Record<string, Memcg>>; readonly readings?: Readonly<Record<string, number>> }

export type Scenario = {
  readonly name: string
  readonly places: readonly Place[]
  /** Reports it may cause at most: dump_header() is rate-limited. */
  readonly reports: number
  readonly run: (lab: Lab) => Promise<Outcome>
}

/** A workload together with who it is. `who` is the process that takes memory: with `fork` the child. */
export type Hog = { readonly workload: Workload; readonly who: Person }

/** mm/oom_kill.c: oom_rs allows DEFAULT_RATELIMIT_BURST reports in DEFAULT_RATELIMIT_INTERVAL. */
const BURST = 10, INTERVAL_MS = 5000
/** What is not in the log after so long is no longer written. */
const WRITTEN_MS = 10, WRITTEN_TRIES = 1000
/** The dead hold their cgroup until they are gone altogether. */
const BURIAL_MS = 10, BURIAL_TRIES = 6000

/** Does this process have the capability with this number (24 is CAP_SYS_RESOURCE)? */
function hasCapability(number: number): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'
  return (BigInt(`0x${effective}`) >> BigInt(number)) % 2n === 1n
}

/** Children of a workload may still be on their way out when it has ended; who never leaves is a failure. */
async function removeEmptied(group: Memcg): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      group.remove()
      return
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EBUSY' || tries >= BURIAL_TRIES) throw error
    }
    await wait(BURIAL_MS)
  }
}

export class Lab {
  readonly options: LabOptions
  readonly log = new KernelLog()
  private readonly mayProtect = hasCapability(24)
  private readonly workloads: Workload[] = []
  private readonly people: Person[] = []
  private groups: Memcg[] = []
  private readonly reportTimes: number[] = []

  constructor(options: LabOptions) { this.options = options }

  /** A group of our own, remembered for removal. */
  memcg(path: Buffer | string, limits: Parameters<Memcg['create']>[0] = {}): Memcg {
    const group = new Memcg(this.options.mount, Buffer.concat([Buffer.from(this.options.root), Buffer.from(path)]))
    return this.remember(group.create(limits))
  }

  remember(group: Memcg): Memcg {
    this.groups.push(group)
    return group
  }

  /** Leaves it, and what it lies in, when the scenario is over: whoever watches may come late to read what is written on it. For a guest, which ends with all its groups. */
  keep(group: Memcg): void { this.groups = this.groups.filter(({ path }) => !`${group.path}/`.startsWith(`${path}/`)) }

  start(program: string, args: readonly string[] = []): Workload {
    const workload = new Workload(`${this.options.programs}/${program}`, args)
    this.workloads.push(workload)
    return workload
  }

  /** A hog that has touched its first memory. */
  async hog(options: HogOptions & { readonly cgroup: Memcg }): Promise<Hog> {
    const workload = this.start('hog', hogArguments(options)), pid = await workload.says('ready'), who = this.person(pid, options)
    if (workload.pid !== pid) this.person(workload.pid, options)
    return { workload, who }
  }

  /** A living process in a group of ours. */
  person(pid: number, { cgroup, oomScoreAdj = 0 }: { readonly cgroup: Memcg; readonly oomScoreAdj?: number }): Person {
    const who = { pid, comm: commOf(pid), path: cgroup.path, memcgId: cgroup.inode, oomScoreAdj }
    this.people.push(who)
    return who
  }

  /** Lets it grow until it has what it wants, or is dead. */
  async grow({ workload }: Hog): Promise<void> {
    workload.tell('g')
    await workload.says('grown', 'child-signal').catch(() => undefined)
  }

  /** The wanted oom_score_adj, or 0 where going below 0 is not allowed (no CAP_SYS_RESOURCE). */
  protected(oomScoreAdj: number): number { return this.mayProtect ? oomScoreAdj : 0 }

  /** Runs one scenario and tells what really happened. */
  async perform(scenario: Scenario): Promise<Truth> {
    await this.roomForReports(scenario.reports)
    try {
      const outcome = await scenario.run(this)
      return this.truthOf(scenario, outcome, await this.reportsOf(outcome))
    } finally {
      await this.clear()
    }
  }

  /** __oom_kill_process() first sends the signal and then writes its line: who is dead already may not be in the log yet. */
  private async reportsOf({ expected }: Outcome): Promise<readonly OomReport[]> {
    const wanted = expected?.victims.flat().length ?? 0, lines: string[] = []
    for (let tries = 0; ; tries += 1) {
      lines.push(...this.log.lines())
      const reports = oomReports(lines).filter((report) => this.isOurs(report))
      if (reports.flatMap(({ killedTids }) => killedTids).length >= wanted || tries >= WRITTEN_TRIES) return reports
      await wait(WRITTEN_MS)
    }
  }

  private truthOf(scenario: Scenario, outcome: Outcome, reports: readonly OomReport[]): Truth {
    for (const _ of reports) this.reportTimes.push(performance.now())
    const { expected } = outcome, kills = expected === undefined ? [] : reports.map((report) => killOf(report, expected, this.people))
    const dead = new Set(kills.flatMap((kill) => kill.victims.map((who) => who.pid)))
    const unexpected: readonly Fact[] = expected === undefined && reports.length > 0 ? [{ what: 'no OOM report', holds: false, detail: JSON.stringify(reports) }] : []
    return {
      scenario: scenario.name, kills, strokes: outcome.strokes ?? [], noKills: outcome.noKills ?? [], spared: this.people.filter((who) => !dead.has(who.pid)),
      memcgs: Object.fromEntries(Object.entries(outcome.memcgs ?? {}).map(([role, group]) => [role, { path: group.path, memcgId: group.inode }])),
      readings: outcome.readings ?? {}, facts: [...unexpected, ...factsOf(kills, expected), ...outcome.facts ?? []],
    }
  }

  /** On a shared machine others are killed too. */
  private isOurs(report: OomReport): boolean {
    return report.killedTids.some((tid) => this.people.some((who) => who.pid === tid || who.pid === report.tasks.find((row) => row.tid === tid)?.pid)) || this.options.place === 'guest'
  }

  private async roomForReports(wanted: number): Promise<void> {
    // What the log says now happened before the scenario; others' reports fill the window too.
    for (const _ of oomReports(this.log.lines())) this.reportTimes.push(performance.now())
    const blocking = this.reportTimes.at(wanted - BURST - 1)
    const restMs = blocking === undefined ? 0 : blocking + INTERVAL_MS - performance.now()
    if (restMs > 0) await wait(restMs)
  }

  /** Ends every workload and removes every group, the innermost first. */
  async clear(): Promise<void> {
    for (const workload of this.workloads.splice(0)) await workload.end()
    for (const group of this.groups.splice(0).toReversed()) await removeEmptied(group)
    this.people.splice(0)
  }

  close(): void { this.log.close() }
}
