/** Reads a whole recording into a model, as fast as it can be read. */
import type { Event } from '../event/event.ts'
import { endOfStream } from '../model/apply.ts'
import type { NodeModel } from '../model/node.ts'
import { openReplay } from '../source/replay.ts'
import { Feed } from './feed.ts'
import { untilAborted } from './signals.ts'
import type { Signals } from './signals.ts'

/** Nothing when a signal ended the reading: half of a recording would look like all of it. */
export async function readRecording(file: string, signals: Signals, afterEvent?: (model: NodeModel, event: Event) => void): Promise<NodeModel | undefined> {
  const source = openReplay({ path: file, speed: 'max' }), feed = new Feed(source, { afterEvent })
  void untilAborted(signals.ended).then(() => source.close())
  for await (const batch of source.batches()) feed.take(batch)
  await source.close()
  if (signals.exitCode() !== undefined) return undefined
  endOfStream(feed.model)
  return feed.model
}
