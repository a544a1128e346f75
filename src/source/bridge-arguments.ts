/** The bridge's command line (native/options.c) for what was chosen. */
import type { LiveOptions } from './live-options.ts'
import type { Preparation } from './prepare-probes.ts'

export function bridgeArguments(options: LiveOptions, preparation: Preparation, scriptPath: string | undefined): string[] {
  const args = ['--sample-ms', String(Math.max(1, Math.round(options.sampleNs / 1e6))), '--budget-centi', String(Math.max(1, Math.round(options.sampleBudget * 1e4))), '--stall-ns', String(Math.round(options.stallNs))]
  if (options.numa === true) args.push('--numa')
  if (scriptPath === undefined || preparation.bpftrace === undefined) return args
  args.push('--bpftrace', preparation.bpftrace, '--script', scriptPath)
  const { bpftrace } = preparation.features
  if ('path' in bpftrace && bpftrace.hasQuietMaps === true) args.push('--helper-errors')
  if (preparation.selftests.length > 0) args.push('--selftest', preparation.selftests.join(','))
  return args
}
