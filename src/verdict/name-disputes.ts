/** Where the sources of names differ about the workloads of a case: said, because a wrong name sends a person to the wrong pod. */
import { disputesOf } from '../identity/workload.ts'
import type { KillCase } from '../model/case.ts'
import type { NodeModel } from '../model/node.ts'
import { safeName } from './names.ts'

const MAX_TOLD = 8

/** One sentence a difference, each once. */
export function nameDisputesOf(model: NodeModel, { victims, limit }: KillCase): string[] {
  const paths = new Set([limit?.path, ...victims.map(({ path }) => path)]), said = new Set<string>()
  for (const path of paths) {
    if (path === undefined) continue
    for (const { field, from, value, otherFrom, otherValue } of disputesOf(model, path)) said.add(`the ${field} is ${safeName(value)} for ${safeName(from)}, which is believed, and ${safeName(otherValue)} for ${safeName(otherFrom)}`)
    if (said.size >= MAX_TOLD) break
  }
  return [...said].slice(0, MAX_TOLD)
}
