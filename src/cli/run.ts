/** `oomscope run`: a command in a memory cgroup of its own, watched from its first instruction to its last; its exit status is ours. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { formatBytes } from '../base/bytes.ts'
import { EXIT, usageError } from '../base/errors.ts'
import type { ExitCode } from '../base/errors.ts'
import { printable } from '../base/text.ts'
import { createRecording } from '../recording/writer.ts'
import type { RecordingWriter } from '../recording/writer.ts'
import { openLive } from '../source/live.ts'
import { startHere, unstartable } from '../source/run-command.ts'
import type { Ending, RunningCommand } from '../source/run-command.ts'
import { makeRunMemcg } from '../source/run-memcg.ts'
import type { RunMemcg } from '../source/run-memcg.ts'
import { jsonLine } from '../view/json-line.ts'
import { runJson, runSummary } from '../view/run-summary.ts'
import type { RunFacts, RunSummary } from '../view/run-summary.ts'
import { runText } from '../view/run-report.ts'
import { isSet, textOf } from './args.ts'
import type { Options } from './args.ts'
import { warn } from './exit.ts'
import { liveOptions } from './live-options.ts'
import { protectFromOom } from './protect.ts'
import { failOverOf, isOver, runLimits } from './run-options.ts'
import type { FailOver } from './run-options.ts'
import { RunWatcher } from './run-watcher.ts'
import { untilAborted } from './signals.ts'
import type { Signals } from './signals.ts'

const DEFAULT_MAX_BYTES = 256 * 2 ** 20, DEFAULT_KEEP_NS = 86_400e9

export async function run(argv: readonly string[], options: Options, signals: Signals): Promise<ExitCode> {
  const limits = runLimits(options), failOver = failOverOf(options), summaryFile = freeFile(options, 'summary'), [command = ''] = argv
  const missing = unstartable(command)
  if (missing !== undefined) {
    warn({ message: `cannot run ${printable(command, 200)}: ${missing.why}`, hint: 'the command stands behind --, as a shell would be given it' })
    return missing.code
  }
  const oomScoreAdj = readFileSync('/proc/self/oom_score_adj', 'utf8').trim()
  protectFromOom()
  const source = await openLive(liveOptions(options)), writer = writerOf(options)
  const memcg = makeRunMemcg(limits)
  // Also when this program must end at once: nobody else would remove it.
  process.on('exit', memcg.abandon)
  const watcher = new RunWatcher(source, { memcgId: memcg.memcgId, writer, options })
  try {
    await watcher.start()
    if (source.shortage !== undefined) warn(source.shortage)
    const plain: Plain = { argv, memcg, watcher, oomScoreAdj, signals }, { ending, facts } = await runHere(plain)
    const summary = runSummary(facts, watcher.model, { watch: watcher.watch, path: memcg.path, cases: watcher.story.model.cases })
    process.stderr.write(`${['', ...runText(summary, watcher.model)].join('\n')}\n`)
    if (summaryFile !== undefined) writeFileSync(summaryFile, `${jsonLine(runJson(summary, watcher.model))}\n`)
    return exitCodeOf(ending, summary, { failOver, failure: watcher.failure })
  } finally {
    await watcher.close()
    writer?.close()
    await memcg.remove()
    process.off('exit', memcg.abandon)
  }
}

/** The command in this terminal, from its start to the last row about it. */
type Plain = { readonly argv: readonly string[]; readonly memcg: RunMemcg; readonly watcher: RunWatcher; readonly oomScoreAdj: string; readonly signals: Signals }

async function runHere({ argv, memcg, watcher, oomScoreAdj, signals }: Plain): Promise<{ readonly ending: Ending; readonly facts: RunFacts }> {
  const startedMs = performance.now(), command = startHere(argv, { procsFile: memcg.procsFile, oomScoreAdj })
  void untilAborted(signals.ended).then(() => passOn(command, signals.exitCode() ?? 0))
  const ending = await command.ended, ns = (performance.now() - startedMs) * 1e6
  // It had the signal and answered as it wanted: that answer counts.
  signals.forgive()
  const facts = { argv, code: ending.code, signal: ending.signal, ns, peakBytes: memcg.peakBytes(), leftBehind: memcg.pids().length, failure: watcher.failure?.message }
  await memcg.remove()
  await watcher.lastRows()
  return { ending, facts }
}

/** ^C in a terminal reaches the command by itself; everything else only us. */
function passOn(command: RunningCommand, exitCode: number): void {
  const name = Object.entries(constants.signals).find(([, number]) => number === exitCode - 128)?.[0] as NodeJS.Signals | undefined
  if (name !== undefined && !(name === 'SIGINT' && process.stdin.isTTY)) command.signal(name)
}

type Checks = { readonly failOver: FailOver | undefined; readonly failure: Error | undefined }

/** The launcher (oomscope.sh) takes 137 for our own death, unless it is told. */
function tellLauncher(): void {
  if (process.env['OOMSCOPE_LAUNCHER'] === String(process.ppid)) process.kill(process.ppid, 'SIGUSR1')
}

/** The command's own, unless it was content and we are not. */
function exitCodeOf({ code }: Ending, { peakBytes, limitBytes }: RunSummary, { failOver, failure }: Checks): ExitCode {
  if (code > 128) tellLauncher()
  if (code !== 0) return code
  if (failure !== undefined) throw failure
  if (failOver === undefined) return EXIT.done
  const over = peakBytes === undefined ? undefined : isOver(failOver, peakBytes, limitBytes)
  if (over === false) return EXIT.done
  const why = over === undefined ? (peakBytes === undefined ? 'its peak is not known' : 'there is no limit to measure it against') : `its peak was ${formatBytes(peakBytes ?? 0)}`
  warn({ message: `cannot pass --fail-over ${failOver.text}: ${why}`, hint: over === undefined ? 'give it a --limit, or say --fail-over as a size' : 'the summary above says when and why; raise the limit or use less' })
  return EXIT.source
}

/** A file that is asked for and there already is not written over unless --force says so: known before the command runs. */
function freeFile(options: Options, name: string): string | undefined {
  const path = textOf(options, name)
  if (path === undefined || isSet(options, 'force') || !existsSync(path)) return path
  throw usageError('file-exists', `cannot write the ${name}, ${printable(path, 200)}: file exists`, 'choose another name, or pass --force')
}

function writerOf(options: Options): RecordingWriter | undefined {
  const path = textOf(options, 'record')
  return path === undefined ? undefined : createRecording({ path, force: isSet(options, 'force'), maxBytes: DEFAULT_MAX_BYTES, keepNs: DEFAULT_KEEP_NS })
}
