/** Why reclaim did not save it: named reasons, each with what it was read from. */
import type { Evidence, KillCase } from '../model/case.ts'
import type { NodeModel } from '../model/node.ts'
import type { Finding } from './finding.ts'

export type ReasonName = 'anonymous' | 'anonymous-no-swap' | 'swap-exhausted' | 'dirty-pages' | 'tmpfs' | 'kernel-memory' | 'sockets' | 'page-tables' | 'fragmentation' | 'numa-node-empty' | 'other-container' | 'other-pod' | 'fast-spike'

export type Reason = { readonly name: ReasonName; /** One sentence without its full stop. */ readonly text: string; readonly evidence: readonly Evidence[] }

export type ReasonRule = (of: { readonly model: NodeModel; readonly target: KillCase; readonly finding: Finding }) => Reason | undefined

/** What was full: the limit, or the memory of the node. */
export const fullBytes = ({ limit }: KillCase): number | undefined => limit?.usageBytes ?? limit?.limitBytes

/** A part of what was full, as a share of it; nothing when either is not known. */
export function shareOf(target: KillCase, ...names: readonly string[]): { readonly bytes: number; readonly share: number } | undefined {
  const full = fullBytes(target), known = names.flatMap((name) => target.composition?.[name] ?? [])
  if (full === undefined || full <= 0 || known.length === 0) return undefined
  const bytes = known.reduce((sum, part) => sum + part, 0)
  return { bytes, share: bytes / full }
}

export const percent = (share: number): string => `${Math.round(Math.min(1, share) * 100)} %`

/** Where the composition comes from. */
export const compositionSource = (target: KillCase): string => target.evidence.find(({ fact }) => fact === 'what the limit was filled with')?.source ?? 'composition'
