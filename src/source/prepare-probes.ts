/** What the live source is started with: this node's features, the probes chosen from them, and what was refused so far. */
import { environmentError } from '../base/errors.ts'
import type { UserError } from '../base/errors.ts'
import { detectBpftrace } from './bpftrace.ts'
import { detectKernelFeatures } from './kernel-features.ts'
import type { LiveOptions } from './live-options.ts'
import { loadProbeScripts } from './probe-script.ts'
import { chooseProbes } from './probe-set.ts'
import type { ProbeFeatures, ProbeSet, Rung } from './probe-set.ts'
import { isolateRefusals } from './probe-trial.ts'

export type Preparation = {
  readonly features: ProbeFeatures
  readonly rungs: readonly Rung[]
  readonly text: string
  readonly selftests: readonly string[]
  /** Path of the tracer; absent when there is none or none is wanted. */
  readonly bpftrace?: string
}

/** Looks at the kernel, at bpftrace and at the scripts. */
export async function detectFeatures(bpftrace: string | undefined): Promise<ProbeFeatures> {
  const [kernel, tracer, scripts] = await Promise.all([detectKernelFeatures(), detectBpftrace(bpftrace), loadProbeScripts()])
  return { kernel, bpftrace: tracer, scripts }
}

/** Looks at this node and chooses; see `prepareFor`. */
export async function prepareProbes(options: LiveOptions): Promise<Preparation> {
  return prepareFor(await detectFeatures(options.bpftrace), options)
}

/**
 * Throws a UserError (exit 3) when probes are wanted and not one can be had: to watch without them is a decision for a person,
 * because who was judged and who sent a signal is not in what is left.
 */
export function prepareFor(features: ProbeFeatures, options: LiveOptions): Preparation {
  const preparation = preparationOf(features, options, options.noProbes === true ? chooseProbes(features, { only: [] }) : chooseProbes(features))
  if (options.noProbes !== true && preparation.text === '') throw obstacle(features, preparation.rungs)
  return preparation
}

/** The same without the scripts that bpftrace refuses on this node; each is tried, which takes seconds. */
export async function withoutRefused({ features }: Preparation, options: LiveOptions): Promise<Preparation> {
  return preparationOf(features, options, await isolateRefusals(features))
}

function preparationOf(features: ProbeFeatures, options: LiveOptions, { rungs, text, selftests }: ProbeSet): Preparation {
  // The oom test kills a process of ours, and so writes a report into the kernel log: nobody should find that unasked.
  const wanted = options.oomTest === true ? selftests : selftests.filter((test) => test !== 'oom')
  return { features, rungs, text, selftests: wanted, ...('path' in features.bpftrace && text !== '' ? { bpftrace: features.bpftrace.path } : {}) }
}

const WITHOUT = 'or pass --no-probes to watch by sampling and the kernel log only'

function obstacle({ kernel, bpftrace }: ProbeFeatures, rungs: readonly Rung[]): UserError {
  const reason = rungs[0]?.reason ?? 'no probe can be used'
  const failure = (code: string, hint: string): UserError => environmentError({ code, message: `cannot start the probes on this node: ${reason}`, hint: `${hint}, ${WITHOUT}` })
  if ('missing' in bpftrace) return failure('no-bpftrace', 'install bpftrace (Debian: apt-get install bpftrace)')
  if (kernel.unprivileged !== undefined) return failure('not-root', 'run as root (in a container: privileged)')
  if (kernel.tracefs === undefined) return failure('no-tracefs', 'mount -t tracefs tracefs /sys/kernel/tracing')
  return failure('no-probes', 'see `oomscope doctor`')
}
