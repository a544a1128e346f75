/** `oomscope replay`: the same screen over a recording, with pause, speed and jumps in time. */
import type { ExitCode } from '../base/errors.ts'
import { narrower } from '../model/narrow.ts'
import { openRecording } from '../recording/reader.ts'
import { ReplaySource } from '../source/replay.ts'
import { runTui } from '../tui/app.ts'
import { wallOf } from '../view/clock.ts'
import { coversOf, speedOf, textOf, tombstonesOf } from './args.ts'
import type { Options } from './args.ts'
import { Feed } from './feed.ts'
import { lens } from './lens.ts'
import { overlook } from './overlook.ts'
import { startOf } from './replay-start.ts'
import { screenOptions } from './screen-options.ts'
import type { Signals } from './signals.ts'
import { replaySnapshot } from './snapshot.ts'
import { hasTerminal, requireTerminal } from './terminal.ts'

export async function replay(file: string, options: Options, signals: Signals): Promise<ExitCode> {
  // What is wrong with an option is said also where it would not matter.
  const screen = screenOptions(options), speed = speedOf(options), tombstones = tombstonesOf(options), narrow = narrower(coversOf(options))
  if (!hasTerminal()) return replaySnapshot(file, options, signals)
  requireTerminal('the recording', 'oomscope kills FILE')
  const recording = openRecording(file)
  const source = new ReplaySource(recording, { speed }), at = textOf(options, 'at'), { story, nameBook, close } = overlook(file, { tombstones, narrow, span: recording.span(), after: recording.prepare(), isBusy: () => isBusy(source) }), feed = new Feed(source, { tombstones, nameBook })
  try {
    if (at !== undefined) source.seek(startOf(source, at))
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
    await source.close()
    await close()
  }
}

/** Somebody waits for a picture, or for the minutes before it. */
function isBusy(source: ReplaySource): boolean {
  const { caughtUp, partial } = source.playback()
  return !caughtUp || partial
}
