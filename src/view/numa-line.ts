/** On which NUMA nodes a workload's memory lies, in one line: `node 0 anon 120M file 3M · node 1 anon 4M`. */
import { plural } from '../base/text.ts'
import type { EventOf } from '../event/event.ts'
import type { NodeModel } from '../model/node.ts'
import { bytesCell } from './compact.ts'
import type { DetailLine } from './detail.ts'

const MAX_TOLD = 4

type Part = { readonly name: string; readonly bytes: number }
type Node = { readonly numaNode: number; readonly parts: readonly Part[]; readonly bytes: number }

/** v1 counts shmem with anon here, and what is mlocked apart. */
function nodeOf({ numaNode, anonBytes = 0, fileBytes = 0, unevictableBytes = 0 }: EventOf<'memcg_numa'>, isV1: boolean): Node {
  const all = [{ name: isV1 ? 'anon+shmem' : 'anon', bytes: anonBytes }, { name: 'file', bytes: fileBytes }, { name: 'unevictable', bytes: isV1 ? unevictableBytes : 0 }]
  const parts = all.filter(({ bytes }) => bytes > 0)
  return { numaNode, parts, bytes: parts.reduce((sum, { bytes }) => sum + bytes, 0) }
}

/** Of many nodes the fullest are told; nothing when it was not asked for (`--numa`). */
export function numaLine(model: NodeModel, memcgId: number): DetailLine[] {
  const nodes = (model.memcgs.get(memcgId)?.numa?.nodes ?? []).map((row) => nodeOf(row, model.hello?.memcgVersion === 'v1'))
  const used = nodes.filter(({ bytes }) => bytes > 0).toSorted((a, b) => b.bytes - a.bytes), told = used.slice(0, MAX_TOLD).toSorted((a, b) => a.numaNode - b.numaNode), empty = nodes.length - used.length
  if (told.length === 0) return []
  const said = told.map(({ numaNode, parts }) => `node ${numaNode} ${parts.map(({ name, bytes }) => `${name} ${bytesCell(bytes)}`).join(' ')}`)
  if (used.length > told.length) said.push(`less on ${used.length - told.length} more`)
  if (empty > 0) said.push(`nothing on ${plural(empty, 'other')}`)
  return [{ text: `NUMA: ${said.join(' · ')}.`, tone: 'quiet' }]
}
