/** `oomscope run`: a command in a memory cgroup of its own, watched from its first instruction to its last; its exit status is ours. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { formatBytes } from '../base/bytes.ts'
import { environmentError, EXIT, reasonOf, usageError } from '../base/errors.ts'
import type { ExitCode, UserError } from '../base/errors.ts'
import { printable } from '../base/text.ts'
import { createRecording, DEFAULT_KEEP_NS, DEFAULT_MAX_BYTES } from '../recording/writer.ts'
import type { RecordingWriter } from '../recording/writer.ts'
import { openLive } from '../source/live.ts'
import { unstartable } from '../source/run-command.ts'
import type { Ending } from '../source/run-command.ts'
import { makeRunMemcg } from '../source/run-memcg.ts'
import { jsonLine } from '../view/json-line.ts'
import { runJson } from '../view/run-summary.ts'
import type { RunSummary } from '../view/run-summary.ts'
import { runText } from '../view/run-report.ts'
import { isSet, textOf } from './args.ts'
import type { Options } from './args.ts'
import { warn } from './exit.ts'
import { liveOptions } from './live-options.ts'
import { tapeOf } from './look-back.ts'
import { nameSources } from './name-sources.ts'
import { protectFromOom } from './protect.ts'
import { runHere } from './run-here.ts'
import type { Run } from './run-here.ts'
import { commandAdj, failOverOf, isOver, runLimits } from './run-options.ts'
import type { FailOver } from './run-options.ts'
import { RunWatcher } from './run-watcher.ts'
import { screenOptions } from './screen-options.ts'
import { untilAborted } from './signals.ts'
import type { Signals } from './signals.ts'

export async function run(argv: readonly string[], options: Options, signals: Signals): Promise<ExitCode> {
  const limits = runLimits(options), failOver = failOverOf(options), summaryFile = freeFile(options, 'summary'), [command = ''] = argv, tape = tapeOf(options), screen = hasScreen(options) ? screenOptions(options) : undefined, sources = nameSources(options)
  const missing = unstartable(command)
  if (missing !== undefined) {
    warn({ message: `cannot run ${printable(command, 200)}: ${missing.why}`, hint: 'the command stands behind --, as a shell would be given it' })
    return missing.code
  }
  const inheritedAdj = readFileSync('/proc/self/oom_score_adj', 'utf8').trim(), oomScoreAdj = commandAdj(inheritedAdj)
  protectFromOom()
  const source = await openLive(liveOptions(options)), memcg = makeRunMemcg(limits)
  // Also when this program must end at once: nobody else would remove it.
  process.on('exit', memcg.abandon)
  const writer = writerOf(options), watcher = new RunWatcher(source, { memcgId: memcg.memcgId, writer, sources, tape: screen === undefined ? undefined : tape })
  try {
    await Promise.race([watcher.start(), untilAborted(signals.ended)])
    // ^C while the probes were attached: the command has not begun.
    if (signals.exitCode() !== undefined) return EXIT.done
    if (source.shortage !== undefined) warn(source.shortage)
    if (oomScoreAdj !== inheritedAdj) warn({ message: `the command gets oom_score_adj ${oomScoreAdj}, not the ${inheritedAdj} it would inherit: nothing could end it at its limit`, hint: `if it should have that all the same: -- choom -n ${inheritedAdj} -- COMMAND` })
    const one: Run = { argv, memcg, watcher, seat: { procsFile: memcg.procsFile, oomScoreAdj }, signals }
    const { ending, summary } = screen === undefined ? await runHere(one) : await (await import('./run-screen.ts')).runOnScreen(one, screen)
    process.stderr.write(`${['', ...runText(summary, watcher.model)].join('\n')}\n`)
    const unwritten = summaryFile === undefined ? undefined : writeSummary(summaryFile, jsonLine(runJson(summary, watcher.model)))
    return exitCodeOf(ending, summary, { failOver, failure: watcher.failure, unwritten })
  } finally {
    await watcher.close()
    writer?.close()
    if (await memcg.remove()) process.off('exit', memcg.abandon)
    else warn({ message: `cannot remove the cgroup of the command, ${memcg.path}: it is still busy`, hint: 'the next oomscope run removes it, once its processes have ended' })
  }
}

/** Without a terminal the summary is all there is to show. */
const hasScreen = (options: Options): boolean => !isSet(options, 'no-tui') && process.stdin.isTTY === true && process.stdout.isTTY === true && !['', 'dumb'].includes(process.env['TERM'] ?? '')

type Checks = { readonly failOver: FailOver | undefined; readonly failure: Error | undefined; readonly unwritten: UserError | undefined }

/** The launcher (oomscope.sh) takes 137 for our own death, unless it is told. */
function tellLauncher(): void {
  if (process.env['OOMSCOPE_LAUNCHER'] === String(process.ppid)) process.kill(process.ppid, 'SIGUSR1')
}

/** The command's own, unless it was content and we are not. */
function exitCodeOf({ code }: Ending, { peakBytes, limitBytes }: RunSummary, { failOver, failure, unwritten }: Checks): ExitCode {
  if (code > 128) tellLauncher()
  if (code !== 0) {
    if (unwritten !== undefined) warn(unwritten)
    return code
  }
  const broken = failure ?? unwritten
  if (broken !== undefined) throw broken
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
  if (path !== undefined && !existsSync(dirname(path))) throw usageError('file-directory-missing', `cannot write the ${name}, ${printable(path, 200)}: no such directory`, 'create the directory first, or choose another name')
  if (path === undefined || isSet(options, 'force') || !existsSync(path)) return path
  throw usageError('file-exists', `cannot write the ${name}, ${printable(path, 200)}: file exists`, 'choose another name, or pass --force')
}

/** Returns why it could not be written: the command's own exit code comes first. */
function writeSummary(path: string, line: string): UserError | undefined {
  try {
    writeFileSync(path, `${line}\n`)
    return undefined
  } catch (error) {
    return environmentError({ code: 'file-unwritable', message: `cannot write the summary, ${printable(path, 200)}: ${reasonOf(error)}`, hint: 'the summary above is the same in words', cause: error })
  }
}

function writerOf(options: Options): RecordingWriter | undefined {
  const path = textOf(options, 'record')
  return path === undefined ? undefined : createRecording({ path, force: isSet(options, 'force'), maxBytes: DEFAULT_MAX_BYTES, keepNs: DEFAULT_KEEP_NS })
}
