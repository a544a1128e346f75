/** The doctor's findings in words, the most important first: what will be seen, on which rung, what was refused and why, how to climb. */
import { printable } from '../base/text.ts'
import type { DoctorReport, Question } from './doctor-report.ts'

const MAX_LINE = 600

/** What the first word of a question's line means. */
const STATES: readonly (readonly [string, string])[] = [
  ['chosen', 'this probe will be used, and is not proven yet: `oomscope doctor --self-test` proves those that can be tested'], ['proven', 'this probe was attached and told of an event of our own'],
  ['refused', 'this node seemed to have everything, and bpftrace said no; what answers instead tells less'], ['absent', 'this node lacks what the probe needs; what answers instead tells less'],
  ['dead', 'this probe was attached and does not work; what answers instead tells less'],
]

export function doctorText(report: DoctorReport): string {
  const sections = [[printable(report.summary, MAX_LINE)], nodeLines(report), questionsLines(report.questions), legend(report), namesLines(report), selfTestLines(report), waysLines(report)]
  return `${sections.filter((lines) => lines.length > 0).map((lines) => lines.join('\n')).join('\n\n')}\n`
}

const row = (name: string, value: string): string => `${name.padEnd(12)}${printable(value, MAX_LINE)}`
const because = (text: string | undefined): string => (text === undefined ? '' : ` (${text})`)
const yes = (has: boolean, why: string | undefined): string => (has ? 'yes' : `no${because(why)}`)

function nodeLines(report: DoctorReport): string[] {
  // Who may not trace, or has no tracefs, is told so; what bpftrace then says of each feature would only mislead.
  const refusals = Object.entries(report.unprivileged === undefined && report.tracefs !== undefined ? report.bpftraceRefusals ?? {} : {}).map(([name, why]) => row('', `without ${name}: ${why}`))
  return [
    row('kernel', `${report.kernel} ${report.machine}`), row('privileges', report.unprivileged ?? 'enough to trace'),
    row('lockdown', report.lockdown ?? 'not known (no /sys/kernel/security/lockdown)'),
    row('memcg', report.memcgVersion === undefined ? 'no memory controller is mounted' : `${report.memcgVersion} at ${report.memcgMount}${because(report.memcgReason ?? report.memcgPartial)}`),
    row('processes', report.processesPartial ?? 'all'), row('slab caches', yes(report.slabReason === undefined, report.slabReason)),
    row('PSI', yes(report.psi, report.psiReason)), row('kernel log', yes(report.kmsg, report.kmsgReason)), row('BTF', yes(report.btf, report.btfReason)), row('kprobes', yes(report.kprobes, 'CONFIG_KPROBES')),
    row('tracefs', report.tracefs === undefined ? yes(false, report.tracefsReason ?? 'tracefs is not mounted') : `${report.tracefs}, ${report.tracepoints} tracepoints`),
    row('bpftrace', report.bpftracePath === undefined ? `none${because(report.bpftraceReason)}` : `${report.bpftraceVersion} at ${report.bpftracePath}`), ...refusals,
    row('bridge', `${report.bridge}${because(report.bridgeReason)}`),
  ]
}

/** One reason that stands in the way of every probe is told once, not at each question. */
function questionsLines(questions: readonly Question[]): string[] {
  const [first] = questions, isCommon = first?.reason !== undefined && questions.every(({ state, reason }) => state === 'absent' && reason === first.reason)
  if (!isCommon) return questions.flatMap((question) => questionLines(question))
  return [`no probe can be used: ${printable(first.reason ?? '', MAX_LINE)}`, '', ...questions.flatMap(({ reason: _, ...question }) => questionLines(question))]
}

/** `by` the rung in use; below it every better rung that was not taken, or what ended it. */
function questionLines({ title, rung, script, state, reason, otherwise }: Question): string[] {
  const isByProbe = state === 'chosen' || state === 'proven'
  const answer = isByProbe ? `by ${rung}${because(script === undefined ? undefined : `probes/${script}`)}` : otherwise === undefined || otherwise === 'nothing' ? 'not answered' : `by ${otherwise}`
  const head = `${state.padEnd(9)}${title}: ${answer}`
  const word = state === 'dead' ? 'because ' : 'not by '
  return reason === undefined ? [head] : [head, ...reason.split('; ').map((part) => `         ${/^[\w-]+: /.test(part) || state === 'dead' ? word : ''}${part}`)]
}

/** After the self-test: no event of our own can cause what these tell. */
const UNTESTED = 'this probe is attached; nothing we may do to a node causes its event, so the first real one will prove it'

const legend = ({ questions, selfTests }: DoctorReport): string[] =>
  STATES.filter(([state]) => questions.some((question) => question.state === state)).map(([state, says]) => row(state, state === 'chosen' && selfTests !== undefined ? UNTESTED : says))

/** What an absent one lacks is no fault, but may be what a person looks for. */
function namesLines({ names }: DoctorReport): string[] {
  if (names === undefined) return []
  if (names.sources.length === 0) return [row('names', 'nobody is asked (--no-names): pods and containers show their ids')]
  const told = (count: number): string => (count === 0 ? '' : `, ${count} ${count === 1 ? 'pod or container' : 'pods and containers'}`)
  const lines = names.sources.map(({ source, state, detail, reason, told: count }) => `${source}: ${STATE_WORDS[state] ?? state}${detail === undefined ? '' : `, ${detail}`}${told(count)}${because(reason)}`)
  return [...lines.map((line, i) => row(i === 0 ? 'names from' : '', line)), ...names.disputes.map((line, i) => row(i === 0 ? 'they differ' : '', line))]
}

const STATE_WORDS: Readonly<Record<string, string>> = { starting: 'is asked when a container without a name is seen', absent: 'not here' }

function selfTestLines({ selfTests, selfTestComplete }: DoctorReport): string[] {
  if (selfTests === undefined) return []
  const tests = selfTests.map(({ test, passed, detail }) => row('self-test', `${test}: ${passed ? 'passed' : 'failed'}${because(detail)}`))
  return selfTestComplete === false ? [...tests, row('self-test', 'not complete: bpftrace or some of the tests never answered')] : tests
}

/** What a person can do, and which questions it helps; for the node as a whole no question is named. */
function waysLines({ ways, questions: all }: DoctorReport): string[] {
  return ways.flatMap(({ advice, questions }) => [row('to get more', advice), ...(questions.length === 0 ? [] : [row('', `for: ${questions.length === all.length ? 'every question' : questions.join(', ')}`)])])
}
