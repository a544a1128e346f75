/** The doctor's findings as one object for programs; in words: doctor-text.ts. */
import { plural, printable } from '../base/text.ts'
import type { EventOf } from '../event/event.ts'
import type { NodeFacts } from '../source/node-facts.ts'
import { QUESTION_TITLES } from '../source/probe-ladder.ts'
import type { ProbeFeatures, Rung } from '../source/probe-set.ts'
import { insteadOf, missingRungs, remainingRungs } from '../source/remaining.ts'
import { INSTEAD } from '../source/rung-states.ts'
import type { NameReport } from './name-report.ts'

export type SelfTest = { readonly rungs: readonly EventOf<'rung'>[]; readonly tests: readonly EventOf<'selftest'>[]; readonly isComplete: boolean }
export type Findings = { readonly features: ProbeFeatures; readonly rungs: readonly Rung[]; readonly node: NodeFacts; readonly names?: NameReport; readonly selfTest?: SelfTest }

export type Question = { readonly question: string; readonly title: string; readonly rung: string; readonly script?: string; readonly state: string; readonly reason?: string; readonly otherwise?: string; readonly advice?: string }

/** Fields are only ever added; what is not known is absent. */
export type DoctorReport = {
  /** One sentence for somebody who reads no further. */
  readonly summary: string
  readonly kernel: string; readonly machine: string
  readonly unprivileged?: string; readonly lockdown?: string
  readonly memcgVersion?: string; readonly memcgMount?: string; readonly memcgReason?: string; readonly memcgPartial?: string
  readonly processesPartial?: string; readonly slabReason?: string
  readonly psi: boolean; readonly psiReason?: string
  readonly kmsg: boolean; readonly kmsgReason?: string
  readonly btf: boolean; readonly btfReason?: string
  readonly kprobes: boolean
  readonly tracefs?: string; readonly tracefsReason?: string; readonly tracepoints: number
  readonly bpftracePath?: string; readonly bpftraceVersion?: string; readonly bpftraceReason?: string
  readonly bpftraceRefusals?: Readonly<Record<string, string>>
  readonly bridge: string; readonly bridgeReason?: string
  readonly questions: readonly Question[]
  readonly advice: readonly string[]
  /** The same, each with the titles of the questions it helps; none: the node as a whole. */
  readonly ways: readonly { readonly advice: string; readonly questions: readonly string[] }[]
  readonly selfTests?: readonly { readonly test: string; readonly passed: boolean; readonly detail?: string }[]
  readonly selfTestComplete?: boolean
  /** Who tells names here, and where two of them differ. */
  readonly names?: NameReport
}

export function doctorReport(findings: Findings): DoctorReport {
  const { features: { kernel, bpftrace }, node, selfTest } = findings
  const questions = questionsOf(findings), ways = waysOf(questions, node)
  return {
    summary: summaryOf(questions, obstacleOf(findings)),
    kernel: kernel.release, machine: kernel.machine, ...optional({ unprivileged: kernel.unprivileged, lockdown: kernel.lockdown, memcgVersion: node.memcg?.version, memcgMount: node.memcg?.path, memcgReason: node.memcgReason, memcgPartial: node.memcgPartial, processesPartial: node.processesPartial, slabReason: node.slabReason }),
    psi: node.psi, ...optional({ psiReason: node.psiReason }), kmsg: node.kmsg, ...optional({ kmsgReason: node.kmsgReason }),
    btf: kernel.btf !== undefined, ...optional({ btfReason: kernel.btfReason }), kprobes: kernel.kprobes, ...optional({ tracefs: kernel.tracefs, tracefsReason: kernel.tracefsReason }), tracepoints: kernel.tracepoints.size,
    ...('missing' in bpftrace ? { bpftraceReason: bpftrace.missing } : { bpftracePath: bpftrace.path, bpftraceVersion: bpftrace.version, ...(Object.keys(bpftrace.refusals).length > 0 ? { bpftraceRefusals: bpftrace.refusals } : {}) }),
    bridge: node.bridge, ...optional({ bridgeReason: node.bridgeReason }), questions,
    advice: ways.map(({ advice }) => advice), ways,
    ...(findings.names === undefined ? {} : { names: findings.names }),
    ...(selfTest === undefined ? {} : { selfTests: selfTest.tests.map(({ test, passed, detail }) => ({ test, passed, ...optional({ detail }) })), selfTestComplete: selfTest.isComplete }),
  }
}

/** The properties that have a value. */
function optional<T extends Readonly<Record<string, string | undefined>>>(values: T): { readonly [K in keyof T]?: string } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as { readonly [K in keyof T]?: string }
}

function questionsOf({ features: { scripts }, rungs, selfTest, node }: Findings): Question[] {
  return rungs.map((rung) => {
    const tested = selfTest?.rungs.find(({ question }) => question === rung.question), { state } = tested ?? rung, reason = withoutInstead((tested ?? rung).reason)
    const about = QUESTION_TITLES[rung.question as keyof typeof QUESTION_TITLES], isAnswered = state === 'chosen' || state === 'proven'
    return {
      question: rung.question, title: about.title, rung: tested?.rung ?? rung.rung, ...optional({ script: isAnswered ? scriptOf(rung, tested, scripts) : undefined }), state, ...optional({ reason: reason === undefined ? undefined : printable(reason, 600) }),
      ...(isAnswered ? {} : { otherwise: insteadOf(rung.question, node) }), ...optional({ advice: reason === undefined ? undefined : adviceFor(reason).join('; ') || undefined }),
    }
  })
}

/** A row of the stream also says who answers instead; here that has a place of its own. */
const withoutInstead = (reason: string | undefined): string | undefined => reason?.split('; ').filter((part) => !part.startsWith(INSTEAD)).join('; ') || undefined

/** What a person can change, by the words of the reason (probe-needs.ts, probe-set.ts, bpftrace.ts). */
const ADVICE: readonly (readonly [RegExp, string])[] = [
  [/is not an executable file|is not on PATH/, 'install bpftrace (Debian: apt-get install bpftrace), 0.17 or later'],
  [/not root|CAP_SYS_ADMIN|uid \d/i, 'run as root (in a container: privileged, with the host\'s PID namespace); only `oomscope doctor` as root can tell what this node then allows'],
  [/tracefs is not mounted/, 'mount -t tracefs tracefs /sys/kernel/tracing'],
  [/lockdown/, 'boot without lockdown (secure boot switches it on), where policy allows'],
  [/no kprobes/, 'run a kernel with CONFIG_KPROBES=y (all distribution kernels have it; micro-VM kernels often not)'],
  [/raw tracepoints:|fentry\/fexit:|dynamic strings:|bpftrace refused it/, 'a newer bpftrace may take more rungs (0.23 and 0.27 are tested)'],
  [/no BTF|CONFIG_DEBUG_INFO_BTF/, 'run a kernel with CONFIG_DEBUG_INFO_BTF=y'],
]
const adviceFor = (reason: string): string[] => ADVICE.filter(([pattern]) => pattern.test(reason)).map(([, text]) => text)

/** Every piece of advice once, those for the node first. */
function waysOf(questions: readonly Question[], node: NodeFacts): DoctorReport['ways'] {
  const helped = ADVICE.map(([, advice]) => ({ advice, questions: questions.filter(({ reason }) => reason !== undefined && adviceFor(reason).includes(advice)).map(({ title }) => title) }))
  return [...nodeAdvice(node).map((advice) => ({ advice, questions: [] })), ...helped.filter((way) => way.questions.length > 0)]
}

/** After a refusal the self-test fell to another rung of the question. */
const scriptOf = (rung: Rung, tested: EventOf<'rung'> | undefined, scripts: ProbeFeatures['scripts']): string | undefined =>
  tested === undefined || tested.rung === rung.rung ? rung.script : scripts.find(({ question, rung: name }) => question === rung.question && name === tested.rung)?.file

/** What keeps `live` and `record` from running at all. */
function obstacleOf({ rungs, node }: Findings): string | undefined {
  if (node.bridgeReason !== undefined) return `the bridge cannot be run, ${node.bridge}: ${node.bridgeReason}`
  if (rungs.some(({ state }) => state === 'chosen') || remainingRungs(node).length > 0) return undefined
  return [...new Set(rungs.map(({ reason }) => `no probes: ${reason ?? 'none can be used'}`)), ...missingRungs(node)].join('; ')
}

function nodeAdvice(node: NodeFacts): string[] {
  return [
    ...(node.bridgeReason === undefined ? [] : ['build the bridge: make build (without it nothing can be watched)']),
    ...(node.memcg === undefined ? ['mount cgroup v2 with the memory controller: without it only the node as a whole is watched'] : []),
    ...(node.memcgPartial === undefined ? [] : ['run in the host\'s cgroup namespace (or with the host\'s /sys/fs/cgroup mounted) to see the containers beside this one']),
    ...(node.processesPartial === undefined ? [] : ['run as root in the host\'s PID namespace (hostPID) to see every process: who would be killed next, and what a victim ran']),
    ...(node.psi ? [] : ['boot with psi=1 (CONFIG_PSI=y) for memory pressure']),
    ...(node.kmsg ? [] : ['let oomscope read /dev/kmsg (root, or kernel.dmesg_restrict=0): the kernel log is the witness that needs no probe']),
  ]
}

/** See `summary`. */
function summaryOf(questions: readonly Question[], obstacle: string | undefined): string {
  if (obstacle !== undefined) return `nothing can be watched here: ${obstacle}`
  const byProbe = questions.filter(({ state }) => state === 'chosen' || state === 'proven'), proven = byProbe.filter(({ state }) => state === 'proven').length
  const unanswered = questions.filter(({ state, otherwise }) => state !== 'chosen' && state !== 'proven' && otherwise === 'nothing').length
  const left = questions.length - byProbe.length - unanswered
  return [
    `probes answer ${byProbe.length === 0 ? 'none' : byProbe.length} of ${plural(questions.length, 'question')} about this node${byProbe.length === 0 ? '' : proven === 0 ? ' (not proven yet)' : ` (${proven} proven)`}`,
    ...(left === 0 ? [] : [`the kernel log and files of the kernel ${left}`]), ...(unanswered === 0 ? [] : [`nothing ${unanswered}`]),
  ].join(', ')
}
