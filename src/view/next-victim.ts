/** Who would be killed next, in words and as a table: always with its age, because it is computed from readings and not the kernel's own decision. */
import { plural } from '../base/text.ts'
import { workloadIn } from '../identity/workload.ts'
import type { NodeModel } from '../model/node.ts'
import type { Process } from '../model/processes.ts'
import { nextVictimOf } from '../verdict/next-victim.ts'
import type { Judgement, NextVictim } from '../verdict/next-victim.ts'
import { cellText } from './cell-text.ts'
import { bytesCell, secondsCell } from './compact.ts'
import type { DetailLine } from './detail.ts'
import { levelLabel, podLabel } from './lens.ts'

const ageText = (ageNs: number): string => (ageNs < 1e9 ? 'under 1s' : secondsCell(ageNs / 1e9))

/** A pod and its container, or the last part of the cgroup's path. */
function placeOf(model: NodeModel, { memcgId }: Process): string {
  const path = model.memcgs.get(memcgId)?.path
  if (path === undefined) return ''
  const workload = workloadIn(model, path), pod = podLabel(workload)
  return pod === undefined ? levelLabel(workload, path) : workload.container === undefined ? pod : `${pod}:${cellText(workload.container)}`
}

/** Where the pod is told already. */
function containerOf(model: NodeModel, { memcgId }: Process): string {
  const path = model.memcgs.get(memcgId)?.path
  return path === undefined ? '-' : levelLabel(workloadIn(model, path), path).replace(/^container "(.*)"$/, '$1')
}

/** The name alone says little of `python` or `java`: what it runs does. */
export function commandOf({ comm, command }: Process): string {
  return cellText(command?.commandLine ?? comm)
}

const who = ({ task }: Judgement): string => `${cellText(task.comm)} (pid ${task.pid})`
/** Points as memory: they are pages. */
const pointsText = (model: NodeModel, points: number): string => bytesCell(points * (model.hello?.pageSizeBytes ?? 4096))
const adjText = ({ task: { memory } }: Judgement): string => String(memory?.oomScoreAdj ?? 0)

/** Why it and not another one: its size, or its adjustment. */
function whyOf(model: NodeModel, { judged, runnerUp }: NextVictim, chosen: Judgement): string {
  const largest = judged.filter(({ exempt }) => exempt === undefined).reduce((a, b) => (b.bytes > a.bytes ? b : a), chosen)
  if (largest !== chosen && largest.bytes > chosen.bytes) return `it has ${bytesCell(chosen.bytes)}, less than ${who(largest)} with ${bytesCell(largest.bytes)}, but an oom_score_adj of ${adjText(chosen)} (against ${adjText(largest)})`
  if (runnerUp === undefined) return `it has ${bytesCell(chosen.bytes)} and is the only one that can be killed`
  return `it has ${bytesCell(chosen.bytes)}${chosen.adjPoints === 0 ? '' : `, its oom_score_adj of ${adjText(chosen)} counts as ${pointsText(model, chosen.adjPoints)}`}`
}

function afterText(model: NodeModel, { ties, runnerUp, group }: NextVictim, chosen: Judgement): string {
  if (group !== undefined) return group.with.length === 0 ? '' : `; ${plural(group.with.length, 'other')} of its memory.oom.group ${group.with.length === 1 ? 'dies' : 'die'} with it`
  if (ties.length > 0) return `; ${ties.slice(0, 2).map(who).join(', ')}${ties.length > 2 ? ` and ${ties.length - 2} more` : ''} would do as well: the same points`
  return runnerUp === undefined ? '' : `; then ${who(runnerUp)}, ${pointsText(model, (chosen.points ?? 0) - (runnerUp.points ?? 0))} behind`
}

/** One sentence; nothing where no process is seen. `holderId` as in nextVictimOf(). */
export function nextVictimLine(model: NodeModel, holderId?: number): DetailLine[] {
  const next = nextVictimOf(model, holderId)
  if (next === undefined || next.judged.length === 0) return []
  const { chosen } = next, where = holderId === undefined ? 'if the node ran out of memory' : 'if this limit were hit'
  if (chosen === undefined) return [{ text: `Nobody could be killed ${where} now: ${plural(next.judged.length, 'process').replace(/processs$/, 'processes')}, all exempt; allocations would fail or hang.`, tone: 'urgent' }]
  return [{ text: `Next victim ${where} now: ${who(chosen)}, because ${whyOf(model, next, chosen)}${afterText(model, next, chosen)}. Computed from /proc, ${ageText(chosen.ageNs)} old${next.unread === 0 ? '' : `, ${next.unread} not read yet`}.`, tone: 'plain' }]
}

export type RankedVictim = {
  readonly pid: number; readonly command: string; readonly place: string; readonly container: string; readonly runtime: string
  /** All that counts, and what of it. */
  readonly memory: string; readonly parts: Readonly<Record<'anon' | 'file' | 'shmem' | 'swap' | 'pgtables', string>>
  readonly adj: string; readonly points: string; readonly age: string
  /** Of the largest points, 0..1. */
  readonly share: number
  readonly fate: 'next' | 'tie' | 'with it' | 'exempt' | ''
}
export type VictimRanking = {
  readonly ranked: readonly RankedVictim[]; /** Judged and not in the list. */ readonly omitted: number; readonly line: readonly DetailLine[]
  /** oc->totalpages: what a thousandth of oom_score_adj is taken of. */
  readonly totalPages: number | undefined
  /** How many memory.oom.group takes: 1 = it is set nowhere, and there are others; absent: not known, or there is nobody else. */
  readonly dieTogether: number | undefined
}

/** A part that is known to be none. */
export const NONE = '·'
const partCell = (bytes: number | undefined): string => (bytes === undefined ? '-' : bytes === 0 ? NONE : bytesCell(bytes))
const partsOf = ({ task: { memory } }: Judgement): RankedVictim['parts'] =>
  ({ anon: partCell(memory?.anonBytes), file: partCell(memory?.fileBytes), shmem: partCell(memory?.shmemBytes), swap: partCell(memory?.swapBytes), pgtables: partCell(memory?.pgtablesBytes) })

const MOST_RANKED = 20

/** The first of the ranking, with those who are exempt only when there is room. */
export function victimRanking(model: NodeModel, holderId?: number, most = MOST_RANKED): VictimRanking {
  const next = nextVictimOf(model, holderId), judged = next?.judged ?? [], top = Math.max(1, next?.chosen?.points ?? 1)
  const fateOf = (judgement: Judgement): RankedVictim['fate'] => (judgement.exempt !== undefined ? 'exempt' : judgement === next?.chosen ? 'next' : next?.group?.with.includes(judgement) === true ? 'with it' : next?.ties.includes(judgement) === true ? 'tie' : '')
  const ranked = judged.slice(0, most).map((judgement): RankedVictim => ({
    pid: judgement.task.pid, command: commandOf(judgement.task), place: placeOf(model, judgement.task), container: containerOf(model, judgement.task), runtime: judgement.task.command?.runtime ?? '',
    memory: bytesCell(judgement.bytes), parts: partsOf(judgement), adj: adjText(judgement), points: judgement.points === undefined ? '-' : String(judgement.points), age: ageText(judgement.ageNs),
    share: Math.min(1, Math.max(0, (judgement.points ?? 0) / top)), fate: fateOf(judgement),
  }))
  const others = next?.group?.with.length ?? 0, isAloneAmongOthers = next?.diesAlone === true && next.runnerUp !== undefined
  return {
    ranked, omitted: judged.length - ranked.length, line: nextVictimLine(model, holderId), totalPages: next === undefined ? undefined : Math.floor(next.totalBytes / (model.hello?.pageSizeBytes ?? 4096)),
    dieTogether: others > 0 ? 1 + others : isAloneAmongOthers ? 1 : undefined,
  }
}
