/** `oomscope live`: the screen over this node. */
import { EXIT } from '../base/errors.ts'
import type { ExitCode } from '../base/errors.ts'
import { createModel } from '../model/apply.ts'
import { narrower } from '../model/narrow.ts'
import { openLive } from '../source/live.ts'
import type { Batch } from '../source/source.ts'
import { runTui } from '../tui/app.ts'
import { Story } from '../view/story.ts'
import { coversOf, tombstonesOf } from './args.ts'
import type { Options } from './args.ts'
import { warn } from './exit.ts'
import { Feed } from './feed.ts'
import { lens } from './lens.ts'
import { liveOptions } from './live-options.ts'
import { tapeOf } from './look-back.ts'
import { nameSources } from './name-sources.ts'
import { Names } from './names.ts'
import { protectFromOom } from './protect.ts'
import { Rewind } from './rewind.ts'
import { screenOptions } from './screen-options.ts'
import type { Signals } from './signals.ts'
import { untilAborted } from './signals.ts'
import { liveSnapshot } from './snapshot.ts'
import { hasTerminal, requireTerminal } from './terminal.ts'

/** A node with tens of thousands of cgroups takes seconds until the first of them can be shown. */
const SLOW_MS = 1000

async function tellingIfSlow<T>(work: Promise<T>): Promise<T> {
  const timer = setTimeout(() => process.stderr.write('oomscope: looking at every cgroup of this node for the first time; ctrl-C ends\n'), SLOW_MS)
  try {
    return await work
  } finally {
    clearTimeout(timer)
  }
}

export async function live(options: Options, signals: Signals): Promise<ExitCode> {
  // What is wrong with an option is said before anything runs, also where it would not matter.
  const tape = tapeOf(options), screen = screenOptions(options), sources = nameSources(options), narrow = narrower(coversOf(options)), tombstones = tombstonesOf(options)
  if (!hasTerminal()) return liveSnapshot(options, signals)
  requireTerminal('this node', 'oomscope record -o FILE')
  protectFromOom()
  const source = await openLive(liveOptions(options)), story = new Story(narrow(createModel())), feed = new Feed(source, { afterFrame: (model) => story.see(narrow(model)), tombstones })
  const batches = source.batches(), rewind = tape === undefined ? undefined : new Rewind(feed, tape, tombstones)
  void untilAborted(signals.ended).then(() => source.close())
  // A bridge that cannot start is told on the plain terminal, before the screen is taken.
  const first = await tellingIfSlow(batches.next())
  if (first.done === true) return EXIT.done
  const names = new Names(sources)
  const take = (batch: Batch): void => {
    const items = names.take(feed, batch)
    tape?.push(items)
  }
  take(first.value)
  if (source.shortage !== undefined) warn(source.shortage)
  let failure: Error | undefined
  const pumped = (async (): Promise<void> => {
    try {
      for await (const batch of batches) take(batch)
    } catch (error) {
      // The screen stays, with what was seen until then; it is thrown again when the person leaves.
      failure = error instanceof Error ? error : new Error(String(error))
    }
  })()
  try {
    return await runTui({
      mode: 'live', model: () => narrow(rewind?.model ?? feed.model), story, ...(rewind === undefined ? {} : { control: rewind.control }), lens, wallNow: Date.now, fault: () => failure?.message,
      ...screen,
    })
  } finally {
    names.close()
    await rewind?.close()
    await source.close()
    await pumped
    if (failure !== undefined && signals.exitCode() === undefined) throw failure
  }
}
