/** Options of `live` and `record` as the live source takes them. */
import { DEFAULTS } from '../source/live-options.ts'
import type { LiveOptions } from '../source/live-options.ts'
import { durationOf, isSet, textOf } from './args.ts'
import type { Options } from './args.ts'

/** Faster sampling than this would cost more than it shows. */
const MIN_SAMPLE_NS = 1e6

export function liveOptions(options: Options): LiveOptions {
  const bpftrace = textOf(options, 'bpftrace')
  return {
    ...(bpftrace === undefined ? {} : { bpftrace }), noProbes: isSet(options, 'no-probes'),
    stallNs: durationOf(options, 'stall') ?? DEFAULTS.stallNs, sampleNs: durationOf(options, 'sample', MIN_SAMPLE_NS) ?? DEFAULTS.sampleNs,
  }
}
