/** Options of `live` and `record` as the live source takes them. */
import { usageError } from '../base/errors.ts'
import { DEFAULTS } from '../source/live-options.ts'
import type { LiveOptions } from '../source/live-options.ts'
import { durationOf, isSet, shareOf, textOf } from './args.ts'
import type { Options } from './args.ts'

/** Faster sampling than this would cost more than it shows. */
const MIN_SAMPLE_NS = 1e6

export function liveOptions(options: Options): LiveOptions {
  const bpftrace = textOf(options, 'bpftrace')
  if (isSet(options, 'no-probes') && isSet(options, 'require-probes')) throw usageError('bad-option', 'cannot use --no-probes with --require-probes: they contradict each other', 'leave one of them out')
  return {
    ...(bpftrace === undefined ? {} : { bpftrace }), noProbes: isSet(options, 'no-probes'), requireProbes: isSet(options, 'require-probes'),
    stallNs: durationOf(options, 'stall') ?? DEFAULTS.stallNs, sampleNs: durationOf(options, 'sample', MIN_SAMPLE_NS) ?? DEFAULTS.sampleNs,
    numa: isSet(options, 'numa'), sampleBudget: shareOf(options, 'sample-budget') ?? DEFAULTS.sampleBudget,
  }
}
