/** Where the node's memory stands: zones with watermarks and free blocks, the largest slab caches, and the last seconds of /proc/vmstat for rates. */
import type { EventOf } from '../event/event.ts'
import type { NodeModel } from './node.ts'

/** One zone of one NUMA node; either part may be missing. */
export type Zone = { readonly numaNode: number; readonly name: string; marks?: EventOf<'node_zone'>; buddy?: EventOf<'node_buddy'> }

/** A kernel has at most 1024 NUMA nodes (CONFIG_NODES_SHIFT 10) of a handful of zones each: more is no kernel's. */
const MAX_ZONES = 8192
const MAX_SLABS = 64
/** Readings a second apart, more when there is trouble. */
const MAX_VMSTATS = 64
const RATE_NS = 10e9

function zoneOf(model: NodeModel, event: EventOf<'node_zone'> | EventOf<'node_buddy'>): Zone | undefined {
  const key = `${event.numaNode}:${event.zone}`, known = model.zones.get(key)
  if (known !== undefined || model.zones.size >= MAX_ZONES) return known
  const zone: Zone = { numaNode: event.numaNode, name: event.zone }
  model.zones.set(key, zone)
  return zone
}

/** Folds zones, free blocks and slab caches. */
export function applyNodeFact(model: NodeModel, event: EventOf<'node_zone'> | EventOf<'node_buddy'> | EventOf<'node_slab'>): void {
  if (event.kind === 'node_slab') {
    // Rows of one reading are one list: a new reading replaces the old one.
    if (model.slabs[0] !== undefined && model.slabs[0].tsNs !== event.tsNs) model.slabs.length = 0
    if (model.slabs.length < MAX_SLABS) model.slabs.push(event)
    return
  }
  const zone = zoneOf(model, event)
  if (zone === undefined) return
  if (event.kind === 'node_zone') zone.marks = event
  else zone.buddy = event
}

export function applyVmstat(model: NodeModel, event: EventOf<'node_vmstat'>): void {
  model.firstVmstat ??= event
  model.vmstat = event
  const { vmstats } = model
  vmstats.push(event)
  while (vmstats.length > MAX_VMSTATS || (vmstats[0] !== undefined && event.tsNs - vmstats[0].tsNs > RATE_NS)) vmstats.shift()
}

type VmstatField = Exclude<keyof EventOf<'node_vmstat'>, 'kind' | 'tsNs'>

/** Per second over the last ten seconds; nothing when the kernel does not count it, or when there is only one reading. */
export function vmstatPerSec(model: NodeModel, field: VmstatField): number | undefined {
  const first = model.vmstats[0], last = model.vmstat, from = first?.[field], to = last?.[field]
  if (first === undefined || last === undefined || from === undefined || to === undefined || last.tsNs <= first.tsNs) return undefined
  return Math.max(0, to - from) / ((last.tsNs - first.tsNs) / 1e9)
}
