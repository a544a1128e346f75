/** What really happened in a scenario, as JSON: written where it happened, compared wherever the recording is read. */
import { readFileSync } from 'node:fs'
import { badnessOf } from './kernel-log.ts'
import type { OomReport, TaskRow } from './kernel-log.ts'

/** A process the lab started. `name` is its comm with U+FFFD for what is not UTF-8. */
export type Person = { readonly pid: number; readonly comm: string; readonly path: string; readonly memcgId: number; readonly oomScoreAdj: number }

export type TrueCandidate = { readonly pid: number; readonly oomScoreAdj: number; /** Absent: oom_badness() says LONG_MIN. */ readonly points?: number; readonly chosen: boolean; /** Absent for processes that are not the lab's. */ readonly person?: Person }

export type TrueLimit = {
  readonly path: string; readonly memcgId: number; readonly bytes: number
  /** By which oom_badness() normalises, where it is more than the limit: mem_cgroup_get_max() adds swap. */
  readonly totalPages?: number
}

/** What a log alone can know less of. */
export type InLog = { readonly cause?: string; readonly confidence?: string; readonly hasPoints?: boolean; readonly hasReasons?: boolean }

/** One kill decision, as the kernel logged it and the test meant it. */
export type TrueKill = {
  readonly cause: string; readonly level: string
  readonly limit?: TrueLimit
  /** Absent when the log names a thread of a process that is not the lab's: its table has processes only. */
  readonly invokerPid?: number
  /** What the kernel itself said the limit was filled with. */
  readonly anonBytes?: number
  /** The chosen one first. */
  readonly victims: readonly Person[]
  /** What the kernel called them: a thread's id where the leader was gone. */
  readonly victimTids: readonly number[]
  readonly candidates: readonly TrueCandidate[]
  /** Why reclaim could not save it, if the scenario made sure of it. */
  readonly reasons?: readonly string[]
  readonly inLog?: InLog
}

/** A death by a process's signal. */
export type TrueStroke = {
  readonly cause: string; readonly confidence: string; readonly signal: string
  readonly sender: { readonly pid: number; readonly comm: string }
  /** Who had sent SIGTERM before, and at least how long before. */
  readonly asker?: { readonly pid: number; readonly comm: string }; readonly graceMs?: number
  readonly victims: readonly Person[]
}

/** The OOM killer ran for this limit and found somebody who was dying anyway. */
export type TrueNoKill = { readonly limitPath: string; readonly exitingPid: number }

/** Something that can be checked on the spot, without oomscope: the lab's own sanity. */
export type Fact = { readonly what: string; readonly holds: boolean; readonly detail: string }

export type Truth = {
  readonly scenario: string
  readonly kills: readonly TrueKill[]
  readonly strokes: readonly TrueStroke[]
  readonly noKills: readonly TrueNoKill[]
  /** The lab's processes that no decision killed. */
  readonly spared: readonly Person[]
  readonly memcgs: Readonly<Record<string, { readonly path: string; readonly memcgId: number }>>
  /** Readings of the kernel's own counters, before and after. */
  readonly readings: Readonly<Record<string, number>>
  readonly facts: readonly Fact[]
}

/** What a scenario says beforehand about every decision it causes. */
export type Expected = {
  readonly cause: string; readonly level: string
  /** None: the node. Several: which one it was is told by the victim. */
  readonly limits: readonly TrueLimit[]
  /** In one decision, the chosen one first; several decisions in any order are several lists. */
  readonly victims: readonly (readonly Person[])[]
  readonly invokers: readonly Person[]
  /** Of the decisions that were caused: the kernel may go on killing while what it freed is not there yet. */
  readonly reasons?: readonly string[]
  readonly inLog?: InLog
  /** Processes that the lab did not start one by one, all alike. */
  readonly others?: Omit<Person, 'pid'>
  /** Of the NUMA nodes that were allowed, where it was them. */
  readonly totalPages?: number
}

export const fact = (what: string, holds: boolean, detail: unknown = ''): Fact => ({ what, holds, detail: typeof detail === 'string' ? detail : JSON.stringify(detail) })

/** totalram_pages(); the lab has no swap. */
const ramPages = (): number => Number(/^MemTotal: +(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1]) / 4

const pidOf = (report: OomReport, tid: number): number => report.tasks.find((row) => row.tid === tid)?.pid ?? tid

/** A decision from the kernel's report, with the names the lab gave. */
export function killOf(report: OomReport, expected: Expected, people: readonly Person[]): TrueKill {
  const killed = report.killedTids.map((tid) => pidOf(report, tid)), person = (pid: number): Person | undefined => people.find((who) => who.pid === pid)
  const limit = expected.limits.find(({ path }) => path === person(killed[0] ?? 0)?.path) ?? expected.limits[0], totalPages = expected.totalPages ?? limit?.totalPages ?? (limit === undefined ? ramPages() : limit.bytes / 4096)
  const candidate = (row: TaskRow): TrueCandidate => {
    const points = badnessOf(row, totalPages), who = person(row.pid)
    return { pid: row.pid, oomScoreAdj: row.oomScoreAdj, chosen: row.pid === killed[0], ...(points === undefined ? {} : { points }), ...(who === undefined ? {} : { person: who }) }
  }
  return {
    cause: expected.cause, level: expected.level, ...(limit === undefined ? {} : { limit }), ...(report.anonBytes === undefined ? {} : { anonBytes: report.anonBytes }), ...(expected.invokers.length === 0 && !report.tasks.some((row) => row.tid === report.invokerTid) ? {} : { invokerPid: pidOf(report, report.invokerTid) }),
    ...(expected.reasons === undefined || !expected.victims.some(([first]) => first?.pid === killed[0]) ? {} : { reasons: expected.reasons }), ...(expected.inLog === undefined ? {} : { inLog: expected.inLog }),
    victims: killed.map((pid) => person(pid) ?? (expected.others === undefined ? undefined : { ...expected.others, pid }) ?? { pid, comm: '?', path: '?', memcgId: 0, oomScoreAdj: 0 }), victimTids: report.killedTids, candidates: report.tasks.map(candidate),
  }
}

const pids = (people: readonly Person[]): number[] => people.map((who) => who.pid)
const sorted = (numbers: readonly number[]): string => JSON.stringify(numbers.toSorted((a, b) => a - b))

/** Does the kernel's log say what the test meant to cause, and does it agree with itself? */
export function factsOf(kills: readonly TrueKill[], expected: Expected | undefined): Fact[] {
  const wanted = expected?.victims ?? []
  return [
    fact('the kernel logged at least the decisions that were caused', kills.length >= wanted.length, { logged: kills.length, caused: wanted.length }),
    fact('no decision where none was caused', wanted.length > 0 || kills.length === 0, kills),
    ...wanted.map((list) => {
      const kill = kills.find((k) => k.victims[0]?.pid === list[0]?.pid)
      return fact(`the kernel killed ${list.map((who) => JSON.stringify(who.comm)).join(', ')}`, kill !== undefined && sorted(pids(kill.victims)) === sorted(pids(list)), kills.map((k) => k.victims))
    }),
    ...kills.flatMap((kill) => {
      const chosen = kill.candidates.find((c) => c.chosen), best = Math.max(...kill.candidates.map((c) => c.points ?? Number.NEGATIVE_INFINITY))
      return [
        fact('the victim has the most points of the task table', chosen?.points === best, kill.candidates),
        fact('the invoker is who allocated', expected === undefined || expected.invokers.length === 0 || pids(expected.invokers).includes(kill.invokerPid ?? 0), kill.invokerPid),
        fact('the dead are the lab\'s', kill.victims.every((who) => who.comm !== '?'), kill.victims),
      ]
    }),
  ]
}
