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

export class Feed {
  /** Another object after a replay went to another time. */
  model: NodeModel
  /** Events applied since the start (of this fold). */
  events = 0
  private readonly source: Source
  private readonly options: FeedOptions
  /** Kills of earlier folds by id: a jump that starts at a later keyframe would otherwise forget them. */
  private readonly known = new Map<string, KillCase>()
  private mustRecall = false

  constructor(source: Source, options: FeedOptions = {}) {
    this.source = source
    this.options = options
    this.model = this.empty()
  }

  take(batch: Batch): void {
    if (batch.isRestart) this.restart()
    for (const { frame, events } of batch.items) {
      if (this.mustRecall && (frame.flags & FLAG.keyframe) !== 0) this.recall(frame.tsNs)
      if (frame.isAfterDamage === true) applyDamage(this.model, frame.tsNs)
      for (const event of events) {
        applyEvent(this.model, event)
        this.options.afterEvent?.(this.model, event)
      }
      this.events += events.length
      this.options.afterFrame?.(this.model)
    }
    Object.assign(this.model.health, this.source.counts())
  }

  /** An event of our own (a name learned), not of the source. */
  add(event: Event): void { applyEvent(this.model, event) }

  private empty(): NodeModel {
    const { tombstones, nameBook } = this.options
    return createModel({ tombstones, nameBook })
  }

  private restart(): void {
    for (const killCase of this.model.cases) this.known.set(killCase.id, killCase)
    this.mustRecall = true
    this.model = this.empty()
    this.events = 0
  }

  /** At the first keyframe of a new fold: what is older than it cannot be found by folding on. */
  private recall(startNs: number): void {
    const older = [...this.known.values()].filter((killCase) => killCase.tsNs < startNs).sort((a, b) => a.tsNs - b.tsNs)
    this.model.cases.unshift(...older)
    this.mustRecall = false
  }
}

/** Everything that did not arrive, from the kernel to here. */
export function lostCount(model: NodeModel): number {
  const { losses, corruptFrames, unknownKinds, badRows } = model.health
  return [...losses.values()].reduce((sum, { count }) => sum + count, corruptFrames + unknownKinds + badRows)
}

/** Processes the kernel's OOM killer ended. */
export const victimCount = (model: NodeModel): number => model.cases.filter(isOomCase).reduce((sum, { victims, unseenVictims }) => sum + victims.length + (unseenVictims ?? 0), 0)
