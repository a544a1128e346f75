/** Reads a whole recording into a model, as fast as it can be read. */
import { endOfStream } from '../model/apply.ts'
import type { NodeModel } from '../model/node.ts'
import { openRecording } from '../recording/reader.ts'
import { ReplaySource } from '../source/replay.ts'
import { Feed } from './feed.ts'
import type { FeedOptions } from './feed.ts'
import { toldBatches } from './progress.ts'
import { untilAborted } from './signals.ts'
import type { Signals } from './signals.ts'

/** Nothing when a signal ended the reading: half of a recording would look like all of it. */
export async function readRecording(path: string, signals: Signals, options: FeedOptions): Promise<NodeModel | undefined> {
  const recording = openRecording(path), source = new ReplaySource(recording, { speed: 'max' }), feed = new Feed(source, options)
  void untilAborted(signals.ended).then(() => source.close())
  for await (const batch of toldBatches({ source, path, totalBytes: recording.totalBytes })) feed.take(batch)
  await source.close()
  if (signals.exitCode() !== undefined) return undefined
  await signals.release()
  endOfStream(feed.model)
  return feed.model
}
