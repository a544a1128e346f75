/** Folds what a source delivers into the model, and keeps the model's health in step with what could not be read. */
import type { Event } from '../event/event.ts'
import { applyDamage, applyEvent, createModel } from '../model/apply.ts'
import { isOomCase, type KillCase } from '../model/case.ts'
import type { NameBook } from '../model/names.ts'
import type { NodeModel } from '../model/node.ts'
import type { Batch, Source } from '../source/source.ts'
import { FLAG } from '../wire/frame.ts'

export type FeedOptions = {
  /** Sees the model after every event. */
  readonly afterEvent?: ((model: NodeModel, event: Event) => void) | undefined
  /** Sees the model at every frame, also when many arrive at once: what is looked for may be gone after the next. */
  readonly afterFrame?: (model: NodeModel) => void
  /** Dead workloads remembered. */
  readonly tombstones?: number | undefined
  /** Of another fold of the same stream: a name learned at its end is true at its beginning. */
  readonly nameBook?: NameBook
}

type Fold = { readonly model: NodeModel; events: number; /** Its first keyframe has not come yet. */ mustRecall: boolean; /** Began within what led up to it: a case of its first moments may be half of one. */ readonly isShort: boolean }

export class Feed {
  private readonly source: Source
  private readonly options: FeedOptions
  private shown: Fold
  /** Takes the place of the one that is shown when it has come as far. */
  private beside: Fold | undefined
  /** Kills of earlier folds by id: a jump that starts at a later keyframe would otherwise forget them. */
  private readonly known = new Map<string, KillCase>()

  constructor(source: Source, options: FeedOptions = {}) {
    this.source = source
    this.options = options
    this.shown = this.empty()
  }

  /** Another object after a replay went to another time. */
  get model(): NodeModel { return this.shown.model }
  /** Events applied since the start (of this fold). */
  get events(): number { return this.shown.events }

  take(batch: Batch): void {
    const fold = this.foldOf(batch), { model } = fold
    for (const { frame, events } of batch.items) {
      if (fold.mustRecall && (frame.flags & FLAG.keyframe) !== 0) this.recall(fold, frame.tsNs)
      if (frame.isAfterDamage === true) applyDamage(model, frame.tsNs)
      for (const event of events) {
        applyEvent(model, event)
        this.options.afterEvent?.(model, event)
      }
      fold.events += events.length
      this.options.afterFrame?.(model)
    }
    Object.assign(model.health, this.source.counts())
  }

  /** An event of our own (a name learned), not of the source. */
  add(event: Event): void { applyEvent(this.model, event) }

  private empty(fold?: Batch['fold']): Fold {
    const { tombstones, nameBook } = this.options
    return { model: createModel({ tombstones, nameBook }), events: 0, mustRecall: false, isShort: fold === 'short' }
  }

  private foldOf({ isRestart, fold: kind }: Batch): Fold {
    if (isRestart) {
      if (!this.shown.isShort) for (const killCase of this.shown.model.cases) this.known.set(killCase.id, killCase)
      const begun = { ...this.empty(kind), mustRecall: true }
      if (kind !== 'beside') this.shown = begun
      this.beside = kind === 'beside' ? begun : undefined
    } else if (kind !== 'beside' && this.beside !== undefined) {
      this.shown = this.beside
      this.beside = undefined
    }
    return this.beside ?? this.shown
  }

  /** What is older than the first keyframe of a new fold cannot be found by folding on. */
  private recall(fold: Fold, startNs: number): void {
    const older = [...this.known.values()].filter((killCase) => killCase.tsNs < startNs).sort((a, b) => a.tsNs - b.tsNs)
    fold.model.cases.unshift(...older)
    fold.mustRecall = false
  }
}

/** Everything that did not arrive, from the kernel to here. */
export function lostCount(model: NodeModel): number {
  const { losses, corruptFrames, unknownKinds, badRows } = model.health
  return [...losses.values()].reduce((sum, { count }) => sum + count, corruptFrames + unknownKinds + badRows)
}

/** Processes the kernel's OOM killer ended. */
export const victimCount = (model: NodeModel): number => model.cases.filter(isOomCase).reduce((sum, { victims, unseenVictims }) => sum + victims.length + (unseenVictims ?? 0), 0)
