/** What a victim was running, read while it lived: kept with the case, because the table of processes forgets the dead. */
import type { KillCase, Program, Victim } from './case.ts'
import type { EventOf } from '../event/event.ts'
import type { NodeModel } from './node.ts'
import { processAt } from './processes.ts'

export function programOf({ commandLine, exe, runtime, settings, environRead }: EventOf<'process_command'>): Program {
  return {
    ...(commandLine === undefined ? {} : { commandLine }), ...(exe === undefined ? {} : { exe }), ...(runtime === undefined ? {} : { runtime }),
    settings: settings === '' ? [] : settings.split('\n'), environRead,
  }
}

/** `before` are the victims as they were told last: what was known of them stays known. */
export function nameVictims(model: NodeModel, target: KillCase, before: readonly Victim[]): void {
  const known = new Map(before.map(({ pid, program }) => [pid, program]))
  for (const victim of target.victims) {
    const command = known.get(victim.pid) === undefined ? processAt(model, victim.pid, victim.killNs ?? target.tsNs)?.command : undefined
    const program = victim.program ?? known.get(victim.pid) ?? (command === undefined ? undefined : programOf(command))
    if (program !== undefined) victim.program = program
  }
}
