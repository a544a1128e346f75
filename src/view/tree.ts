/** The overview as the tree the kernel knows: slice → pod → container → cgroup, each with the numbers of its whole subtree. */
import type { Memcg, NodeModel } from '../model/node.ts'
import { cellText } from './cell-text.ts'
import type { Folded } from './fold.ts'
import { podLabel } from './lens.ts'
import { chainOf } from './limits.ts'
import type { Moment } from './moment.ts'
import { rowOf } from './overview.ts'
import type { OverviewRow } from './overview.ts'
import { perPopulation } from './population.ts'
import type { Population } from './population.ts'
import { anyMatcher, comparator } from './select.ts'
import type { RowChoice, RowList } from './select.ts'

type Branch = { readonly parentKey: string | undefined; readonly label: string; /** Where it stands alone, without its parents above it. */ readonly ownName: string }
export type TreeRow = OverviewRow & Branch

/** A damaged stream could name a memcg its own ancestor. */
const MAX_DEPTH = 64

const keyOf = (id: number): string => `memcg:${id}`

/** Every living cgroup below each one, itself first. */
function subtrees(model: NodeModel): Map<number, Memcg[]> {
  const members = new Map<number, Memcg[]>()
  for (const memcg of model.memcgs.values()) {
    if (memcg.diedNs !== undefined || memcg.path === '/') continue
    let above: Memcg | undefined = memcg
    for (let depth = 0; above !== undefined && above.path !== '/' && depth < MAX_DEPTH; depth++) {
      const list = members.get(above.id)
      if (list === undefined) members.set(above.id, [memcg])
      else list.push(memcg)
      above = above.parentId === above.id ? undefined : model.memcgs.get(above.parentId)
    }
  }
  return members
}

function labelOf({ workloadOf, labelOf: levelLabelOf }: Population, memcg: Memcg): string {
  const workload = workloadOf(memcg)
  if (workload.level === 'pod') return podLabel(workload) ?? cellText(memcg.path)
  const last = cellText(memcg.path.slice(memcg.path.lastIndexOf('/') + 1))
  // A cgroup that a container made for itself keeps its own name: its container stands above it.
  return workload.level === 'container' && last.includes(workload.containerId ?? '\n') ? levelLabelOf(memcg) : last
}

function ownNameOf(population: Population, memcg: Memcg): string {
  const workload = population.workloadOf(memcg), pod = podLabel(workload), label = labelOf(population, memcg), container = /^container "(.*)"$/.exec(label)?.[1]
  if (pod !== undefined && workload.level === 'pod') return pod
  return pod === undefined || container === undefined || workload.level !== 'container' ? cellText(memcg.path.replace(/^\/+/, '')) : `${pod}:${container}`
}

/** Every living cgroup, in no particular order. */
const branchesOf = perPopulation((population): { readonly folded: Folded; readonly branch: Branch }[] => {
  const { model } = population, members = subtrees(model), isTop = (memcg: Memcg | undefined): boolean => memcg === undefined || memcg.path === '/' || model.covers?.(memcg.path) === false
  return [...model.memcgs.values()].filter((memcg) => memcg.diedNs === undefined && !isTop(memcg)).map((memcg) => {
    const parent = model.memcgs.get(memcg.parentId), inside = members.get(memcg.id) ?? [memcg]
    return {
      folded: { key: keyOf(memcg.id), name: cellText(memcg.path), kind: 'cgroup', self: memcg, containers: [], members: inside, memberIds: inside.map(({ id }) => id), chain: chainOf(population, memcg), isInner: false },
      branch: { label: labelOf(population, memcg), ownName: ownNameOf(population, memcg), parentKey: parent === undefined || parent === memcg || isTop(parent) ? undefined : keyOf(parent.id) },
    }
  })
})

export const treeRows = (moment: Moment): TreeRow[] => branchesOf(moment).map(({ folded, branch }) => Object.assign(rowOf(moment, folded), branch))

export type TreeChoice = RowChoice & { readonly folded: ReadonlySet<string> }

type Children = ReadonlyMap<string | undefined, TreeRow[]>

/** Parents of which something is shown: a match keeps its ancestors. */
function familiesOf(rows: readonly TreeRow[], { filter, commandsOf }: TreeChoice): { readonly children: Children; readonly wanted: ReadonlySet<string> | undefined } {
  const children = new Map<string | undefined, TreeRow[]>(), wanted = filter === '' ? undefined : new Set<string>(), matches = anyMatcher(filter), byKey = wanted === undefined ? undefined : new Map(rows.map((row) => [row.key, row]))
  for (const row of rows) {
    const siblings = children.get(row.parentKey)
    if (siblings === undefined) children.set(row.parentKey, [row])
    else siblings.push(row)
    if (wanted === undefined || !matches([row.name, row.label, ...commandsOf?.([row.selfId]) ?? []])) continue
    for (let up: TreeRow | undefined = row; up !== undefined && !wanted.has(up.key); up = up.parentKey === undefined ? undefined : byKey?.get(up.parentKey)) wanted.add(up.key)
  }
  return { children, wanted }
}

/** The rows to show, parents before children: `-` in front of an open one, `+` of a closed one. A row is made when it is asked for: a screen shows fifty of thousands. */
export function selectTree(rows: readonly TreeRow[], choice: TreeChoice): RowList {
  const { sort, folded } = choice, compare = comparator(sort), { children, wanted } = familiesOf(rows, choice), shown: TreeRow[] = [], names: string[] = []
  const add = (parentKey: string | undefined, depth: number): void => {
    if (depth > MAX_DEPTH) return
    for (const row of (children.get(parentKey) ?? []).sort((a, b) => compare(a, b) || (a.label < b.label ? -1 : 1))) {
      if (wanted?.has(row.key) === false) continue
      const isParent = children.has(row.key), isFolded = folded.has(row.key)
      shown.push(row)
      names.push(`${'  '.repeat(Math.min(depth, 8))}${isParent ? (isFolded ? '+' : '-') : ' '} ${row.label}`)
      if (!isFolded) add(row.key, depth + 1)
    }
  }
  add(undefined, 0)
  return {
    keys: shown.map(({ key }) => key), longestName: names.reduce((most, name) => Math.max(most, name.length), 0),
    at: (index) => { const row = shown[index], name = names[index]; return row === undefined || name === undefined ? undefined : { ...row, name } },
  }
}
