/** `oomscope record`: the live source into a file; says when everything runs and, at the end, what it holds. */
import { formatBytes } from '../base/bytes.ts'
import { EXIT, usageError } from '../base/errors.ts'
import type { ExitCode } from '../base/errors.ts'
import { plural, printable } from '../base/text.ts'
import { formatDuration, NS_PER_MS, NS_PER_SECOND } from '../base/time.ts'
import type { NodeModel } from '../model/node.ts'
import { createRecording, DEFAULT_KEEP_NS, DEFAULT_MAX_BYTES, MIN_MAX_BYTES } from '../recording/writer.ts'
import type { RecordingWriter } from '../recording/writer.ts'
import { openLive } from '../source/live.ts'
import type { Ready } from '../source/readiness.ts'
import { bytesOf, durationOf, isSet, textOf, tombstonesOf } from './args.ts'
import type { Options } from './args.ts'
import { warn } from './exit.ts'
import { Feed, lostCount, victimCount } from './feed.ts'
import { liveOptions } from './live-options.ts'
import { nameSources } from './name-sources.ts'
import { Names } from './names.ts'
import { protectFromOom } from './protect.ts'
import { untilAborted } from './signals.ts'
import type { Signals } from './signals.ts'
import { TracerNotes } from './tracer-notes.ts'

export async function record(options: Options, signals: Signals): Promise<ExitCode> {
  const path = textOf(options, 'output')
  if (path === undefined || path === '') throw usageError('missing-file', 'cannot run record: FILE is missing', 'name the recording to write: oomscope record -o FILE')
  const forNs = durationOf(options, 'for'), keepNs = durationOf(options, 'keep', NS_PER_SECOND) ?? DEFAULT_KEEP_NS, tombstones = tombstonesOf(options), sources = nameSources(options)
  const maxBytes = bytesOf(options, 'max-size', MIN_MAX_BYTES) ?? DEFAULT_MAX_BYTES
  protectFromOom()
  // First what may be missing here: --force must not remove an old recording for nothing.
  const source = await openLive(liveOptions(options))
  const writer = createRecording({ path, force: isSet(options, 'force'), maxBytes, keepNs, tombstones })
  const told = source.shortage
  if (told !== undefined) warn(told)
  const feed = new Feed(source, { tombstones }), names = new Names(sources), notes = new TracerNotes(), startedMs = performance.now()
  let timer = { clear: (): void => undefined }
  void source.ready.then((ready) => {
    // Known only now, when bpftrace refused all of them.
    if (told === undefined && source.shortage !== undefined) warn(source.shortage)
    process.stderr.write(`${readyLine(path, ready, feed.model)}\n`)
    // Counted from here: what was asked for is that long a recording with everything running.
    if (forNs !== undefined) timer = after(forNs / NS_PER_MS, () => void source.close())
  })
  void untilAborted(signals.ended).then(() => source.close())
  let written = 0
  try {
    for await (const batch of source.batches()) {
      writer.write(names.take(feed, batch))
      written = feed.events
      // What ends because we end is no news.
      if (signals.exitCode() === undefined) for (const line of batch.items.flatMap(({ events }) => notes.of(events))) process.stderr.write(`${line}\n`)
    }
    return EXIT.done
  } finally {
    timer.clear()
    names.close()
    await source.close()
    writer.close()
    if (feed.events > 0) process.stderr.write(`${summaryLine(writer, { feed, written, ns: (performance.now() - startedMs) * NS_PER_MS })}\n`)
  }
}

/** Node's own timers fire at once when they are asked for more than 24.8 days. */
function after(ms: number, work: () => void): { readonly clear: () => void } {
  const endMs = performance.now() + ms
  const wait = (): NodeJS.Timeout => setTimeout(() => { if (performance.now() >= endMs) work(); else timer = wait() }, Math.min(endMs - performance.now(), 2 ** 30))
  let timer = wait()
  return { clear: () => clearTimeout(timer) }
}

/** What is said of probes that did not answer in time (readiness.ts). */
const OVERDUE = { tracer: 'bpftrace hangs: not attached after 2 minutes', unreadable: 'what bpftrace says is not understood: no sign of them for 2 minutes', 'self-tests': 'some self-tests never answered' } as const

function readyLine(path: string, { chosen, proven, overdue }: Ready, model: NodeModel): string {
  const probes = chosen === 0 ? 'no probes' : `probes ${proven} of ${chosen} proven${overdue === undefined ? '' : ` (${OVERDUE[overdue]})`}`
  const memcgs = [...model.memcgs.values()].filter((memcg) => memcg.diedNs === undefined).length
  return `recording ${printable(path)} · ${probes} · sampling ${plural(memcgs, 'memcg')} · ctrl-C ends`
}

/** `written` is less than what was seen when the last batch did not get into the file: then that is lost too. */
function summaryLine(writer: RecordingWriter, { feed, written, ns }: { readonly feed: Feed; readonly written: number; readonly ns: number }): string {
  const size = `${formatBytes(writer.totalBytes)}${writer.segmentCount === 1 ? '' : ` in ${writer.segmentCount} files`}`
  return `recorded ${printable(writer.path)} · ${plural(written, 'event')} · ${plural(victimCount(feed.model), 'kill')} · ${lostCount(feed.model) + feed.events - written} lost · ${size} · ${formatDuration(ns)}`
}
