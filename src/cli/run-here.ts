/** One run of a command: in this terminal, from its start to the last row about it. */
import { constants } from 'node:os'
import { accountsOf, endLedger } from '../model/usage-ledger.ts'
import type { Account } from '../model/usage-ledger.ts'
import { startHere } from '../source/run-command.ts'
import type { Ending, RunningCommand, Seat } from '../source/run-command.ts'
import type { RunMemcg } from '../source/run-memcg.ts'
import { runSummary } from '../view/run-summary.ts'
import type { RunSummary } from '../view/run-summary.ts'
import type { RunWatcher } from './run-watcher.ts'
import { untilAborted } from './signals.ts'
import type { Signals } from './signals.ts'

export type Run = { readonly argv: readonly string[]; readonly memcg: RunMemcg; readonly watcher: RunWatcher; readonly seat: Seat; readonly signals: Signals }
export type Outcome = { readonly ending: Ending; readonly summary: RunSummary }

export async function runHere(run: Run): Promise<Outcome> {
  const { argv, seat, signals } = run, startedMs = performance.now(), command = startHere(argv, seat)
  void untilAborted(signals.ended).then(() => passOn(command, signals.exitCode() ?? 0))
  const outcome = await outcomeOf(run, await command.ended, startedMs)
  // It had the signal and answered as it wanted: that answer counts.
  signals.forgive()
  return outcome
}

/** What the kernel's files say at its end, then what the stream says of its end. */
export async function outcomeOf({ argv, memcg, watcher }: Run, ending: Ending, startedMs: number): Promise<Outcome> {
  const ns = (performance.now() - startedMs) * 1e6, peakBytes = memcg.peakBytes(), leftBehind = memcg.pids().length
  if (await memcg.remove()) await watcher.lastRows()
  const facts = { argv, code: ending.code, signal: ending.signal, ns, peakBytes, leftBehind, failure: watcher.failure?.message }
  return { ending, summary: runSummary(facts, watcher.model, { watch: watcher.watch, path: memcg.path, cases: watcher.story.model.cases, account: accountIn(watcher) }) }
}

/** What its memcg needed, to its end; nothing when it ended before the first look. */
function accountIn({ ledger, model }: RunWatcher): Account | undefined {
  endLedger(ledger, model)
  return accountsOf(ledger).at(-1)
}

/** The signal that an exit code of ours stands for. */
export const signalOf = (exitCode: number): NodeJS.Signals | undefined => Object.entries(constants.signals).find(([, number]) => number === exitCode - 128)?.[0] as NodeJS.Signals | undefined

/** ^C in a terminal reaches the command by itself; everything else only us. */
function passOn(command: RunningCommand, exitCode: number): void {
  const name = signalOf(exitCode)
  if (name !== undefined && !(name === 'SIGINT' && process.stdin.isTTY)) command.signal(name)
}
