/** What the live source is started with: this node's features, the probes chosen from them, and what was refused so far. */
import { environmentError } from '../base/errors.ts'
import type { UserError } from '../base/errors.ts'
import { detectBpftrace } from './bpftrace.ts'
import { cannotStart } from './bridge-process.ts'
import { detectKernelFeatures } from './kernel-features.ts'
import type { LiveOptions } from './live-options.ts'
import { readNodeFacts } from './node-facts.ts'
import type { NodeFacts } from './node-facts.ts'
import { loadProbeScripts } from './probe-script.ts'
import { chooseProbes, REFUSED } from './probe-set.ts'
import type { ProbeFeatures, ProbeSet, Rung } from './probe-set.ts'
import { isolateRefusals } from './probe-trial.ts'
import { missingRungs, remainingRungs } from './remaining.ts'

/** Why there are no probes though they are wanted, and what is used instead. */
export type Shortage = { readonly code: string; readonly reason: string; readonly message: string; readonly hint: string }

type Base = { readonly features: ProbeFeatures; readonly node: NodeFacts }

export type Preparation = Base & {
  /** Absent when there are probes, or none are wanted. */
  readonly shortage?: Shortage
  readonly rungs: readonly Rung[]
  readonly text: string
  readonly selftests: readonly string[]
  /** Path of the tracer; absent when there is none or none is wanted. */
  readonly bpftrace?: string
}

/** Looks at the kernel, at the scripts, and (each trial starts it: seconds on a busy node) at bpftrace where something is wanted of it. */
export async function detectFeatures(bpftrace: string | undefined, { noProbes = false }: { readonly noProbes?: boolean | undefined } = {}): Promise<ProbeFeatures> {
  const [kernel, tracer, scripts] = await Promise.all([detectKernelFeatures(), noProbes ? { missing: 'not asked for' } : detectBpftrace(bpftrace), loadProbeScripts()])
  return { kernel, bpftrace: tracer, scripts }
}

/** Looks at this node and chooses; see `prepareFor`. */
export async function prepareProbes(options: LiveOptions): Promise<Preparation> {
  return prepareFor(await detectFeatures(options.bpftrace, options), options)
}

/** Throws a UserError (exit 3) when nothing is left to watch with, when no probe can be had and probes are required, or without a bridge. */
export function prepareFor(features: ProbeFeatures, options: LiveOptions, node: NodeFacts = readNodeFacts()): Preparation {
  // Found out here, before `record --force` removes what it would replace.
  if (node.bridgeReason !== undefined) throw cannotStart(node.bridge, node.bridgeReason)
  const isWanted = options.noProbes !== true
  const preparation = preparationOf({ features, node }, options, isWanted ? chooseProbes(features) : chooseProbes(features, { only: [] }))
  if (preparation.text === '' && remainingRungs(node).length === 0) throw nothingLeft(preparation, isWanted)
  if (options.requireProbes === true && preparation.shortage !== undefined) throw required(preparation.shortage)
  return preparation
}

/** The same without the scripts that bpftrace refuses on this node; each is tried, which takes seconds. */
export async function withoutRefused({ features, node }: Preparation, options: LiveOptions): Promise<Preparation> {
  return preparationOf({ features, node }, options, await isolateRefusals(features))
}

function preparationOf(base: Base, options: LiveOptions, { rungs, text, selftests }: ProbeSet): Preparation {
  const { features } = base
  // The oom test kills a process of ours, and so writes a report into the kernel log: nobody should find that unasked.
  const wanted = options.oomTest === true ? selftests : selftests.filter((test) => test !== 'oom')
  const shortage = text === '' && options.noProbes !== true ? { shortage: shortageOf(base, rungs) } : {}
  return { ...base, rungs, text, selftests: wanted, ...shortage, ...('path' in features.bpftrace && text !== '' ? { bpftrace: features.bpftrace.path } : {}) }
}

/** Two lines for a person: what is missing and what is used instead, and the way out. */
export function shortageOf({ features: { kernel, bpftrace }, node }: Base, rungs: readonly Rung[]): Shortage {
  const reason = commonReason(rungs)
  const said = { reason, message: `no probes: ${[reason, ...missingRungs(node)].join('; ')}; running on ${listed(remainingRungs(node)) || 'the numbers of the node as a whole'}` }
  const isRoot = kernel.unprivileged === undefined, install = 'install bpftrace (Debian: apt-get install bpftrace)', root = 'run as root (in a container: privileged)'
  if (!isRoot) return { ...said, code: 'not-root', hint: 'missing' in bpftrace ? `${root}, and ${install}` : root }
  if ('missing' in bpftrace) return { ...said, code: 'no-bpftrace', hint: install }
  if (kernel.tracefs === undefined) return { ...said, code: 'no-tracefs', hint: 'mount -t tracefs tracefs /sys/kernel/tracing' }
  return { ...said, code: 'no-probes', hint: rungs.some(({ state }) => state === 'refused') ? `is this bpftrace (${bpftrace.version}) whole, and 0.17 or later? see \`oomscope doctor --self-test\`` : 'see `oomscope doctor`' }
}

/** The one reason of all, or the words that bpftrace has for all, or that there are many. */
function commonReason(rungs: readonly Rung[]): string {
  const reasons = new Set(rungs.map(({ reason }) => reason ?? 'no probe can be used'))
  if (reasons.size === 1) return [...reasons][0] ?? ''
  const words = new Set(rungs.flatMap(({ reason }) => [...(reason ?? '').matchAll(new RegExp(`${REFUSED}([^;]*)`, 'g'))].map(([, said]) => said ?? '')))
  const [first = ''] = words
  return words.size === 0 ? 'this node lacks what each of them needs (`oomscope doctor` tells what)' : words.size === 1 ? `bpftrace refused every one: ${first}` : `bpftrace refused every one, the first with: ${first}`
}

const listed = (words: readonly string[]): string => (words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`)

/** The same probes that bpftrace refuses as a whole, though it takes each of them: its words are all there is to say. */
export const refusedAsWhole = (preparation: Preparation, words: string): Preparation =>
  ({ ...preparation, shortage: shortageOf(preparation, [{ question: '', rung: 'none', state: 'refused', reason: `bpftrace refused them: ${words}`, selftests: [] }]) })

/** The same as an error, for a person who would rather have nothing. */
export const required = ({ code, reason, hint }: Shortage): UserError =>
  environmentError({ code, message: `cannot start the probes on this node: ${reason}`, hint: `${hint}, or leave out --require-probes to watch with what is left` })

function nothingLeft({ node, shortage }: Preparation, isWanted: boolean): UserError {
  const why = [isWanted && shortage !== undefined ? `no probes: ${shortage.reason}` : 'no probes (--no-probes)', ...missingRungs(node)].join('; ')
  return environmentError({ code: 'nothing-to-watch', message: `cannot watch this node: ${why}`, hint: shortage?.hint ?? 'see `oomscope doctor`' })
}
