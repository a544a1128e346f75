/** `oomscope doctor`: what this node allows, what will be used, how to get more; with --self-test, whether it works. */
import { EXIT, environmentError } from '../base/errors.ts'
import type { ExitCode } from '../base/errors.ts'
import type { EventOf } from '../event/event.ts'
import { LiveSource } from '../source/live.ts'
import { DEFAULTS } from '../source/live-options.ts'
import { readNodeFacts } from '../source/node-facts.ts'
import { detectFeatures, prepareProbes } from '../source/prepare-probes.ts'
import { chooseProbes } from '../source/probe-set.ts'
import type { Ready } from '../source/readiness.ts'
import { jsonLine } from '../view/json-line.ts'
import { isSet, textOf } from './args.ts'
import type { Options } from './args.ts'
import { doctorReport } from './doctor-report.ts'
import type { SelfTest } from './doctor-report.ts'
import { doctorText } from './doctor-text.ts'
import { nameReport } from './name-report.ts'
import { nameSources } from './name-sources.ts'
import { untilAborted } from './signals.ts'
import type { Signals } from './signals.ts'

export async function doctor(options: Options, signals: Signals): Promise<ExitCode> {
  const bpftrace = textOf(options, 'bpftrace'), asked = nameReport(nameSources(options, true))
  const features = await detectFeatures(bpftrace)
  let selfTest: SelfTest | undefined, failure: unknown
  try {
    selfTest = isSet(options, 'self-test') ? await testProbes(bpftrace, signals) : undefined
  } catch (error) {
    // Where the probes cannot even be tried the findings are what a person needs most.
    failure = error
  }
  const report = doctorReport({ features, rungs: chooseProbes(features).rungs, node: readNodeFacts(), names: await asked, ...(selfTest === undefined ? {} : { selfTest }) })
  process.stdout.write(isSet(options, 'json') ? `${jsonLine(report)}\n` : doctorText(report))
  if (failure !== undefined) throw failure
  return EXIT.done
}

/** Runs the live source until every probe is proven or known not to work. Throws what keeps it from starting. */
async function testProbes(bpftrace: string | undefined, signals: Signals): Promise<SelfTest> {
  const wanted = { ...(bpftrace === undefined ? {} : { bpftrace }), ...DEFAULTS, oomTest: true }
  const preparation = await prepareProbes(wanted), { shortage } = preparation
  if (shortage !== undefined) throw environmentError({ code: shortage.code, message: `cannot test the probes: ${shortage.reason}`, hint: shortage.hint })
  const source = new LiveSource(wanted, preparation)
  const rungs = new Map<string, EventOf<'rung'>>(), tests = new Map<string, EventOf<'selftest'>>()
  let ready: Ready | undefined
  void source.ready.then((state) => { ready = state })
  void untilAborted(signals.ended).then(() => source.close())
  for await (const { items } of source.batches()) {
    for (const { events } of items) {
      for (const event of events) {
        if (event.kind === 'rung') rungs.set(event.question, event)
        else if (event.kind === 'selftest' && !tests.has(event.test)) tests.set(event.test, event)
      }
    }
    // Rows up to the one that made it ready are in; what the bridge says while it ends is no answer.
    if (ready !== undefined) break
  }
  await source.close()
  return { rungs: [...rungs.values()], tests: [...tests.values()], isComplete: ready !== undefined && ready.overdue === undefined }
}
