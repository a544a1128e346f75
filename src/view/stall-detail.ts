/** One row of the stalls page in detail: the single long waits told by the probes, grouped by who waited for what, and what it all means in sentences. */
import { plural } from '../base/text.ts'
import { STALLS } from '../event/kinds.ts'
import { depthBelow } from '../model/memcgs.ts'
import type { NodeModel } from '../model/node.ts'
import { cellText } from './cell-text.ts'
import { bytesCell, countCell, durationCell, secondsCell } from './compact.ts'
import type { DetailLine } from './detail.ts'
import { levelLabel, named, placeLabel, podLabel } from './lens.ts'
import type { Lens } from './lens.ts'
import { rowOf } from './sheet.ts'
import type { TableSection } from './sheet.ts'
import { countedKinds, NODE_KEY, STALL_SECONDS } from './stalls.ts'
import type { StallRow } from './stalls.ts'

type Waiter = { readonly who: string; readonly where: string; readonly what: string; count: number; totalNs: number; longestNs: number; freedPages: number; readonly pids: Set<number> }

/** Whose memory was reclaimed, seen from the task that waited: its own cgroup, or which level above it. */
function whose(lens: Lens, model: NodeModel, { taskMemcgId, targetMemcgId }: { readonly taskMemcgId: number; readonly targetMemcgId: number }): string {
  if (targetMemcgId === 0) return 'a limit (whose, is not told here)'
  if (targetMemcgId === taskMemcgId) return 'its own limit'
  const target = model.memcgs.get(targetMemcgId)
  if (target === undefined) return 'a limit of a cgroup that is gone'
  const label = levelLabel(named(model, lens.workloadOf(target.path)), target.path)
  return depthBelow(model, targetMemcgId, taskMemcgId) === undefined ? `the limit of ${placeLabel(lens, model, target.path)}` : `the limit above it: ${label}`
}

function whatFor(lens: Lens, model: NodeModel, event: { readonly what: number; readonly taskMemcgId: number; readonly targetMemcgId: number; readonly order: number }): string {
  switch (STALLS[event.what]) {
    case 'memcg_reclaim': return `reclaim at ${whose(lens, model, event)}`
    case 'direct_reclaim': return 'direct reclaim: the node is short'
    case 'over_high': return 'memory.high: put to sleep'
    case 'compaction': return `compaction for an order-${event.order} block`
    case 'throttled': return 'throttled inside reclaim'
    default: return `wait ${event.what}`
  }
}

/** A pod with its container, else as a person calls the cgroup. */
function placeOf(lens: Lens, model: NodeModel, memcgId: number): string {
  const path = model.memcgs.get(memcgId)?.path
  if (path === undefined) return 'a cgroup that is gone'
  const workload = named(model, lens.workloadOf(path)), pod = podLabel(workload)
  return pod === undefined || workload.container === undefined ? placeLabel(lens, model, path) : `${pod}:${cellText(workload.container)}`
}

/** Groups of single waits, longest sum first. A container that was started again is the same place: two lines that read alike would say nothing. */
function waitersOf(lens: Lens, model: NodeModel, row: StallRow): Waiter[] {
  const fromNs = model.nowNs - STALL_SECONDS * 1e9, ids = new Set(row.memcgIds), known = new Map<string, Waiter>(), groups = new Map<string, Waiter>()
  for (const event of model.recent) {
    if (event.kind !== 'stall' || event.tsNs <= fromNs || event.tsNs > model.nowNs || !ids.has(event.taskMemcgId)) continue
    const key = `${event.comm}\n${event.what}\n${event.targetMemcgId}\n${event.taskMemcgId}`
    const group = known.get(key) ?? joined(groups, { who: cellText(event.comm), where: placeOf(lens, model, event.taskMemcgId), what: whatFor(lens, model, event), count: 0, totalNs: 0, longestNs: 0, freedPages: 0, pids: new Set() })
    group.count += 1
    group.totalNs += event.durationNs
    group.longestNs = Math.max(group.longestNs, event.durationNs)
    group.freedPages += event.reclaimedPages
    group.pids.add(event.pid)
    known.set(key, group)
  }
  return [...groups.values()].sort((a, b) => b.totalNs - a.totalNs)
}

/** The group of the same words, else this one. */
function joined(groups: Map<string, Waiter>, group: Waiter): Waiter {
  const words = `${group.who}\n${group.where}\n${group.what}`, same = groups.get(words) ?? group
  groups.set(words, same)
  return same
}

/** From which length on single waits are told (`--stall`); streams of older bridges do not say it. */
const lengthOf = ({ hello }: NodeModel, and: string): string => (hello?.stallNs === undefined ? '' : ` of ${durationCell(hello.stallNs)} ${and} more`)

/** Under heavy pressure fewer are kept than two minutes bring. */
function reachOf({ nowNs, recentFromNs }: NodeModel): string | undefined {
  const seconds = (nowNs - recentFromNs) / 1e9
  return seconds >= STALL_SECONDS ? undefined : secondsCell(seconds)
}

/** Who waited for what, as a table. */
export function waitersSection(lens: Lens, model: NodeModel, row: StallRow): TableSection {
  const waiters = waitersOf(lens, model, row), page = model.hello?.pageSizeBytes ?? 4096, reach = reachOf(model), isNode = row.key === NODE_KEY
  return {
    kind: 'table', title: `who waited for what: single waits${lengthOf(model, 'and')}${reach === undefined ? '' : `, of the last ${reach} only: more are not kept`}`, span: 'full',
    empty: `No single wait${lengthOf(model, 'or')} in the last ${reach ?? 'two minutes'}.`,
    columns: [{ title: 'COMMAND', width: 10, grow: 15, weight: 100 }, ...(isNode ? [{ title: 'WHERE', width: 18, grow: 44, weight: 85 }] : []), { title: 'FOR', width: 25, grow: 60, weight: 95 }, { title: 'WAITS', width: 5, align: 'right', weight: 70 }, { title: 'SUM', width: 5, align: 'right', weight: 90 }, { title: 'LONGEST', width: 7, align: 'right', weight: 80 }, { title: 'FREED', width: 5, align: 'right', weight: 60 }, { title: 'PIDS', width: 4, align: 'right', weight: 40 }],
    rows: waiters.map(({ who, where, what, count, totalNs, longestNs, freedPages, pids }) =>
      rowOf([who, ...(isNode ? [where] : []), what, String(count), durationCell(totalNs), durationCell(longestNs), freedPages === 0 ? '·' : bytesCell(freedPages * page), String(pids.size)], 'plain', [...(isNode ? [undefined] : []), undefined, undefined, undefined, undefined, longestNs >= 1e9 ? 'alarm' : longestNs >= 100e6 ? 'warn' : undefined])),
  }
}

const KIND_WORDS = ['reclaim at limits', 'direct reclaim of the node', 'sleeping above memory.high', 'compaction'] as const
/** Fewer refaults a second than this are no thrashing. */
export const THRASH_PER_S = 50

/** What the numbers mean, most important first. */
export function stallSentences(model: NodeModel, row: StallRow): DetailLine[] {
  const lines: DetailLine[] = [], counted = countedKinds(model), missing = KIND_WORDS.filter((_, kind) => counted[kind] !== true)
  if (row.waitedNs !== undefined && row.waitedNs > 0) {
    const parts = KIND_WORDS.flatMap((words, kind) => ((row.byKind[kind] ?? 0) > 0 ? [`${words} ${durationCell(row.byKind[kind] ?? 0)}`] : []))
    const freed = row.freedBytes === 0 ? '' : ` It freed ${bytesCell(row.freedBytes)}: ${bytesCell(row.freedBytes / (row.waitedNs / 1e9))} a second of waiting.`
    lines.push({ text: `${row.waits === 0 ? '' : `${plural(row.waits, 'wait')}, together `}${durationCell(row.waitedNs)} in two minutes: ${parts.join(', ')}.${freed}`, tone: 'strong' })
  }
  if ((row.refaultsPerS ?? 0) >= THRASH_PER_S) lines.push({ text: `${countCell(row.refaultsPerS ?? 0)} pages a second come back soon after they were taken: it thrashes its page cache.`, tone: 'urgent' })
  if (row.key !== NODE_KEY && row.somePercent === undefined) lines.push({ text: 'Pressure (PSI) of single cgroups is not known here.', tone: 'quiet' })
  if (missing.length === KIND_WORDS.length) lines.push({ text: 'No probe counts waiting here: only pressure (PSI) tells of it.', tone: 'differs' })
  else if (missing.length > 0) lines.push({ text: `Not counted here: ${missing.join(', ')}.`, tone: 'differs' })
  return lines
}
