/** One workload in sentences: why it stands where it stands, what its limits are, and what its memory consists of. Only what is known is said. */
import { plural } from '../base/text.ts'
import { workingSetOf } from '../model/kubectl-top.ts'
import type { NodeModel } from '../model/node.ts'
import { timeOf } from './clock.ts'
import { bytesCell, countCell, percentCell } from './compact.ts'
import type { KillRow } from './kills-list.ts'
import { holderOf, isWithin, shareOf } from './limits.ts'
import { nextVictimLine } from './next-victim.ts'
import { numaLine } from './numa-line.ts'
import type { Level } from './limits.ts'
import type { OverviewRow } from './overview.ts'
import { reasonsOf } from './severity.ts'

export type DetailLine = { readonly text: string; readonly tone: 'plain' | 'strong' | 'urgent' | 'differs' | 'quiet' | 'advice'; /** The page of a workload has a pane of its own for it. */ readonly isInPane?: true }

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
const hasLimit = ({ maxBytes }: Level): boolean => maxBytes !== undefined
const limitText = ({ label, maxBytes }: Level): string => `${label} ${maxBytes === undefined ? 'none' : bytesCell(maxBytes)}`

/** The dashboard is late: worth a word from this share of the limit (or of the usage) on. */
const LATE = 0.1

function lateLine({ kubectlTopBytes: shown, workingSetBytes: now, binding, usedBytes }: OverviewRow): DetailLine[] {
  if (shown === undefined || now === undefined || Math.abs(now - shown) < LATE * (binding?.where === 'above' ? usedBytes ?? 0 : binding?.maxBytes ?? usedBytes ?? 0) || now === shown) return []
  return [{ text: `kubectl top may still show ${bytesCell(shown)} (computed: it looks each 15 s).`, tone: 'differs' }]
}

/** Of the container that binds, beside its own limit; else of the whole row. */
function workingSetOfShown(model: NodeModel, { binding, workingSetBytes }: OverviewRow): number | undefined {
  if (binding?.where !== 'container') return workingSetBytes
  const bytes = workingSetOf(binding.usedBytes, model.memcgs.get(binding.memcgId)?.stat?.inactiveFileBytes)
  return Number.isNaN(bytes) ? undefined : bytes
}

/** What a person reads elsewhere: coloured when it hides at least a tenth of the limit (or of the usage). */
function kubectlLine(model: NodeModel, row: OverviewRow): DetailLine[] {
  const binding = row.binding?.where === 'above' || row.binding?.where === 'inside' ? undefined : row.binding, shown = workingSetOfShown(model, row), used = binding?.usedBytes ?? row.usedBytes
  if (shown === undefined || used === undefined || used === 0) return []
  const max = binding?.maxBytes, hidden = used - shown
  const of = (bytes: number): string => (max === undefined ? bytesCell(bytes) : `${bytesCell(bytes)} (${Math.round((100 * bytes) / max)}%)`)
  // The two are sampled milliseconds apart: a hundredth is no difference.
  if (hidden < 0.01 * used) return [{ text: `kubectl top, if it looked now, would say the same: ${of(shown)}.`, tone: 'quiet' }]
  return [{ text: `kubectl top would say ${of(shown)}; the kernel counts ${of(used)}: ${bytesCell(hidden)} is inactive file cache.`, tone: hidden >= 0.1 * (max ?? used) ? 'differs' : 'quiet' }]
}

function limitLines(row: OverviewRow): DetailLine[] {
  const { binding, levels } = row
  if (binding === undefined) {
    const text = levels.some(hasLimit) ? `No limit near: ${levels.filter((level) => !isWithin(level)).map(limitText).join(' < ')}.` : 'No limit but what the node has.'
    return [{ text, tone: 'quiet', isInPane: true }]
  }
  const high = binding.highBytes === undefined ? '' : `, memory.high ${bytesCell(binding.highBytes)}`
  const lines: DetailLine[] = [{ text: `Binding limit: ${binding.label}, memory.max ${bytesCell(binding.maxBytes)}, ${percentCell(100 * shareOf(binding))} % used${high}.`, tone: 'plain' }]
  const others = levels.filter((level) => level !== binding && !isWithin(level))
  if (others.length > 0) lines.push({ text: others.some(hasLimit) ? `Other levels: ${others.map(limitText).join(' < ')}.` : `Without a limit: ${others.map(({ label }) => label).join(' < ')}.`, tone: 'quiet', isInPane: true })
  return lines
}

function compositionLine(row: OverviewRow): DetailLine[] {
  const parts: string[] = []
  const add = (name: string, bytes: number | undefined): void => { if (bytes !== undefined && bytes > 0) parts.push(`${name} ${bytesCell(bytes)}`) }
  add('anon', row.anonBytes); add('file', row.fileBytes); add('shmem', row.shmemBytes); add('kernel', row.kernelBytes)
  add('swapped out', row.swapBytes)
  return parts.length === 0 ? [] : [{ text: `It consists of ${parts.join(' · ')}.`, tone: 'quiet', isInPane: true }]
}

function killLine(model: NodeModel, row: OverviewRow): DetailLine[] {
  if (row.oomKills === undefined || row.oomKills === 0) return []
  const last = row.lastKillNs === undefined ? '' : `, the last at ${timeOf(model, row.lastKillNs)}`
  return [{ text: `${plural(row.oomKills, 'OOM kill')} here${last}.`, tone: 'plain' }]
}

function containerLine(row: OverviewRow): DetailLine[] {
  const containers = row.levels.filter(({ where }) => where === 'container')
  if (containers.length < 2) return []
  const biggest = containers.toSorted((a, b) => (b.usedBytes ?? 0) - (a.usedBytes ?? 0)).slice(0, 4)
  const said = biggest.map((level) => `${level.label.replace(/^container /, '')} ${level.usedBytes === undefined ? '-' : bytesCell(level.usedBytes)}${level.maxBytes === undefined ? '' : `/${bytesCell(level.maxBytes)}`}`)
  return [{ text: `${containers.length} containers: ${said.join(', ')}.`, tone: 'quiet', isInPane: true }]
}

/** So long after a kill its sentence is what the row is about. */
const FRESH_NS = 60e9

/** The verdict on the newest kill in it, while it is fresh: why it died is worth more than how it is now. */
function freshKill(model: NodeModel, row: OverviewRow, kills: readonly KillRow[]): DetailLine[] {
  const kill = kills.find(({ killCase, tsNs }) => tsNs <= model.nowNs && killCase.victims.some(({ memcgId }) => memcgId !== undefined && row.memcgIds.includes(memcgId)))
  return kill === undefined || model.nowNs - kill.tsNs > FRESH_NS ? [] : [{ text: `${kill.time}: ${kill.sentence}`, tone: 'urgent' }]
}

function nextVictim(model: NodeModel, row: OverviewRow): DetailLine[] {
  const holder = holderOf(row)
  return holder === undefined ? [] : nextVictimLine(model, holder.memcgId)
}

/** Everything to say, most important first. `kills` are newest first. */
export function detailOf(model: NodeModel, { row, kills }: { readonly row: OverviewRow; readonly kills: readonly KillRow[] }): DetailLine[] {
  const growth = row.growthBytesPerS !== undefined && row.secondsToLimit === undefined
    ? [{ text: `Grows steadily by ${bytesCell(row.growthBytesPerS)}/s.`, tone: 'plain' as const }] : []
  const waits = row.severity === 0 && row.stallMsPerS !== undefined && row.stallMsPerS >= 0.5
    ? [{ text: `Waits ${countCell(Math.round(row.stallMsPerS))} ms of each second for reclaim or throttling.`, tone: 'quiet' as const }] : []
  const [first, ...others] = reasonsOf(row).map((reason) => ({ text: sentence(reason), tone: 'urgent' as const })), fresh = freshKill(model, row, kills)
  return [
    ...fresh, ...(first === undefined || fresh.length > 0 ? [] : [first]), ...lateLine(row), ...kubectlLine(model, row), ...others, ...limitLines(row), ...nextVictim(model, row), ...killLine(model, row), ...growth, ...waits, ...compositionLine(row), ...numaLine(model, row.selfId), ...containerLine(row),
  ]
}
