/** `oomscope explain`: the same cases as `kills`, from a kernel log of any kernel since 4.x. */
import { EXIT, usageError } from '../base/errors.ts'
import type { ExitCode } from '../base/errors.ts'
import { plural, printable } from '../base/text.ts'
import { applyEvent, createModel } from '../model/apply.ts'
import { endOfLog } from '../model/case-witnesses.ts'
import type { NodeModel } from '../model/node.ts'
import { parseKernelLine } from '../model/kernel-log.ts'
import { LogReading } from '../source/log-streams.ts'
import type { LogStream, LogText } from '../source/log-streams.ts'
import type { CaseClock } from '../view/case-time.ts'
import { jsonLine } from '../view/json-line.ts'
import { killJson } from '../view/kill-json.ts'
import { killsSummary, killText } from '../view/kill-report.ts'
import { isSet } from './args.ts'
import type { Options } from './args.ts'
import { toldPieces } from './progress.ts'
import { eachPiece } from './read-text.ts'
import type { Signals } from './signals.ts'

export type Explained = { readonly model: NodeModel; readonly stream: LogStream; readonly clock: CaseClock }

/** The cases of one node and boot. */
function fold(stream: LogStream, at: number): Explained {
  const model = createModel(), prefix = stream.bootId?.slice(0, 8) ?? `log${at + 1}`
  if (stream.totalSwapKb !== undefined) model.caseBook.log.totalSwapKb = stream.totalSwapKb
  for (const event of stream.events) applyEvent(model, event)
  endOfLog(model)
  return { model, stream, clock: ({ logSeq }) => {
    const { bootUs, wallMs, stamp } = logSeq === undefined ? {} : stream.timeOf(logSeq)
    return { wallMs, stamp, bootNs: bootUs === undefined ? undefined : bootUs * 1000, idPrefix: prefix }
  } }
}

/** Everything a log tells; the streams without a case are left out. */
export const explainLog = (log: LogText): readonly Explained[] =>
  log.streams.flatMap((stream, at) => (stream.events.length === 0 ? [] : [fold(stream, at)])).filter(({ model }) => model.cases.length > 0)

/** Lines of which no case is made are counted and let go. */
export const newReading = (): LogReading => new LogReading((text) => parseKernelLine(text) !== undefined)

async function readLog(file: string): Promise<{ readonly log: LogText; readonly explained: readonly Explained[] }> {
  const reading = newReading()
  let isFirst = true
  for await (const { text } of toldPieces(file, eachPiece(file, 'name a kernel log: dmesg > FILE, journalctl -k -o json > FILE, /var/log/kern.log'))) {
    if (isFirst && text.startsWith('OOMS')) throw usageError('not-a-log', `cannot explain ${printable(file)}: it is a recording`, `oomscope kills ${printable(file)}`)
    isFirst = false
    reading.push(text)
  }
  const log = reading.end()
  return { log, explained: explainLog(log) }
}

export async function explain(file: string, options: Options, signals: Signals): Promise<ExitCode> {
  await signals.release()
  const { log, explained } = await readLog(file)
  if (isSet(options, 'json')) for (const { model, clock } of explained) for (const killCase of model.cases) process.stdout.write(`${jsonLine(killJson(killCase, model, clock))}\n`)
  else process.stdout.write(`${textOf(log, explained)}\n`)
  const notes = notesOf(log, explained)
  if (notes !== '') process.stderr.write(`note: ${notes}\n`)
  return EXIT.done
}

function headerOf({ stream, model }: Explained): string {
  const release = model.cases.map(({ release: found }) => found).find((found) => found !== undefined)
  const words = [stream.host === undefined ? undefined : printable(stream.host, 64), release === undefined ? undefined : `Linux ${printable(release, 64)}`, stream.bootId === undefined ? undefined : `boot ${printable(stream.bootId, 8)}`]
  return words.filter((word) => word !== undefined).join(', ') || 'a node that the log does not name'
}

function textOf(log: LogText, explained: readonly Explained[]): string {
  if (explained.length === 0) return `no OOM kill in ${plural(log.lines, 'line')}`
  return explained.map((one) => [headerOf(one), ...one.model.cases.map((killCase) => killText(killCase, one.model, one.clock)), killsSummary(one.model)].join('\n\n')).join('\n\n')
}

/** What may be missing, and how far the format can be trusted. */
function notesOf(log: LogText, explained: readonly Explained[]): string {
  const suppressed = explained.reduce((sum, { model }) => sum + model.caseBook.log.suppressed, 0)
  return [
    ...(log.unread === 0 ? [] : [`${plural(log.unread, 'line')} of ${log.lines} not of this log's format (${log.family}) and not read`]),
    ...(suppressed === 0 ? [] : [`the kernel kept back ${plural(suppressed, 'report')} (rate limit)`]),
    ...(log.family === 'bare' && explained.length > 0 ? ['the lines have no prefix: that the kernel wrote them cannot be checked'] : []),
  ].join('; ')
}
