/** Reads the whole recording beside the replay, so that kills which are still to come can be listed and jumped to. */
import { applyEvent, createModel } from '../model/apply.ts'
import type { NameBook } from '../model/names.ts'
import type { NodeModel } from '../model/node.ts'
import { openReplay } from '../source/replay.ts'
import { Story } from '../view/story.ts'
import type { Range } from '../view/timeline.ts'

export type Overlook = { readonly story: Story; /** Of the whole recording, as far as it was read. */ readonly nameBook: NameBook; readonly close: () => Promise<void> }

/** `narrow`: which part of it is looked at. */
export type OverlookOptions = { readonly tombstones?: number | undefined; readonly narrow?: (model: NodeModel) => NodeModel; /** If it is known already: finding it out reads all headers. */ readonly span?: Range | undefined }

/** Longest work in one piece: keys and frames of the screen wait for it. */
const TURN_MS = 8

/** Starts reading; the story fills while the screen is already up. A recording that cannot be read twice ends the story early, not the replay. */
export function overlook(path: string, { tombstones, narrow = (model) => model, span: known }: OverlookOptions = {}): Overlook {
  const source = openReplay({ path, speed: 'max' }), span = known ?? source.tape.span(), model = createModel({ tombstones })
  const story = new Story(narrow(model), span === undefined ? undefined : (span.endNs - span.startNs) / 1e9)
  story.progress = 0
  const read = async (): Promise<void> => {
    let turnAt = performance.now()
    for await (const { items } of source.batches()) for (const { frame, events } of items) {
      for (const event of events) applyEvent(model, event)
      story.see(narrow(model))
      if (span !== undefined) story.progress = Math.max(story.progress, Math.min(0.99, (frame.tsNs - span.startNs) / (span.endNs - span.startNs || 1)))
      if (performance.now() - turnAt < TURN_MS) continue
      await new Promise((resolve) => setImmediate(resolve))
      turnAt = performance.now()
    }
  }
  const reading = read().catch(() => undefined).finally(() => { story.progress = 1 })
  return { story, nameBook: model.nameBook, close: async () => { await source.close(); await reading } }
}
