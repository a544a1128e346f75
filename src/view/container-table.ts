/** The containers of a workload as a table: what each holds and may hold, how it waits, how often it was killed; the numbers of the overview's columns, per container. */
import type { Memcg } from '../model/node.ts'
import { cellOf } from './columns.ts'
import type { Column, Unit } from './columns.ts'
import { named } from './lens.ts'
import type { Moment } from './moment.ts'
import { highPerSOf, somePercentOf, stallOf } from './overview.ts'
import type { OverviewRow } from './overview.ts'
import { rowOf } from './sheet.ts'
import type { TableSection } from './sheet.ts'

type ContainerRow = {
  readonly label: string; readonly usedBytes: number | undefined; /** As declared. */ readonly requestBytes: number | undefined; readonly maxBytes: number | undefined
  readonly somePercent: number | undefined; readonly stallMsPerS: number | undefined; readonly highPerS: number | undefined; readonly oomKills: number | undefined
  /** The workload stands against its limit. */
  readonly binds: boolean
}

const figure = (title: string, unit: Unit, { weight, width = 5, of }: { readonly weight: number; readonly width?: number; readonly of: Column<ContainerRow>['of'] }): Column<ContainerRow> =>
  ({ key: title, title, unit, width, align: 'right', weight, help: '', of })
const REQUEST = figure('REQ', 'bytes', { weight: 70, of: (row) => row.requestBytes })
const COLUMNS: readonly Column<ContainerRow>[] = [
  { key: 'name', title: 'NAME', unit: 'text', width: 12, grow: 40, align: 'left', weight: 100, help: '', of: (row) => row.label },
  figure('USED', 'bytes', { weight: 95, of: (row) => row.usedBytes }), REQUEST, figure('LIMIT', 'bytes', { weight: 94, of: (row) => row.maxBytes }),
  figure('SOME%', 'percent', { weight: 80, of: (row) => row.somePercent }), figure('STALL', 'ms/s', { weight: 78, of: (row) => row.stallMsPerS }), figure('HIGH/s', '1/s', { weight: 35, width: 6, of: (row) => row.highPerS }),
  figure('OOM', 'count', { weight: 90, width: 3, of: (row) => row.oomKills }),
]

/** Of a container and of those of its name before it: a kill ends a container, and its count goes with it. */
function killsOf({ model, lens }: Moment, memcg: Memcg, members: readonly Memcg[]): number | undefined {
  const nameOf = ({ path }: Memcg): string | undefined => named(model, lens.workloadOf(path)).container, name = nameOf(memcg)
  const before = name === undefined ? [] : members.filter((other) => other.diedNs !== undefined && lens.workloadOf(other.path).level === 'container' && other.parentId === memcg.parentId && nameOf(other) === name)
  const kills = [memcg, ...before].reduce((sum, { events, killCount }) => sum + Math.max(events?.oomKill ?? 0, killCount), 0)
  return kills === 0 && memcg.events?.oomKill === undefined ? undefined : kills
}

const isBelow = (path: string, { path: outer }: Memcg): boolean => path === outer || path.startsWith(`${outer}/`)

/** A container may make cgroups of its own below it: no containers, but tasks wait, and are counted, there. */
function rowsOf(at: Moment, { levels, binding, memcgIds }: OverviewRow): ContainerRow[] {
  const { model, lens } = at, memcgsOf = (ids: readonly number[]): Memcg[] => ids.flatMap((id) => model.memcgs.get(id) ?? []), members = memcgsOf(memcgIds)
  const all = memcgsOf(levels.filter(({ where }) => where === 'container').map(({ memcgId }) => memcgId)), labels = new Map(levels.map(({ memcgId, label }) => [memcgId, label.replace(/^container "(.*)"$/, '$1')]))
  return all.map((memcg) => {
    const own = members.filter(({ path }) => isBelow(path, memcg))
    return {
      label: labels.get(memcg.id) ?? '', usedBytes: memcg.usage?.currentBytes, requestBytes: named(model, lens.workloadOf(memcg.path)).memoryRequestBytes, maxBytes: memcg.limits?.maxBytes,
      somePercent: somePercentOf(memcg), stallMsPerS: stallOf(at, own), highPerS: highPerSOf(at, memcg), oomKills: killsOf(at, memcg, members), binds: own.some(({ id }) => id === binding?.memcgId),
    }
  })
}

/** Requests are told where somebody declared one. */
export function containerTable(at: Moment, row: OverviewRow): TableSection {
  const rows = rowsOf(at, row), columns = COLUMNS.filter((column) => column !== REQUEST || rows.some(({ requestBytes }) => requestBytes !== undefined))
  return { kind: 'table', title: 'containers', span: 'half', empty: '', columns, rows: rows.map((container) => rowOf(columns.map((column) => cellOf(column, container)), container.binds ? 'warn' : 'plain')) }
}
