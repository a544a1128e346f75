/** Every kill case as one row, newest first: when, why, whose limit, who died, and the sentence for the ticket. */
import type { KillCase } from '../model/case.ts'
import { versionOf } from '../model/case-version.ts'
import type { NodeModel } from '../model/node.ts'
import { cellText } from './cell-text.ts'
import { timeOf } from './clock.ts'
import type { Column } from './columns.ts'
import type { Lens } from './lens.ts'
import { placeLabel } from './lens.ts'

/** A case's own id settles only when it closes; what is selected on the screen must not change with it. */
const KEYS = new WeakMap<KillCase, string>()
let nextKey = 0

function keyOf(killCase: KillCase): string {
  const key = KEYS.get(killCase) ?? `kill-${nextKey++}`
  KEYS.set(killCase, key)
  return key
}

export type KillRow = {
  /** Stays the same while the case is remembered. */
  readonly id: string
  readonly tsNs: number
  readonly time: string
  readonly cause: string
  readonly place: string
  readonly limitBytes: number | undefined
  readonly victim: string
  /** The same in a sentence: `python3 (pid 48213) and 2 more killed`. */
  readonly died: string
  readonly victims: number
  readonly points: number | undefined
  readonly sentence: string
  readonly killCase: KillCase
}

const pathOf = (model: NodeModel, of: { readonly path?: string; readonly memcgId?: number } | undefined): string | undefined =>
  of?.path ?? (of?.memcgId === undefined ? undefined : model.memcgs.get(of.memcgId)?.path)

function rowOf(lens: Lens, model: NodeModel, killCase: KillCase): KillRow {
  const victim = killCase.victims[0], words = lens.caseWords(killCase, model)
  const path = pathOf(model, victim) ?? killCase.countedPath ?? pathOf(model, killCase.limit)
  return {
    id: keyOf(killCase), tsNs: killCase.tsNs, time: timeOf(model, killCase.tsNs), cause: cellText(words.cause), sentence: cellText(words.sentence),
    place: path === undefined ? '-' : placeLabel(lens, model, path), limitBytes: killCase.limit?.limitBytes, killCase,
    victim: victim === undefined ? (killCase.unseenVictims === undefined ? 'nobody' : 'not seen') : `${cellText(victim.comm ?? '?')} ${victim.pid}`, victims: killCase.victims.length + (killCase.unseenVictims ?? 0), points: victim?.points,
    died: victim === undefined ? 'nobody killed' : `${cellText(victim.comm ?? '?')} (pid ${victim.pid})${killCase.victims.length > 1 ? ` and ${killCase.victims.length - 1} more` : ''} killed`,
  }
}

type Made = { readonly row: KillRow; readonly version: number; readonly names: number; readonly anchor: NodeModel['anchor']; readonly hello: NodeModel['hello'] }
const MADE = new WeakMap<KillCase, Made>()

/** A signal's story depends on the cases before it (verdict.ts), and a place that the case does not name itself on the model. */
const isWhole = ({ sentSignal, victims: [first], countedPath, limit }: KillCase): boolean => sentSignal === undefined && (first === undefined ? countedPath ?? limit?.path : first.path) !== undefined

/** Thousands are asked for in every scene, and few change. */
function madeRow(lens: Lens, model: NodeModel, killCase: KillCase): KillRow {
  if (!isWhole(killCase)) return rowOf(lens, model, killCase)
  const { anchor, hello, nameBook: { version: names } } = model, version = versionOf(killCase), before = MADE.get(killCase)
  if (before !== undefined && before.version === version && before.names === names && before.anchor === anchor && before.hello === hello) return before.row
  const row = rowOf(lens, model, killCase)
  MADE.set(killCase, { row, version, names, anchor, hello })
  return row
}

/** Newest first. */
export const killRows = (lens: Lens, model: NodeModel): KillRow[] =>
  model.cases.map((killCase) => madeRow(lens, model, killCase)).sort((a, b) => b.tsNs - a.tsNs)

export const KILL_COLUMNS: readonly Column<KillRow>[] = [
  { key: 'time', title: 'TIME', unit: 'text', width: 8, align: 'left', weight: 100, help: 'of the decision, UTC', of: (row) => row.time },
  { key: 'cause', title: 'CAUSE', unit: 'text', width: 15, align: 'left', weight: 95, help: 'whose limit or whose hand', of: (row) => row.cause },
  { key: 'name', title: 'WORKLOAD', unit: 'text', width: 14, grow: 60, align: 'left', weight: 98, help: 'of the first victim', of: (row) => row.place },
  { key: 'limit', title: 'LIMIT', unit: 'bytes', width: 5, align: 'right', weight: 60, help: 'that could not be met', of: (row) => row.limitBytes },
  { key: 'victim', title: 'VICTIM', unit: 'text', width: 16, grow: 24, align: 'left', weight: 90, help: 'command and pid', of: (row) => row.victim },
  { key: 'victims', title: 'DEAD', unit: 'count', width: 4, align: 'right', weight: 50, help: 'processes killed by this decision', of: (row) => row.victims },
  { key: 'points', title: 'POINTS', unit: 'exact', width: 6, align: 'right', weight: 40, help: "the kernel's badness points", of: (row) => row.points },
]
