/** The doctor's findings as one object for programs, and the same in words. */
import { printable } from '../base/text.ts'
import type { EventOf } from '../event/event.ts'
import type { NodeFacts } from '../source/node-facts.ts'
import { QUESTION_TITLES } from '../source/probe-ladder.ts'
import type { ProbeFeatures, Rung } from '../source/probe-set.ts'
import { insteadOf } from '../source/remaining.ts'
import { INSTEAD } from '../source/rung-states.ts'

export type SelfTest = { readonly rungs: readonly EventOf<'rung'>[]; readonly tests: readonly EventOf<'selftest'>[]; readonly isComplete: boolean }
export type Findings = { readonly features: ProbeFeatures; readonly rungs: readonly Rung[]; readonly node: NodeFacts; readonly selfTest?: SelfTest }

type Question = { readonly question: string; readonly title: string; readonly rung: string; readonly state: string; readonly reason?: string; readonly otherwise?: string; readonly advice?: string }

/** Fields are only ever added; what is not known is absent. */
export type DoctorReport = {
  readonly kernel: string; readonly machine: string
  readonly unprivileged?: string; readonly lockdown?: string
  readonly memcgVersion?: string; readonly memcgMount?: string; readonly memcgReason?: string
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
  readonly selfTests?: readonly { readonly test: string; readonly passed: boolean; readonly detail?: string }[]
  readonly selfTestComplete?: boolean
}

export function doctorReport(findings: Findings): DoctorReport {
  const { features: { kernel, bpftrace }, node, selfTest } = findings
  const questions = questionsOf(findings)
  return {
    kernel: kernel.release, machine: kernel.machine, ...optional({ unprivileged: kernel.unprivileged, lockdown: kernel.lockdown, memcgVersion: node.memcg?.version, memcgMount: node.memcg?.path, memcgReason: node.memcgReason }),
    psi: node.psi, ...optional({ psiReason: node.psiReason }), kmsg: node.kmsg, ...optional({ kmsgReason: node.kmsgReason }),
    btf: kernel.btf !== undefined, ...optional({ btfReason: kernel.btfReason }), kprobes: kernel.kprobes, ...optional({ tracefs: kernel.tracefs, tracefsReason: kernel.tracefsReason }), tracepoints: kernel.tracepoints.size,
    ...('missing' in bpftrace ? { bpftraceReason: bpftrace.missing } : { bpftracePath: bpftrace.path, bpftraceVersion: bpftrace.version, ...(Object.keys(bpftrace.refusals).length > 0 ? { bpftraceRefusals: bpftrace.refusals } : {}) }),
    bridge: node.bridge, ...optional({ bridgeReason: node.bridgeReason }), questions,
    advice: [...new Set([...nodeAdvice(node), ...questions.flatMap(({ advice }) => advice ?? [])])],
    ...(selfTest === undefined ? {} : { selfTests: selfTest.tests.map(({ test, passed, detail }) => ({ test, passed, ...optional({ detail }) })), selfTestComplete: selfTest.isComplete }),
  }
}

/** The properties that have a value. */
function optional<T extends Readonly<Record<string, string | undefined>>>(values: T): { readonly [K in keyof T]?: string } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as { readonly [K in keyof T]?: string }
}

function questionsOf({ rungs, selfTest, node }: Findings): Question[] {
  return rungs.map((rung) => {
    const tested = selfTest?.rungs.find(({ question }) => question === rung.question), { state } = tested ?? rung, reason = withoutInstead((tested ?? rung).reason)
    const about = QUESTION_TITLES[rung.question as keyof typeof QUESTION_TITLES], isAnswered = state === 'chosen' || state === 'proven'
    return {
      question: rung.question, title: about.title, rung: tested?.rung ?? rung.rung, state, ...optional({ reason: reason === undefined ? undefined : printable(reason, 600) }),
      ...(isAnswered ? {} : { otherwise: insteadOf(rung.question, node) }), ...optional({ advice: reason === undefined ? undefined : adviceFor(reason) }),
    }
  })
}

/** A row of the stream also says who answers instead; here that has a place of its own. */
const withoutInstead = (reason: string | undefined): string | undefined => reason?.split('; ').filter((part) => !part.startsWith(INSTEAD)).join('; ') || undefined

/** What a person can change, by the words of the reason (probe-needs.ts, probe-set.ts, bpftrace.ts). */
const ADVICE: readonly (readonly [RegExp, string])[] = [
  [/is not an executable file|is not on PATH/, 'install bpftrace (Debian: apt-get install bpftrace), 0.17 or later'],
  [/not root|CAP_SYS_ADMIN|uid \d/i, 'run as root (in a container: privileged, with the host\'s PID namespace)'],
  [/tracefs is not mounted/, 'mount -t tracefs tracefs /sys/kernel/tracing'],
  [/lockdown/, 'boot without lockdown (secure boot switches it on), where policy allows'],
  [/no kprobes/, 'run a kernel with CONFIG_KPROBES=y (all distribution kernels have it; micro-VM kernels often not)'],
  [/raw tracepoints:|fentry\/fexit:|dynamic strings:/, 'a newer bpftrace may take more rungs (0.23 and 0.27 are tested)'],
  [/no BTF|CONFIG_DEBUG_INFO_BTF/, 'run a kernel with CONFIG_DEBUG_INFO_BTF=y'],
]
const adviceFor = (reason: string): string | undefined => ADVICE.filter(([pattern]) => pattern.test(reason)).map(([, text]) => text).join('; ') || undefined

function nodeAdvice(node: NodeFacts): string[] {
  return [
    ...(node.bridgeReason === undefined ? [] : ['build the bridge: make build (without it nothing can be watched)']),
    ...(node.memcg === undefined ? ['mount cgroup v2 with the memory controller: without it only the node as a whole is watched'] : []),
    ...(node.psi ? [] : ['boot with psi=1 (CONFIG_PSI=y) for memory pressure']),
    ...(node.kmsg ? [] : ['let oomscope read /dev/kmsg (root, or kernel.dmesg_restrict=0): the kernel log is the witness that needs no probe']),
  ]
}

/** What the first word of a question's line means. */
const STATES: readonly (readonly [string, string])[] = [
  ['chosen', 'this probe will be used; `oomscope doctor --self-test` proves that it works'], ['proven', 'this probe was attached and told of an event of our own'],
  ['refused', 'this node seemed to have everything, and bpftrace said no'], ['absent', 'this node lacks what the probe needs; what answers instead tells less'], ['dead', 'this probe was attached and does not work'],
]

export function doctorText(report: DoctorReport): string {
  const row = (name: string, value: string): string => `${name.padEnd(12)}${printable(value)}`
  const reason = (text: string | undefined): string => (text === undefined ? '' : ` (${text})`)
  const yes = (has: boolean, why: string | undefined): string => (has ? 'yes' : `no${reason(why)}`)
  // Who may not trace is told so; what bpftrace then says of each feature would only mislead.
  const refusals = Object.entries(report.unprivileged === undefined ? report.bpftraceRefusals ?? {} : {}).map(([name, why]) => row('', `without ${name}: ${why}`))
  return [
    row('kernel', `${report.kernel} ${report.machine}`), row('privileges', report.unprivileged ?? 'enough to trace'),
    row('lockdown', report.lockdown ?? 'none'),
    row('memcg', report.memcgVersion === undefined ? 'no memory controller is mounted' : `${report.memcgVersion} at ${report.memcgMount}${reason(report.memcgReason)}`),
    row('PSI', yes(report.psi, report.psiReason)), row('kernel log', yes(report.kmsg, report.kmsgReason)), row('BTF', yes(report.btf, report.btfReason)), row('kprobes', yes(report.kprobes, undefined)),
    row('tracefs', report.tracefs === undefined ? `no (${report.tracefsReason ?? 'tracefs is not mounted'})` : `${report.tracefs}, ${report.tracepoints} tracepoints`),
    row('bpftrace', report.bpftracePath === undefined ? `none${reason(report.bpftraceReason)}` : `${report.bpftraceVersion} at ${report.bpftracePath}`), ...refusals,
    row('bridge', `${report.bridge}${reason(report.bridgeReason)}`), '',
    ...questionsText(report.questions), '',
    ...STATES.filter(([state]) => report.questions.some((question) => question.state === state)).map(([state, says]) => row(state, says)), '',
    ...(report.selfTests === undefined ? [] : [...report.selfTests.map(({ test, passed, detail }) => row('self-test', `${test}: ${passed ? 'passed' : 'failed'}${reason(detail)}`)), '']),
    ...report.advice.map((text) => row('to get more', text)), '',
  ].join('\n').replace(/\n+$/, '\n')
}

/** One reason that stands in the way of every probe is told once, not at each question. */
function questionsText(questions: readonly Question[]): string[] {
  const [first] = questions, isCommon = first?.reason !== undefined && questions.every(({ state, reason }) => state === 'absent' && reason === first.reason)
  if (!isCommon) return questions.flatMap((question) => questionLines(question))
  return [`no probe can be used: ${printable(first.reason ?? '', 600)}`, '', ...questions.flatMap(({ reason: _, ...question }) => questionLines(question))]
}

/** `by` the rung in use; below it every better rung that was not taken, or what ended it. */
function questionLines({ title, rung, state, reason, otherwise }: Question): string[] {
  const answer = state === 'chosen' || state === 'proven' ? `by ${rung}` : otherwise === undefined || otherwise === 'nothing' ? 'not answered' : `by ${otherwise}`
  const head = `${state.padEnd(9)}${title}: ${answer}`
  return reason === undefined ? [head] : [head, ...reason.split('; ').map((part) => `         ${state === 'dead' ? 'because' : 'not'} ${part}`)]
}
