/** What has happened on the node, as far as it was seen: the kills with what the samples said around them, and pressure second by second. */
import type { NodeModel } from '../model/node.ts'
import { KillMoments } from './kill-moment.ts'
import { Timeline } from './timeline.ts'

/**
 * Live it is told by the model the screen shows. In replay a second fold over the whole recording tells it, so that what is
 * still to come can be listed and jumped to.
 */
export class Story {
  readonly timeline: Timeline
  readonly moments = new KillMoments()
  /** Whose cases are the kills. */
  model: NodeModel
  /** Share of the recording read, 0..1; live is always 1. */
  progress = 1

  constructor(model: NodeModel, seconds?: number) {
    this.model = model
    this.timeline = new Timeline(seconds)
    this.see(model)
  }

  /** To be told whenever the model has moved, at least every second of its time. */
  see(model: NodeModel): void {
    this.model = model
    this.timeline.feed(model)
    this.moments.feed(model)
  }
}
