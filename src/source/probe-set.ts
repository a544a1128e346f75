/** The probes chosen for this node: for every question the best rung it allows, the script that asks it, and why better ones were not taken. */
import { QUESTIONS, LADDER, type Question } from './probe-ladder.ts'
import { unmetNeed } from './probe-needs.ts'
import type { BpftraceFeatures, BpftraceMissing } from './bpftrace.ts'
import type { KernelFeatures } from './kernel-features.ts'
import type { ProbeScript } from './probe-script.ts'

/** How one question is answered; every question has exactly one rung. */
export type Rung = {
  /** What is asked, for example `mark-victim`: the `Question:` line of the scripts. */
  readonly question: string
  /** Which answer, for example `rawtracepoint`: the `Rung:` line of the script; `none` when nobody answers. */
  readonly rung: string
  /** File name in probes/, when chosen; the last one refused, when refused. */
  readonly script?: string
  /** absent: this node lacks something; refused: it seemed to have everything, and bpftrace said no. */
  readonly state: 'chosen' | 'absent' | 'refused'
  /** What was tried before this rung and why it was not taken. */
  readonly reason?: string
  /** Self-tests that prove this rung (names as in kinds.ts `selftest`). */
  readonly selftests: readonly string[]
}

/** All rungs, the whole program for one bpftrace process (empty when nothing is chosen), and the self-tests that prove them. */
export type ProbeSet = { readonly rungs: readonly Rung[]; readonly text: string; readonly selftests: readonly string[] }

/** What the choice is made from; see kernel-features.ts, bpftrace.ts and probe-script.ts. */
export type ProbeFeatures = {
  readonly kernel: KernelFeatures
  readonly bpftrace: BpftraceFeatures | BpftraceMissing
  readonly scripts: readonly ProbeScript[]
}

export type ProbeOptions = {
  /** Scripts that bpftrace refused when they were tried, and its words. */
  readonly refused?: ReadonlyMap<string, string>
  /** Only these questions are asked; the others are absent. All when left out. */
  readonly only?: readonly Question[]
}

/**
 * The ready marker: BEGIN runs early, but its row can be read only once every probe is attached (seen with 0.17, 0.23 and 0.27).
 * And how many rows were printed, for the bridge to compare with those that came (native/tally.h); often, since an end waits for one.
 * Its string holds a byte that must be escaped, and @line_base tells what bpftrace 0.27 does to histograms after that (native/line.h).
 */
const READY = `
BEGIN { @rows_printed = count(); print((0, nsecs, "\\x1f")); unroll(16) { @line_base = hist(1); } print(@line_base); }
interval:ms:200 { print(@rows_printed); }
`

/** Before bpftrace's own words in a reason. */
export const REFUSED = 'bpftrace refused it: '

/** Takes the best rung of every question that this node allows. Pure. */
export function chooseProbes(features: ProbeFeatures, options: ProbeOptions = {}): ProbeSet {
  const obstacle = obstacleTo(features)
  const rungs = QUESTIONS.map((question) => {
    if (options.only && !options.only.includes(question)) return absent(question, 'not asked for')
    return obstacle === undefined ? chooseRung(question, features, options.refused ?? new Map()) : absent(question, obstacle)
  })
  const chosen = rungs.flatMap((rung) => rung.state === 'chosen' ? features.scripts.filter((script) => script.file === rung.script) : [])
  const text = chosen.length > 0 ? assemble(chosen, features.kernel) + READY : ''
  return { rungs, text, selftests: [...new Set(rungs.flatMap((rung) => rung.state === 'chosen' ? rung.selftests : []))] }
}

/** What stands in the way of every probe; undefined when nothing does. */
function obstacleTo({ kernel, bpftrace }: ProbeFeatures): string | undefined {
  const missing = 'missing' in bpftrace ? bpftrace.missing : undefined
  if (kernel.unprivileged !== undefined) return missing === undefined ? kernel.unprivileged : `${kernel.unprivileged}; ${missing}`
  if (missing !== undefined) return missing
  if (kernel.lockdown === 'confidentiality') return 'kernel lockdown=confidentiality forbids tracing'
  if (kernel.tracefs === undefined) return `${kernel.tracefsReason ?? 'tracefs is not mounted'}${kernel.tracefsMountable ? ' (mount -t tracefs tracefs /sys/kernel/tracing)' : ''}`
  return undefined
}

const absent = (question: string, reason: string): Rung => ({ question, rung: 'none', state: 'absent', reason, selftests: [] })

function chooseRung(question: Question, { kernel, bpftrace, scripts }: ProbeFeatures, refused: ReadonlyMap<string, string>): Rung {
  if ('missing' in bpftrace) return absent(question, bpftrace.missing)
  const tried: string[] = []
  let refusedScript: string | undefined
  for (const file of LADDER[question]) {
    const script = scripts.find((one) => one.file === file)
    if (!script) {
      tried.push(`${file} is missing from probes/`)
      continue
    }
    const refusal = refused.get(file), unmet = unmetNeed(script.needs, { kernel, bpftrace })
    if (unmet === undefined && refusal === undefined) {
      return { question, rung: script.rung, script: file, state: 'chosen', ...(tried.length > 0 && { reason: tried.join('; ') }), selftests: script.selftests }
    }
    if (unmet === undefined) refusedScript = file
    tried.push(`${script.rung}: ${unmet ?? `${REFUSED}${refusal}`}`)
  }
  const reason = tried.join('; ')
  return refusedScript === undefined ? absent(question, reason) : { question, rung: 'none', script: refusedScript, state: 'refused', reason, selftests: [] }
}

/**
 * One program out of several: interpreter lines go (0.27 refuses them inside), every row is counted, and what depends on the node is put in:
 * the index of the memory controller in css_set.subsys and, on cgroup v1, its hierarchy.
 */
export function assemble(scripts: readonly Pick<ProbeScript, 'file' | 'text'>[], kernel: Pick<KernelFeatures, 'memoryCgrpId' | 'memcgHierarchyId'>): string {
  return scripts.map(({ text }) => text.replace(/^#!.*\n/, '')
    .replaceAll(/^( *)print\(\(/gm, '$1@rows_printed = count(); print((')
    .replaceAll('subsys[4]', `subsys[${kernel.memoryCgrpId}]`)
    .replaceAll(/\b(args->root|hierarchy_id) == 0\b/g, (_, what: string) => `${what} == ${kernel.memcgHierarchyId}`)).join('\n')
}
