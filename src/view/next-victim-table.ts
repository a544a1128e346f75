/** Who would be killed next, as a table: of the node, or of those under one limit. */
import { workloadIn } from '../identity/workload.ts'
import type { NodeModel } from '../model/node.ts'
import type { Level } from './limits.ts'
import { NONE, victimRanking } from './next-victim.ts'
import type { RankedVictim, VictimRanking } from './next-victim.ts'
import { rowOf } from './sheet.ts'
import type { SheetCell, SheetColumn, TableSection, Tone } from './sheet.ts'

type VictimColumn = SheetColumn & { readonly of: (victim: RankedVictim) => SheetCell }
const figure = (title: string, width: number, what: { readonly weight: number; readonly of: (victim: RankedVictim) => string }): VictimColumn => ({ title, width, align: 'right', ...what })

const PLACE: VictimColumn = { title: 'PLACE', width: 12, grow: 40, weight: 80, of: ({ place }) => place }
/** Of a pod's limit the container alone tells them apart. */
const CONTAINER: VictimColumn = { ...PLACE, title: 'CONTAINER', of: ({ container }) => container }
const SWAP = figure('SWAP', 5, { weight: 47, of: ({ parts }) => parts.swap })
const COLUMNS: readonly VictimColumn[] = [
  figure('PID', 7, { weight: 96, of: ({ pid }) => String(pid) }), { title: 'COMMAND', width: 24, grow: 60, weight: 100, of: ({ command }) => command }, PLACE, { title: 'RUNTIME', width: 7, weight: 40, of: ({ runtime }) => runtime },
  figure('MEMORY', 6, { weight: 90, of: ({ memory }) => memory }),
  // What MEMORY consists of.
  figure('ANON', 5, { weight: 48, of: ({ parts }) => parts.anon }), figure('SHM', 5, { weight: 46, of: ({ parts }) => parts.shmem }), figure('FILE', 5, { weight: 44, of: ({ parts }) => parts.file }), SWAP, figure('PGTABLES', 8, { weight: 45, of: ({ parts }) => parts.pgtables }),
  figure('ADJ', 5, { weight: 85, of: ({ adj }) => adj }), figure('POINTS', 8, { weight: 95, of: ({ points }) => points }),
  { title: '', width: 7, grow: 20, weight: 52, of: ({ share, fate }) => ({ share, tone: toneOf(fate) === 'warn' ? 'alarm' : 'quiet' }) },
  figure('READ AGO', 8, { weight: 56, of: ({ age }) => age }),
]
const toneOf = (fate: RankedVictim['fate']): Tone => (fate === 'next' || fate === 'with it' ? 'warn' : fate === 'exempt' ? 'quiet' : 'plain')
const SHOWN = 8

function isPod(model: NodeModel, { memcgId }: Level): boolean {
  const path = model.memcgs.get(memcgId)?.path
  return path !== undefined && workloadIn(model, path).level === 'pod'
}

/** What the points are made of (mm/oom_kill.c oom_badness()), and whom memory.oom.group takes along. */
function notesOf({ totalPages, dieTogether }: VictimRanking): string[] {
  return [
    ...(dieTogether === undefined ? [] : [dieTogether === 1 ? 'memory.oom.group off: one dies' : `memory.oom.group: ${dieTogether} die together`]),
    ...(totalPages === undefined ? [] : [`points = rss + swap + page tables in pages + oom_score_adj x ${totalPages} / 1000`]),
  ]
}

/** Whom the kernel would take now: if the node ran out of memory, or if `limit` were hit. In one container all have the same place; where nobody swaps, nobody is told to. */
export function nextVictimTable(model: NodeModel, limit?: Level): TableSection {
  const ranking = victimRanking(model, limit?.memcgId, SHOWN), { ranked } = ranking, where = limit?.where === 'container' ? [] : limit?.where === 'self' && isPod(model, limit) ? [CONTAINER] : [PLACE]
  const columns = COLUMNS.filter((column) => column !== SWAP || ranked.some(({ parts }) => parts.swap !== NONE)).flatMap((column) => (column === PLACE ? where : [column]))
  return {
    kind: 'table', title: `who would be killed next${limit === undefined ? '' : ` if the limit of ${limit.label} were hit`} (computed from /proc)`, span: 'full', empty: 'No process is told in this stream.', columns, notes: notesOf(ranking),
    rows: ranked.map((victim) => rowOf(columns.map(({ of }) => of(victim)), toneOf(victim.fate))),
  }
}
