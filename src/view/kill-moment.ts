/** What the samples said around a kill, kept from the moment it is seen: two minutes later the histories it is read from are gone. */
import type { KillCase } from '../model/case.ts'
import { sampleAt } from '../model/earlier.ts'
import { HISTORY_SECONDS } from '../model/history.ts'
import type { Memcg, NodeModel } from '../model/node.ts'
import { anonSeries, series, usageSeries } from './window.ts'

/** Seconds kept before the decision; one more holds the decision itself. */
export const BEFORE_SECONDS = 60
/** The witnesses of a kill, and readings of cumulative files that are spread over the seconds before, arrive for so long. */
const STILL_ARRIVING_NS = 8e9

export type LevelThen = {
  readonly path: string
  readonly memcgId: number
  /** Newest sample not younger than the decision. */
  readonly usedBytes?: number
  readonly sampledNs?: number
  readonly highBytes?: number
  readonly maxBytes?: number
}

/** One value a second, oldest first, the last one the second of the decision; NaN = not known. */
export type SeriesThen = Readonly<Record<SeriesKey, readonly number[]>>
export type SeriesKey = 'used' | 'anon' | 'some' | 'full' | 'stall' | 'refaults' | 'high' | 'max'

export type KillMoment = {
  /** From the victim's cgroup (else the limit's) up to, not including, the root. */
  readonly levels: readonly LevelThen[]
  /** The node's memory then. */
  readonly node?: { readonly usedBytes: number; readonly totalBytes: number }
  /** Of the cgroup whose limit it was; of the node when it was the node's. */
  readonly series: SeriesThen
}

function levelThen(memcg: Memcg, tsNs: number): LevelThen {
  const sample = sampleAt(memcg.usage, memcg.earlierUsage, tsNs), { limits } = memcg
  return {
    path: memcg.path, memcgId: memcg.id,
    ...(sample === undefined ? {} : { usedBytes: sample.currentBytes, sampledNs: sample.tsNs }),
    ...(limits?.highBytes === undefined ? {} : { highBytes: limits.highBytes }), ...(limits?.maxBytes === undefined ? {} : { maxBytes: limits.maxBytes }),
  }
}

/** 64: a damaged stream could name a memcg its own ancestor. */
function levelsFrom(model: NodeModel, memcgId: number | undefined, tsNs: number): LevelThen[] {
  const levels: LevelThen[] = []
  for (let memcg = model.memcgs.get(memcgId ?? 0); memcg !== undefined && memcg.path !== '/' && levels.length < 64; memcg = model.memcgs.get(memcg.parentId)) levels.push(levelThen(memcg, tsNs))
  return levels
}

function seriesThen(model: NodeModel, { history }: Memcg | NodeModel, lastSecond: number): SeriesThen {
  // What is left of the ring: a case may be seen late.
  const seconds = Math.max(1, Math.min(BEFORE_SECONDS + 1, HISTORY_SECONDS - (Math.floor(model.nowNs / 1e9) - lastSecond)))
  const span = { lastSecond, seconds }, scaled = (values: readonly number[], by: number): number[] => values.map((value) => value / by)
  return {
    used: usageSeries(history, span), anon: anonSeries(history, span), some: scaled(series(history, 'someUs', span), 1e4), full: scaled(series(history, 'fullUs', span), 1e4),
    stall: scaled(series(history, 'stallNs', span), 1e6), refaults: series(history, 'refaults', span), high: series(history, 'highEvents', span), max: series(history, 'maxEvents', span),
  }
}

/** Of the limit's holder; of the node when it was the node's. */
const holderOf = (model: NodeModel, { limit }: KillCase): Memcg | NodeModel => model.memcgs.get(limit?.memcgId ?? 0) ?? model

/** Series of one look by holder and second: in a storm (fork after fork is killed, or nobody may be) hundreds of cases share one. */
class Shared {
  private readonly made = new Map<Memcg | NodeModel, Map<number, SeriesThen>>()

  of(model: NodeModel, killCase: KillCase): SeriesThen {
    const holder = holderOf(model, killCase), second = Math.floor(killCase.tsNs / 1e9), known = this.made.get(holder) ?? new Map<number, SeriesThen>()
    const found = known.get(second) ?? seriesThen(model, holder, second)
    this.made.set(holder, known.set(second, found))
    return found
  }
}

function momentOf(model: NodeModel, killCase: KillCase, { levels, shared }: { readonly levels: readonly LevelThen[] | undefined; readonly shared: Shared }): KillMoment {
  const { memory } = model, from = killCase.victims[0]?.memcgId ?? killCase.limit?.memcgId
  return {
    // The first look is nearest to the decision; later ones see the samples after it.
    levels: levels === undefined || levels.length === 0 ? levelsFrom(model, from, killCase.tsNs) : levels, series: shared.of(model, killCase),
    ...(memory === undefined ? {} : { node: { usedBytes: memory.totalBytes - memory.availableBytes, totalBytes: memory.totalBytes } }),
  }
}

export class KillMoments {
  private readonly kept = new WeakMap<KillCase, KillMoment>()

  /** Looks at the newest cases only: the older ones are final. */
  feed(model: NodeModel): void {
    const { cases } = model, shared = new Shared()
    for (let i = cases.length - 1; i >= 0; i--) {
      const killCase = cases[i]
      if (killCase === undefined) continue
      const known = this.kept.get(killCase), isOver = model.nowNs - killCase.tsNs > STILL_ARRIVING_NS
      if (isOver && known !== undefined) return
      if (model.nowNs - killCase.tsNs < HISTORY_SECONDS * 1e9) this.kept.set(killCase, momentOf(model, killCase, { levels: known?.levels, shared }))
      else return
    }
  }

  of(killCase: KillCase): KillMoment | undefined { return this.kept.get(killCase) }
}
