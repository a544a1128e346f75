/** `oomscope recommend`: requests and limits from what a recording's workloads truly needed, and whether they would have lived under another limit. */
import { EXIT } from '../base/errors.ts'
import type { ExitCode } from '../base/errors.ts'
import { printable } from '../base/text.ts'
import { narrower } from '../model/narrow.ts'
import { createLedger, endLedger, keepAccount } from '../model/usage-ledger.ts'
import { recommend as recommendationOf } from '../verdict/recommendation.ts'
import { whatIf } from '../verdict/what-if.ts'
import { jsonLine } from '../view/json-line.ts'
import { killsHeader } from '../view/kill-report.ts'
import { needRows } from '../view/needs.ts'
import { nodeFit } from '../view/node-fit.ts'
import { fitJson, recommendJson } from '../view/recommend-json.ts'
import { recommendText } from '../view/recommend-report.ts'
import { usageLossText } from '../view/usage-loss.ts'
import { bytesOf, coversOf, isSet, tombstonesOf } from './args.ts'
import type { Options } from './args.ts'
import { lens } from './lens.ts'
import { readRecording } from './read-recording.ts'
import type { Signals } from './signals.ts'

export async function recommend(file: string, options: Options, signals: Signals): Promise<ExitCode> {
  const limitBytes = bytesOf(options, 'limit', 2 ** 20), narrow = narrower(coversOf(options)), ledger = createLedger()
  const whole = await readRecording(file, signals, { tombstones: tombstonesOf(options), afterEvent: (now, event) => keepAccount(ledger, now, event) })
  if (whole === undefined) return EXIT.done
  endLedger(ledger, whole)
  const hasSwap = (whole.hello?.swapTotalBytes ?? 0) > 0
  const all = needRows(lens, whole, ledger).map((row) => ({ row, recommendation: recommendationOf(row.need), whatIf: limitBytes === undefined ? undefined : whatIf(row.need, limitBytes, hasSwap) }))
  // The node must hold all of them, whichever are looked at.
  const fit = nodeFit(lens, whole, all), model = narrow(whole), advised = all.filter(({ row }) => model.covers?.(row.path) !== false)
  if (!isSet(options, 'json')) {
    process.stdout.write(`${killsHeader(model)}\n\n${recommendText(model, advised, fit)}\n`)
    return EXIT.done
  }
  for (const item of advised) process.stdout.write(`${jsonLine(recommendJson(item.row, item))}\n`)
  if (fit !== undefined) process.stdout.write(`${jsonLine(fitJson(model.hello?.hostname, fit))}\n`)
  const loss = usageLossText(model)
  if (loss !== '') process.stderr.write(`note: facts are missing: ${printable(loss, 600)}\n`)
  return EXIT.done
}
