/** `oomscope replay`: the same screen over a recording, with pause, speed and jumps in time. */
import type { ExitCode } from '../base/errors.ts'
import { usageError } from '../base/errors.ts'
import { printable } from '../base/text.ts'
import { narrower } from '../model/narrow.ts'
import { openReplay } from '../source/replay.ts'
import type { ReplaySource } from '../source/replay.ts'
import { runTui } from '../tui/app.ts'
import { wallOf } from '../view/clock.ts'
import { coversOf, speedOf, textOf, tombstonesOf } from './args.ts'
import type { Options } from './args.ts'
import { Feed } from './feed.ts'
import { lens } from './lens.ts'
import { overlook } from './overlook.ts'
import { parseMoment } from '../base/moment.ts'
import { screenOptions } from './screen-options.ts'
import type { Signals } from './signals.ts'
import { requireTerminal } from './terminal.ts'

export async function replay(file: string, options: Options, signals: Signals): Promise<ExitCode> {
  requireTerminal('the recording', 'oomscope kills FILE')
  const screen = screenOptions(options), speed = speedOf(options), tombstones = tombstonesOf(options), narrow = narrower(coversOf(options)), source = openReplay({ path: file, speed })
  const at = textOf(options, 'at'), { story, nameBook, close } = overlook(file, { tombstones, narrow }), feed = new Feed(source, { tombstones, nameBook })
  try {
    if (at !== undefined) source.seek(momentOf(source, at))
    const batches = source.batches()
    let failure: unknown
    const pumped = (async (): Promise<void> => {
      try {
        for await (const batch of batches) feed.take(batch)
      } catch (error) {
        failure = error
      }
    })()
    const code = await runTui({
      mode: 'replay', model: () => narrow(feed.model), story, lens, wallNow: () => wallOf(feed.model, feed.model.nowNs) ?? 0, fault: () => (failure instanceof Error ? failure.message : undefined),
      control: { setPaused: (paused) => source.setPaused(paused), setSpeed: (value) => source.setSpeed(value), seek: (tsNs) => source.seek(tsNs), playback: () => source.playback() },
      ...screen,
    })
    await source.close()
    await pumped
    if (failure !== undefined && signals.exitCode() === undefined) throw failure
    return code
  } finally {
    await close()
    await source.close()
  }
}

function momentOf({ tape }: ReplaySource, text: string): number {
  const { hello } = tape, span = tape.span()
  const moment = parseMoment(text, { startNs: span?.startNs ?? 0, ...(hello === undefined ? {} : { anchor: hello }) })
  if (moment === undefined) throw usageError('bad-value', `cannot understand --at '${printable(text, 60)}': not a time`, 'write 2026-11-20T12:00:00Z, 12:00:00 (UTC) or +90s from the beginning')
  return moment
}
