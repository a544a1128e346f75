/** What all rows of one moment share, found once: how fast every cgroup grows, when somebody last died in it. */
import { isOomCase } from '../model/case.ts'
import type { KillCase } from '../model/case.ts'
import type { Memcg, NodeModel } from '../model/node.ts'
import type { Window } from '../model/rates.ts'
import { growthOf } from './forecast.ts'
import type { Lens } from './lens.ts'
import type { Span } from './window.ts'

/** Length of the sparkline and of the window of PEAK. */
const WINDOW_SECONDS = 60
/** Rates are means over so many seconds: shorter flickers, longer hides. */
const RATE_SECONDS = 5

export type Moment = {
  readonly lens: Lens
  readonly model: NodeModel
  readonly growthOf: (memcg: Memcg) => number | undefined
  readonly minute: Span
  readonly rates: Window
  /** A probe counts waits: who was not counted has not waited. */
  readonly stallsKnown: boolean
  /** Time of the newest kill in each memcg that had one. */
  readonly lastKills: ReadonlyMap<number, number>
}

function lastKillsOf(cases: readonly KillCase[], nowNs: number): Map<number, number> {
  const kills = new Map<number, number>()
  for (const killCase of cases) for (const victim of killCase.victims) {
    if (victim.memcgId !== undefined && isOomCase(killCase) && killCase.tsNs <= nowNs) kills.set(victim.memcgId, Math.max(kills.get(victim.memcgId) ?? 0, killCase.tsNs))
  }
  return kills
}

function areStallsKnown({ memcgs }: NodeModel): boolean {
  for (const { counters } of memcgs.values()) if (counters !== undefined) return true
  return false
}

/** Asked once for each cgroup: the levels above are those of many rows. */
function once<T>(of: (memcg: Memcg) => T): (memcg: Memcg) => T {
  const answers = new Map<number, T>()
  return (memcg) => {
    const known = answers.get(memcg.id)
    if (known !== undefined || answers.has(memcg.id)) return known as T
    const answer = of(memcg)
    answers.set(memcg.id, answer)
    return answer
  }
}

/** `cases` may know kills that this fold began after. */
export function momentOf(lens: Lens, model: NodeModel, cases: readonly KillCase[] = model.cases): Moment {
  const { nowNs } = model, lastSecond = Math.floor(nowNs / 1e9)
  return {
    lens, model, growthOf: once((memcg) => growthOf(memcg, lastSecond)),
    minute: { lastSecond, seconds: WINDOW_SECONDS }, rates: { nowNs, seconds: RATE_SECONDS }, stallsKnown: areStallsKnown(model), lastKills: lastKillsOf(cases, nowNs),
  }
}
