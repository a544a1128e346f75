/** One run of a command on the screen: its terminal in a pane, its memory beside it, and what it came to when it is over. */
import { setTimeout as pause } from 'node:timers/promises'
import { printable } from '../base/text.ts'
import { runTui } from '../tui/app.ts'
import { paneSizeOf } from '../tui/paint-command.ts'
import { openCells } from '../tui/pane-cells.ts'
import type { Stage } from '../tui/stage.ts'
import { runPanel } from '../view/run-panel.ts'
import { runText } from '../view/run-report.ts'
import { lens } from './lens.ts'
import { outcomeOf, signalOf } from './run-here.ts'
import type { Outcome, Run } from './run-here.ts'
import { startInPane } from './run-pane.ts'
import type { ScreenOptions } from './screen-options.ts'

/** What a command has to end in once the person has left; then it is killed with everything in its memcg. */
const GRACE_MS = 5000

export async function runOnScreen(run: Run, screen: ScreenOptions): Promise<Outcome> {
  const { argv, memcg, watcher, seat, signals } = run, { columns = 80, rows = 24 } = process.stdout, cells = await openCells(paneSizeOf({ cols: columns, rows }))
  const startedMs = performance.now(), pane = await startInPane(argv, { seat, ...cells.size, onData: (text) => cells.write(text) })
  cells.onAnswer((text) => pane.write(text))
  let isRunning = true, outcome: Outcome | undefined
  const finished = pane.ended.then(async (ending) => {
    isRunning = false
    outcome = await outcomeOf(run, ending, startedMs)
    return outcome
  })
  const stage: Stage = {
    title: printable(argv.join(' '), 200), cells, isRunning: () => isRunning, type: (bytes) => pane.write(bytes),
    resize: (width, height) => { cells.resize({ cols: width, rows: height }); pane.resize(width, height) },
    panel: () => runPanel(watcher.model, { watch: watcher.watch, path: memcg.path, cases: watcher.story.model.cases }),
    summary: () => (outcome === undefined ? undefined : runText(outcome.summary, watcher.model)),
  }
  const code = await runTui({ mode: 'live', model: () => watcher.rewind?.model ?? watcher.model, story: watcher.story, ...(watcher.rewind === undefined ? {} : { control: watcher.rewind.control }), lens, wallNow: Date.now, fault: () => watcher.failure?.message, stage, ...screen })
  if (isRunning) {
    pane.signal(signalOf(code) ?? 'SIGTERM')
    await Promise.race([pane.ended, pause(GRACE_MS, undefined, { ref: false })])
    if (isRunning) memcg.kill()
  }
  // The command had the signal, if there was one, and its answer counts.
  signals.forgive()
  return finished
}
