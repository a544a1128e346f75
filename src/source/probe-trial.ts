/** When the whole program is refused: finds out which scripts are to blame, so that one never costs the others. */
import { tryAttach, type BpftraceFeatures } from './bpftrace.ts'
import { assemble, chooseProbes, type ProbeFeatures, type ProbeOptions, type ProbeSet } from './probe-set.ts'

/** Tries one program for real: undefined when it loads and attaches, else the error. */
export type Attempt = (bpftrace: BpftraceFeatures, text: string) => Promise<string | undefined>

/** How many bpftrace processes are tried at a time: each takes 100 MB and most of a core. */
const TRIALS_AT_ONCE = 2

/**
 * Tries every chosen script alone and replaces those that fail by the next rung of their question, until all that is
 * chosen has passed. Ends after at most as many rounds as the longest ladder has rungs.
 */
export async function isolateRefusals(features: ProbeFeatures, options: ProbeOptions = {}, attempt: Attempt = tryAttach): Promise<ProbeSet> {
  const { bpftrace } = features, refused = new Map(options.refused), passed = new Set<string>()
  if ('missing' in bpftrace) return chooseProbes(features, options)
  const tryAlone = (file: string): Promise<string | undefined> =>
    attempt(bpftrace, assemble(features.scripts.filter((script) => script.file === file), features.kernel))
  for (;;) {
    const set = chooseProbes(features, { ...options, refused })
    const untried = set.rungs.flatMap((rung) => rung.state === 'chosen' && rung.script !== undefined && !passed.has(rung.script) ? [rung.script] : [])
    if (untried.length === 0) return set
    for (const [file, error] of await each(untried, tryAlone)) {
      if (error === undefined) passed.add(file)
      else refused.set(file, error)
    }
  }
}

/** Asks `ask` about every item, a few at a time. */
async function each<T, R>(items: readonly T[], ask: (item: T) => Promise<R>): Promise<[T, R][]> {
  const left = [...items], results: [T, R][] = []
  const work = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) results.push([item, await ask(item)])
  }
  await Promise.all(Array.from({ length: TRIALS_AT_ONCE }, work))
  return results
}
