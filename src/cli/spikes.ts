/** `oomscope spikes`: every memory spike of a recording with what `kubectl top` would have shown, as text or one JSON object a line. */
import { EXIT } from '../base/errors.ts'
import type { ExitCode } from '../base/errors.ts'
import { printable } from '../base/text.ts'
import { narrower } from '../model/narrow.ts'
import type { NodeModel } from '../model/node.ts'
import { jsonLine } from '../view/json-line.ts'
import { killsHeader } from '../view/kill-report.ts'
import { spikeJson } from '../view/spike-json.ts'
import { toldSpikes } from '../view/spike-facts.ts'
import { spikesText } from '../view/spike-report.ts'
import { usageLossText } from '../view/usage-loss.ts'
import { coversOf, isSet, tombstonesOf } from './args.ts'
import type { Options } from './args.ts'
import { lens } from './lens.ts'
import { readRecording } from './read-recording.ts'
import type { Signals } from './signals.ts'

export async function spikes(file: string, options: Options, signals: Signals): Promise<ExitCode> {
  const narrow = narrower(coversOf(options)), whole = await readRecording(file, signals, { tombstones: tombstonesOf(options) })
  if (whole === undefined) return EXIT.done
  const model = narrow(whole)
  if (isSet(options, 'json')) writeJson(model)
  else process.stdout.write(`${killsHeader(model)}\n\n${spikesText(lens, model, { all: isSet(options, 'all') })}\n`)
  return EXIT.done
}

/** What may be missing goes to stderr: stdout is for programs, and every line of it is a spike. */
function writeJson(model: NodeModel): void {
  for (const spike of toldSpikes(model)) process.stdout.write(`${jsonLine(spikeJson(spike, model))}\n`)
  const loss = usageLossText(model)
  if (loss !== '') process.stderr.write(`note: facts are missing: ${printable(loss, 600)}\n`)
  if (model.spikes.omitted > 0) process.stderr.write(`note: ${model.spikes.omitted} older spikes${model.covers === undefined ? '' : ', of any cgroup,'} are not kept\n`)
}
