/** Reads the whole recording beside the replay, so that kills which are still to come can be listed and jumped to. */
import { applyEvent, createModel } from '../model/apply.ts'
import type { NameBook } from '../model/names.ts'
import type { NodeModel } from '../model/node.ts'
import { openReplay } from '../source/replay.ts'
import { Story } from '../view/story.ts'
import type { Range } from '../view/timeline.ts'

export type Overlook = { readonly story: Story; /** Of the whole recording, as far as it was read. */ readonly nameBook: NameBook; readonly close: () => Promise<void> }

/** `narrow`: which part of it is looked at. */
export type OverlookOptions = { readonly tombstones?: number | undefined; readonly narrow?: (model: NodeModel) => NodeModel; /** If it is known already. */ readonly span?: Range | undefined; /** What comes first. */ readonly after?: Promise<unknown>; /** Somebody waits for the replay itself: a jump is under way. */ readonly isBusy?: () => boolean }

/** Longest work in one piece: keys and frames of the screen wait for it, and in a jump every piece of the recording. */
const TURN_MS = 8, BUSY_TURN_MS = 1

/** Starts reading; the story fills while the screen is already up. A recording that cannot be read twice ends the story early, not the replay. */
export function overlook(path: string, { tombstones, narrow = (model) => model, span: known, after, isBusy = () => false }: OverlookOptions = {}): Overlook {
  const source = openReplay({ path, speed: 'max' }), span = known ?? source.tape.span(), model = createModel({ tombstones })
  const story = new Story(narrow(model), span === undefined ? undefined : (span.endNs - span.startNs) / 1e9)
  story.progress = 0
  const read = async (): Promise<void> => {
    await after
    let turnAt = performance.now(), turnMs = TURN_MS
    for await (const { items } of source.batches()) for (const { frame, events } of items) {
      for (const event of events) applyEvent(model, event)
      story.see(narrow(model))
      if (span !== undefined) story.progress = Math.max(story.progress, Math.min(0.99, (frame.tsNs - span.startNs) / (span.endNs - span.startNs || 1)))
      if (performance.now() - turnAt < turnMs) continue
      await new Promise((resolve) => setImmediate(resolve))
      turnAt = performance.now()
      turnMs = isBusy() ? BUSY_TURN_MS : TURN_MS
    }
  }
  const reading = read().catch(() => undefined).finally(() => { story.progress = 1 })
  return { story, nameBook: model.nameBook, close: async () => { await source.close(); await reading } }
}
