/** Which rows are shown and in what order: filter by name, sort by any column; rows without a value always come last. */
import type { OverviewColumn } from './columns.ts'
import { OVERVIEW_COLUMNS } from './columns.ts'
import type { OverviewRow } from './overview.ts'

/** `key` is a column's, or `urgency`: what needs attention first. */
export type Sort = { readonly key: string; readonly inverted: boolean }

export const URGENCY: Sort = { key: 'urgency', inverted: false }
/** What can be sorted by, in the order of the menu. */
export const SORT_KEYS: readonly string[] = ['urgency', ...OVERVIEW_COLUMNS.filter((column) => column.unit !== 'series').map((column) => column.key)]

/** A predicate from what was typed: a regular expression (or, if it is none, the text itself), `ns:` in front looks at the namespace of a pod only, `!` before it inverts; case does not matter. */
export function matcher(filter: string): (name: string) => boolean {
  const inverse = filter.startsWith('!'), wanted = inverse ? filter.slice(1) : filter
  if (wanted === '' || wanted === 'ns:') return () => true
  // Only pods have a namespace; the path of a service begins with a slice.
  if (wanted.startsWith('ns:')) { const inside = matcher(wanted.slice(3)); return (name) => (/^[a-z0-9.-]+\/[^/]+$/.test(name) && inside(name.slice(0, name.indexOf('/')))) !== inverse }
  let test: (name: string) => boolean
  try {
    const pattern = new RegExp(wanted, 'i')
    test = (name) => pattern.test(name)
  } catch {
    const text = wanted.toLowerCase()
    test = (name) => name.toLowerCase().includes(text)
  }
  return inverse ? (name) => !test(name) : test
}

/** Of something with several names: any of them is enough, and with `!` none may match. */
export function anyMatcher(filter: string): (names: readonly string[]) => boolean {
  const matches = matcher(filter)
  return filter.startsWith('!') ? (names) => names.every(matches) : (names) => names.some(matches)
}

/** Commands that run in these cgroups. */
export type CommandsOf = (memcgIds: readonly number[]) => readonly string[]
const NO_COMMANDS: CommandsOf = () => []

/** What a person may know it by: its name, its containers', its commands'. */
const namesOf = ({ name, levels, memcgIds }: OverviewRow, commandsOf: CommandsOf): string[] =>
  [name, ...levels.flatMap(({ where, label }) => (where === 'container' ? [label.replace(/^container "(.*)"$/, '$1')] : [])), ...commandsOf(memcgIds)]

/** Natural direction: names up, forecasts soonest first, everything else largest first. */
const ascends = (column: OverviewColumn): boolean => column.unit === 'text' || column.unit === 'seconds'

export function comparator(sort: Sort): (a: OverviewRow, b: OverviewRow) => number {
  const column = OVERVIEW_COLUMNS.find((candidate) => candidate.key === sort.key)
  if (column === undefined) return (a, b) => (sort.inverted ? a.urgency - b.urgency : b.urgency - a.urgency)
  const sign = ascends(column) !== sort.inverted ? 1 : -1
  return (a, b) => {
    const x = column.of(a), y = column.of(b)
    if (x === undefined || y === undefined) return x === y ? 0 : x === undefined ? 1 : -1
    return sign * (x < y ? -1 : x > y ? 1 : 0)
  }
}

/** Rows in the order shown; each is made when it is asked for. */
export type RowList = { readonly keys: readonly string[]; readonly longestName: number; readonly at: (index: number) => OverviewRow | undefined }

export const listOf = (rows: readonly OverviewRow[]): RowList => ({ keys: rows.map(({ key }) => key), longestName: rows.reduce((most, { name }) => Math.max(most, name.length), 0), at: (index) => rows[index] })

export type RowChoice = { readonly filter: string; readonly sort: Sort; readonly commandsOf?: CommandsOf }

/** The rows to show; the name decides between equals so that nothing jumps. */
export function selectRows(rows: readonly OverviewRow[], { filter, sort, commandsOf = NO_COMMANDS }: RowChoice): OverviewRow[] {
  const matches = anyMatcher(filter), compare = comparator(sort)
  return rows.filter((row) => filter === '' || matches(namesOf(row, commandsOf))).sort((a, b) => compare(a, b) || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
}
