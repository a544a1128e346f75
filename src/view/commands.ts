/** Which commands run in which cgroup: what a filter is matched against beside names. */
import type { NodeModel } from '../model/node.ts'
import { cellText } from './cell-text.ts'
import type { CommandsOf } from './select.ts'

/** Looked up when somebody filters, once for a picture. */
export function commandsIn(model: NodeModel): CommandsOf {
  let known: Map<number, string[]> | undefined
  const find = (): Map<number, string[]> => {
    const found = new Map<number, string[]>()
    for (const { memcgId, comm } of model.processes.living.values()) {
      const here = found.get(memcgId)
      if (here === undefined) found.set(memcgId, [cellText(comm)])
      else here.push(cellText(comm))
    }
    return found
  }
  return (memcgIds) => { const commands = known ??= find(); return memcgIds.flatMap((id) => commands.get(id) ?? []) }
}
