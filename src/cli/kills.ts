/** `oomscope kills`: every kill case of a recording, as text or one JSON object a line. */
import { jsonLine } from '../view/json-line.ts'
import { EXIT, usageError } from '../base/errors.ts'
import type { ExitCode } from '../base/errors.ts'
import { printable } from '../base/text.ts'
import { applyEvent } from '../model/apply.ts'
import { narrower } from '../model/narrow.ts'
import type { NodeModel } from '../model/node.ts'
import { killJson } from '../view/kill-json.ts'
import { killsHeader, killsSummary, killText, lossText, shortageText } from '../view/kill-report.ts'
import { coversOf, isSet, textOf, tombstonesOf } from './args.ts'
import type { Options } from './args.ts'
import { readEvidence } from './evidence.ts'
import { readRecording } from './read-recording.ts'
import { readText } from './read-text.ts'
import type { Signals } from './signals.ts'

export async function kills(file: string, options: Options, signals: Signals): Promise<ExitCode> {
  const narrow = narrower(coversOf(options)), whole = await readRecording(file, signals, { tombstones: tombstonesOf(options) })
  if (whole === undefined) return EXIT.done
  await addEvidence(whole, textOf(options, 'evidence'))
  const model = narrow(whole)
  if (isSet(options, 'json')) writeJson(model)
  else writeText(model)
  return EXIT.done
}

/** After the fold: a verdict is computed when it is asked for. */
async function addEvidence(model: NodeModel, file: string | undefined): Promise<void> {
  if (file === undefined) return
  const { anchor, names } = model, text = await readText(file, 'name the log of the kubelet: journalctl -u kubelet -o json > FILE')
  if (anchor === undefined) throw usageError('no-clock', 'cannot use --evidence: the recording has no wall clock', 'its beginning is missing')
  const pods = new Map([...names].flatMap(([key, { namespace, pod }]) => (key.startsWith('pod:') && pod !== undefined ? [[`${namespace ?? ''}/${pod}`, key.slice('pod:'.length)] as const] : [])))
  const { events, unknown } = readEvidence(text, { anchor, names: pods })
  for (const event of events) applyEvent(model, event)
  if (events.length === 0) process.stderr.write(`note: ${printable(file)}: nothing about a pod of this node was found in it\n`)
  else if (unknown > 0) process.stderr.write(`note: ${printable(file)}: ${unknown} of its statements name a pod that is not known here\n`)
}

function writeText(model: NodeModel): void {
  process.stdout.write(`${[killsHeader(model), ...model.cases.map((killCase) => killText(killCase, model)), killsSummary(model)].join('\n\n')}\n`)
}

/** What may be missing goes to stderr: stdout is for programs, and every line of it is a case. */
function writeJson(model: NodeModel): void {
  for (const killCase of model.cases) process.stdout.write(`${jsonLine(killJson(killCase, model))}\n`)
  const lost = lossText(model), shortage = shortageText(model)
  if (shortage !== '') process.stderr.write(`note: ${printable(shortage, 600)}\n`)
  if (lost !== '') process.stderr.write(`note: facts may be missing: ${lost}\n`)
}
