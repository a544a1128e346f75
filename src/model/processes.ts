/** Processes of the node, living and lately dead (bounded): who the OOM killer could take, and who a victim was. */
import { bootNsAt } from '../base/time.ts'
import type { EventOf } from '../event/event.ts'
import { depthBelow } from './memcgs.ts'
import type { NodeModel } from './node.ts'

/** One process. `startNs` (since boot) tells two of one pid apart. */
export type Process = {
  readonly pid: number; readonly startNs: number
  memcgId: number; ppid: number; uid: number; threads: number; comm: string
  /** When a row first named it. */
  readonly seenNs: number
  lastSeenNs: number
  endNs?: number
  memory?: EventOf<'process_memory'>
  command?: EventOf<'process_command'>
}

/** What the bridge keeps (--max-processes) and some more. */
const MAX_PROCESSES = 16_384
/** A case is read long after its victim died: the newest dead stay. */
const MAX_DEAD = 2048

export type ProcessTable = { readonly living: Map<number, Process>; readonly dead: Process[] }

export const createProcessTable = (): ProcessTable => ({ living: new Map(), dead: [] })

function bury(table: ProcessTable, task: Process, tsNs: number): void {
  table.living.delete(task.pid)
  task.endNs = tsNs
  table.dead.push(task)
  // Half of them at once: to shift a long list at every death would cost more.
  if (table.dead.length >= 2 * MAX_DEAD) table.dead.splice(0, MAX_DEAD)
}

function applyProcess({ processes: table }: NodeModel, event: EventOf<'process'>): void {
  const { pid, startNs, memcgId, ppid, uid, threads, comm, tsNs } = event, known = table.living.get(pid)
  if (known?.startNs === startNs) {
    Object.assign(known, { memcgId, ppid, uid, threads, comm, lastSeenNs: tsNs })
    return
  }
  if (known !== undefined) bury(table, known, tsNs)
  if (table.living.size < MAX_PROCESSES) table.living.set(pid, { pid, startNs, memcgId, ppid, uid, threads, comm, seenNs: tsNs, lastSeenNs: tsNs })
}

/** Folds one row about a process. */
export function applyProcessRow(model: NodeModel, event: EventOf<'process'> | EventOf<'process_command'> | EventOf<'process_memory'> | EventOf<'process_end'>): void {
  if (event.kind === 'process') return applyProcess(model, event)
  const known = model.processes.living.get(event.pid)
  if (known === undefined || known.startNs !== event.startNs) return
  if (event.kind === 'process_end') return bury(model.processes, known, event.tsNs)
  known.lastSeenNs = event.tsNs
  if (event.kind === 'process_memory') known.memory = event
  else known.command = event
}

/** A keyframe names every process: one that the last two did not name ended unseen. */
export function buryUnseenProcesses(model: NodeModel): void {
  const [oldest] = model.clocksNs
  if (oldest === undefined || model.clocksNs.length < 3) return
  for (const task of model.processes.living.values()) if (task.lastSeenNs < oldest) bury(model.processes, task, task.lastSeenNs)
}

/** The kernel tells a beginning in ticks of 10 ms. */
const START_TICK_NS = 20e6

/** Had it begun by this time (CLOCK_MONOTONIC)? Boottime and monotonic differ by the time asleep. */
export const hadBegun = ({ anchor }: NodeModel, { startNs }: Process, tsNs: number): boolean => startNs <= (anchor === undefined ? tsNs : bootNsAt(anchor, tsNs)) + START_TICK_NS

/** The process that had this pid at a time (CLOCK_MONOTONIC). Rows lag behind what happens, so one that was found a little later counts. */
export function processAt(model: NodeModel, pid: number, tsNs: number): Process | undefined {
  const { living, dead } = model.processes
  const isIt = (task: Process | undefined): task is Process => task !== undefined && hadBegun(model, task, tsNs) && (task.endNs === undefined || task.endNs >= tsNs)
  const alive = living.get(pid)
  if (isIt(alive)) return alive
  for (let i = dead.length - 1; i >= 0; i--) if (dead[i]?.pid === pid && isIt(dead[i])) return dead[i]
  return undefined
}

/** Every living process charged to a memcg or to one below it; of the whole node when none is given. */
export function processesOf(model: NodeModel, memcgId?: number): Process[] {
  const inside = new Map<number, boolean>(), found: Process[] = []
  for (const task of model.processes.living.values()) {
    let isInside = memcgId === undefined || inside.get(task.memcgId)
    if (isInside === undefined) inside.set(task.memcgId, isInside = memcgId !== undefined && depthBelow(model, memcgId, task.memcgId) !== undefined)
    if (isInside) found.push(task)
  }
  return found
}
