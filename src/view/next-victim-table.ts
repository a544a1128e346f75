/** Who would be killed next, as a table: of the node, or of those under one limit. */
import type { NodeModel } from '../model/node.ts'
import type { Level } from './limits.ts'
import { victimRanking } from './next-victim.ts'
import { rowOf } from './sheet.ts'
import type { SheetColumn, TableSection } from './sheet.ts'

const COLUMNS: readonly SheetColumn[] = [
  { title: 'PID', width: 7, align: 'right', weight: 96 }, { title: 'COMMAND', width: 16, grow: 60, weight: 100 }, { title: 'PLACE', width: 12, grow: 40, weight: 80 }, { title: 'RUNTIME', width: 7, weight: 40 },
  { title: 'MEMORY', width: 6, align: 'right', weight: 90 }, { title: 'ADJ', width: 5, align: 'right', weight: 85 }, { title: 'POINTS', width: 8, align: 'right', weight: 95 }, { title: 'READ AGO', width: 8, align: 'right', weight: 50 },
]
const PLACE = COLUMNS.findIndex(({ title }) => title === 'PLACE')
const SHOWN = 8

/** Whom the kernel would take now: if the node ran out of memory, or if `limit` were hit. In one container all have the same place. */
export function nextVictimTable(model: NodeModel, limit?: Level): TableSection {
  const { ranked } = victimRanking(model, limit?.memcgId, SHOWN), isOnePlace = limit?.where === 'container', kept = <T>(cells: readonly T[]): readonly T[] => (isOnePlace ? cells.filter((_, i) => i !== PLACE) : cells)
  return {
    kind: 'table', title: `who would be killed next${limit === undefined ? '' : ` if the limit of ${limit.label} were hit`} (computed from /proc)`, span: 'full', empty: 'No process is told in this stream.', columns: kept(COLUMNS),
    rows: ranked.map(({ pid, command, place, runtime, memory, adj, points, age, fate }) => rowOf(kept([String(pid), command, place, runtime, memory, adj, points, age]), fate === 'next' || fate === 'with it' ? 'warn' : fate === 'exempt' ? 'quiet' : 'plain')),
  }
}
