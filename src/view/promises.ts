/** What was asked for a workload, beside what the kernel holds it to: owner, requests, declared limits, restarts, image, a unit's description. Only what a source told. */
import type { Workload } from '../model/case.ts'
import type { Memcg, NodeModel } from '../model/node.ts'
import { cellText } from './cell-text.ts'
import { bytesCell } from './compact.ts'
import type { DetailLine } from './detail.ts'
import { named } from './lens.ts'
import type { Lens } from './lens.ts'
import type { OverviewRow } from './overview.ts'

export type Promised = { readonly label: string; readonly workload: Workload; readonly memcg: Memcg }

const MAX_TOLD = 3
/** The containers of a row with what is known of them; the pause container was promised nothing. */
export function promisedTo(lens: Lens, model: NodeModel, row: OverviewRow): Promised[] {
  const ids = row.levels.filter(({ where }) => where === 'container').map(({ memcgId }) => memcgId)
  return (ids.length === 0 ? [row.selfId] : ids).flatMap((id) => {
    const memcg = model.memcgs.get(id), workload = memcg === undefined ? undefined : named(model, lens.workloadOf(memcg.path))
    if (memcg === undefined || workload === undefined || workload.role === 'sandbox') return []
    return [{ memcg, workload, label: cellText(workload.container ?? workload.containerId?.slice(0, 12) ?? row.name) }]
  })
}

/** `Deployment/web`, `priority 1000`: for the headline. */
export function ownerWords(lens: Lens, model: NodeModel, row: OverviewRow): string[] {
  const self = model.memcgs.get(row.selfId), { owner, priority } = self === undefined ? {} : named(model, lens.workloadOf(self.path))
  return [...(owner === undefined ? [] : [cellText(owner)]), ...(priority === undefined || priority === 0 ? [] : [`priority ${priority}`])]
}

/** The sum, if each of them has one. */
function sumOf(all: readonly Promised[], field: 'memoryRequestBytes' | 'memoryLimitBytes'): number | undefined {
  return all.reduce<number | undefined>((sum, { workload }) => (sum === undefined || workload[field] === undefined ? undefined : sum + workload[field]), all.length === 0 ? undefined : 0)
}

function asked(all: readonly Promised[], row: OverviewRow): DetailLine[] {
  const requests = sumOf(all, 'memoryRequestBytes'), limits = sumOf(all, 'memoryLimitBytes'), used = row.workingSetBytes
  const parts = [...(requests === undefined ? [] : [`requests ${bytesCell(requests)}`]), ...(limits === undefined ? [] : [`limits ${bytesCell(limits)}`])]
  if (parts.length === 0) return []
  const above = requests === undefined || used === undefined || used <= requests || row.kind !== 'pod' ? '' : ` Its working set is ${bytesCell(used - requests)} above the requests: when the node runs short it is evicted before those within theirs.`
  return [{ text: `Declared: ${parts.join(', ')}${all.length > 1 ? ` (sum of ${all.length} containers)` : ''}.${above}`, tone: above === '' ? 'quiet' : 'plain' }]
}

/** A resize that is not applied, or a limit set by hand. */
function contradicted({ hello }: NodeModel, all: readonly Promised[]): DetailLine[] {
  // The kernel keeps limits in pages.
  const pageBytes = hello?.pageSizeBytes ?? 4096
  return all.flatMap(({ label, workload: { memoryLimitBytes: declared }, memcg: { limits } }) => {
    if (declared === undefined || limits === undefined || Math.abs(declared - (limits.maxBytes ?? Number.POSITIVE_INFINITY)) < pageBytes) return []
    return [{ text: `${label}: the declared limit is ${bytesCell(declared)}, the kernel holds it to ${limits.maxBytes === undefined ? 'none' : bytesCell(limits.maxBytes)}.`, tone: 'differs' as const }]
  }).slice(0, MAX_TOLD)
}

function lives(all: readonly Promised[]): DetailLine[] {
  const again = all.filter(({ workload }) => (workload.restarts ?? 0) > 0).sort((a, b) => (b.workload.restarts ?? 0) - (a.workload.restarts ?? 0)).slice(0, MAX_TOLD)
  const restarts = again.map(({ label, workload: { restarts: count } }) => `${label} ${count === 1 ? 'once' : `${count} times`}`), images = all.flatMap(({ label, workload: { image } }) => (image === undefined ? [] : [all.length === 1 ? cellText(image) : `${label} ${cellText(image)}`])).slice(0, MAX_TOLD)
  return [...(restarts.length === 0 ? [] : [{ text: `Restarted: ${restarts.join(', ')}.`, tone: 'plain' as const }]), ...(images.length === 0 ? [] : [{ text: `Image: ${images.join(', ')}.`, tone: 'quiet' as const }])]
}

/** Sentences for the page of a workload, the most telling first. */
export function promiseLines(lens: Lens, model: NodeModel, row: OverviewRow): DetailLine[] {
  const all = promisedTo(lens, model, row)
  const described: DetailLine[] = all.flatMap(({ workload: { description } }) => (description === undefined ? [] : [{ text: `Description: ${cellText(description)}.`, tone: 'quiet' as const }]))
  return [...contradicted(model, all), ...asked(all, row), ...lives(all), ...described]
}
