/** Which sources of names answer here, and where they differ: asked once, for `doctor`. */
import { printable } from '../base/text.ts'
import type { NameSource } from '../identity/name-source.ts'
import { applyEvent, createModel } from '../model/apply.ts'
import { eventOf } from './names.ts'

export type NameSourceReport = { readonly source: string; readonly state: string; readonly detail?: string; readonly reason?: string; /** Pods and containers it told of. */ readonly told: number }
export type NameReport = { readonly sources: readonly NameSourceReport[]; /** Where two give one workload different names. */ readonly disputes: readonly string[] }

/** Longer than the longest time a source gives one answer. */
const WAIT_MS = 8000, MAX_DISPUTES = 20

export async function nameReport(sources: readonly NameSource[]): Promise<NameReport> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => { timer = setTimeout(resolve, WAIT_MS) })
  for (const source of sources) source.start()
  await Promise.race([Promise.all(sources.map(({ settled }) => settled)), late])
  clearTimeout(timer)
  const model = createModel(), reports = sources.map((source): NameSourceReport => {
    const facts = source.take().filter((fact) => fact.kind === 'workload'), { state, detail, reason } = source.health
    for (const fact of facts) applyEvent(model, eventOf(fact, source.name, 0))
    return { source: source.name, state, told: facts.length, ...(detail === undefined ? {} : { detail: printable(detail, 300) }), ...(reason === undefined ? {} : { reason: printable(reason, 600) }) }
  })
  for (const source of sources) source.close()
  const disputes = [...model.names].flatMap(([key, { disputes: all = [] }]) => all.map(({ field, from, value, otherFrom, otherValue }) => printable(`${key.slice(0, 25)}: the ${field} is ${value} for ${from}, which is believed, and ${otherValue} for ${otherFrom}`, 400)))
  return { sources: reports, disputes: disputes.slice(0, MAX_DISPUTES) }
}
