/** Without a terminal `live` and `replay` print the overview of one moment as plain text: for a pipe, a ticket, a cron job. */
import { EXIT, SourceError } from '../base/errors.ts'
import type { ExitCode } from '../base/errors.ts'
import { createModel } from '../model/apply.ts'
import { narrower } from '../model/narrow.ts'
import type { NodeModel } from '../model/node.ts'
import { openRecording } from '../recording/reader.ts'
import { openLive } from '../source/live.ts'
import { ReplaySource } from '../source/replay.ts'
import { snapshotLines } from '../tui/snapshot.ts'
import { Story } from '../view/story.ts'
import { coversOf, isSet, textOf, tombstonesOf } from './args.ts'
import type { Options } from './args.ts'
import { Feed } from './feed.ts'
import { lens } from './lens.ts'
import { liveOptions } from './live-options.ts'
import { nameSources } from './name-sources.ts'
import { Names } from './names.ts'
import { toldBatches } from './progress.ts'
import { startOf } from './replay-start.ts'
import type { Signals } from './signals.ts'
import { untilAborted } from './signals.ts'

const DEFAULT_COLUMNS = 120, LEAST_COLUMNS = 50, MOST_COLUMNS = 500

/** What is read once a second has then been read twice, so that there are rates; the names of pods have been looked up. */
const WATCHED_NS = 1.5e9
/** A node on which nothing can be read for so long is shown as it was seen until then. */
const PATIENCE_MS = 15_000

function columnsOf(env: Readonly<Record<string, string | undefined>>): number {
  const columns = Number(env['COLUMNS'] ?? '')
  return Number.isInteger(columns) && columns > 0 ? Math.max(LEAST_COLUMNS, Math.min(MOST_COLUMNS, columns)) : DEFAULT_COLUMNS
}

function print(options: Options, model: NodeModel, story: Story): ExitCode {
  const lines = snapshotLines({ lens, model, story, cols: columnsOf(process.env), ascii: isSet(options, 'ascii') })
  process.stdout.write(`${lines.join('\n')}\n`)
  return EXIT.done
}

/** Attaching probes takes seconds and answers nothing in the one moment that is shown. */
export async function liveSnapshot(options: Options, signals: Signals): Promise<ExitCode> {
  const wanted = liveOptions(options), narrow = narrower(coversOf(options)), sources = nameSources(options), source = await openLive({ ...wanted, noProbes: wanted.requireProbes !== true })
  const story = new Story(narrow(createModel())), feed = new Feed(source, { afterFrame: (model) => story.see(narrow(model)), tombstones: tombstonesOf(options) })
  void untilAborted(signals.ended).then(() => source.close())
  const patience = setTimeout(() => void source.close(), PATIENCE_MS)
  let names: Names | undefined
  try {
    let startNs: number | undefined
    for await (const batch of source.batches()) {
      names ??= new Names(sources)
      names.take(feed, batch)
      startNs ??= feed.model.hello?.tsNs
      if (startNs !== undefined && feed.model.memcgs.size > 0 && feed.model.nowNs - startNs >= WATCHED_NS) break
    }
  } finally {
    clearTimeout(patience)
    names?.close()
    await source.close()
  }
  if (signals.exitCode() !== undefined) return EXIT.done
  if (feed.model.hello === undefined) throw new SourceError({ code: 'source-silent', message: `cannot look at this node: nothing was read for ${PATIENCE_MS / 1000} s`, hint: 'see `oomscope doctor`' })
  return print(options, narrow(feed.model), story)
}

/** Of the moment --at, or of the end. */
export async function replaySnapshot(file: string, options: Options, signals: Signals): Promise<ExitCode> {
  const recording = openRecording(file), source = new ReplaySource(recording, { speed: 'max' }), at = textOf(options, 'at'), narrow = narrower(coversOf(options)), story = new Story(narrow(createModel())), feed = new Feed(source, { afterFrame: (model) => story.see(narrow(model)), tombstones: tombstonesOf(options) })
  void untilAborted(signals.ended).then(() => source.close())
  try {
    const untilNs = at === undefined ? Infinity : startOf(source, at)
    for await (const batch of toldBatches({ source, path: file, totalBytes: recording.totalBytes })) {
      const later = batch.items.findIndex(({ frame }) => frame.tsNs > untilNs)
      feed.take(later < 0 ? batch : { ...batch, items: batch.items.slice(0, later) })
      if (later >= 0) break
    }
    return signals.exitCode() === undefined ? print(options, narrow(feed.model), story) : EXIT.done
  } finally {
    await source.close()
  }
}
