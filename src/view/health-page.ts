/** How far this picture can be trusted, and what it costs: rungs, losses, the tracer, self-tests, notices, oomscope's own consumption, where names come from. */
import { plural } from '../base/text.ts'
import type { EventOf } from '../event/event.ts'
import type { NodeModel } from '../model/node.ts'
import { cellText } from './cell-text.ts'
import { distance, timeOf } from './clock.ts'
import { bytesCell, countCell } from './compact.ts'
import { QUESTION_NAMES, UNANSWERED, WEIGHTY } from './questions.ts'
import { rowOf } from './sheet.ts'
import type { Sheet, SheetCell, SheetRow, TableSection, TextSection, Tone } from './sheet.ts'
import { lossesOf, tracerDoubts } from './status-line.ts'
import { largest } from './window.ts'

/** What this program itself consumes while it shows the screen; only live: a replay's costs are no facts of the node. */
export type OwnCost = { readonly cpuPercent: number; readonly rssBytes: number; readonly heapBytes: number }
/** What a live screen remembers of the stream, to go back in time. */
export type Kept = { readonly bytes: number; readonly maxBytes: number; readonly startNs?: number; readonly endNs?: number }

const isAnswered = (state: string): boolean => state === 'chosen' || state === 'proven'

function trustSection(model: NodeModel): TextSection {
  const { health } = model, rungs = [...model.rungs.values()], answered = rungs.filter(({ state }) => isAnswered(state)).length
  const lost = [...lossesOf(model), ...tracerDoubts(model)], failed = [...health.selftests.values()].filter(({ passed }) => !passed)
  const unanswered = rungs.filter(({ question, state }) => !isAnswered(state) && WEIGHTY.has(question)).map(({ question }) => UNANSWERED[question] ?? question)
  const lines: { readonly text: string; readonly tone: Tone }[] = [
    ...lost.map((text) => ({ text: `${text}.`, tone: 'alarm' as const })),
    ...failed.map(({ test, detail }) => ({ text: `Self-test ${cellText(test)} failed${detail === undefined ? '' : `: ${cellText(detail)}`}.`, tone: 'alarm' as const })),
    ...unanswered.map((text) => ({ text: `${text.charAt(0).toUpperCase()}${text.slice(1)}.`, tone: 'warn' as const })),
  ]
  if (lost.length === 0) lines.unshift({ text: 'Nothing is known to be lost.', tone: 'good' })
  if (rungs.length > 0) lines.push({ text: `${answered} of ${plural(rungs.length, 'question')} answered by a probe, ${rungs.filter(({ state }) => state === 'proven').length} proven by a self-test.`, tone: 'plain' })
  else lines.push({ text: 'Nothing is told about probes: this stream has no rungs.', tone: 'quiet' })
  return { kind: 'text', title: 'can this picture be trusted', span: 'full', lines }
}

const STATE_TONES: Readonly<Record<string, Tone>> = { proven: 'good', chosen: 'plain', refused: 'warn', absent: 'quiet', dead: 'alarm' }

function rungsSection(model: NodeModel): TableSection {
  return {
    kind: 'table', title: 'how each question is answered', span: 'full', empty: 'Nothing is told about probes.',
    columns: [{ title: 'QUESTION', width: 16, grow: 28, weight: 100 }, { title: 'BY', width: 10, grow: 16, weight: 90 }, { title: 'STATE', width: 7, weight: 95 }, { title: 'WHAT STAYS UNKNOWN, OR WHY NOT BY A BETTER RUNG', width: 10, grow: 200, weight: 80, wraps: true }],
    rows: [...model.rungs.values()].map(({ question, rung, state, reason }) => {
      const means = isAnswered(state) ? [] : [UNANSWERED[question] ?? 'not answered'], tone = STATE_TONES[state] ?? 'warn'
      return rowOf([QUESTION_NAMES[question] ?? cellText(question), rung === 'none' ? '-' : cellText(rung), cellText(state), cellText([...means, ...(reason === undefined ? [] : [reason])].join(': '))], 'plain', [WEIGHTY.has(question) && !isAnswered(state) ? 'warn' : undefined, undefined, tone, isAnswered(state) ? 'quiet' : undefined])
    }),
  }
}

function lossSection(model: NodeModel): TableSection {
  const { health } = model, places = [...health.losses].map(([where, { count, detail }]) => ({ where: cellText(where), count, detail: detail === undefined ? '' : cellText(detail) }))
  const own = [
    { where: 'unreadable frames', count: health.corruptFrames, detail: health.corruptBytes === 0 ? '' : bytesCell(health.corruptBytes) },
    { where: 'rows not understood', count: health.badRows, detail: '' }, { where: 'rows of newer kinds', count: health.unknownKinds, detail: '' },
  ]
  return {
    kind: 'table', title: 'lost, by place', span: 'half', empty: '',
    columns: [{ title: 'PLACE', width: 12, grow: 20, weight: 100 }, { title: 'FACTS', width: 6, align: 'right', weight: 95 }, { title: 'LAST CAUSE', width: 8, grow: 100, weight: 50, wraps: true }],
    rows: [...places, ...own].map(({ where, count, detail }) => rowOf([where, count === 0 ? '·' : countCell(count), detail], count === 0 ? 'quiet' : 'alarm')),
  }
}

function tracerSection(model: NodeModel): TableSection {
  const { tracerStates } = model.health, restarts = tracerStates.filter(({ state }) => state === 'restarted').length
  return {
    kind: 'table', title: `bpftrace${restarts === 0 ? '' : `, ${plural(restarts, 'restart')}`}`, span: 'half', empty: 'No tracer was started.',
    columns: [{ title: 'TIME', width: 8, weight: 90 }, { title: 'STATE', width: 9, weight: 100 }, { title: 'PID', width: 7, align: 'right', weight: 60 }, { title: 'DETAIL', width: 8, grow: 200, weight: 80, wraps: true }],
    rows: tracerStates.slice(-6).reverse().map(({ tsNs, state, pid, detail }, i) => rowOf([timeOf(model, tsNs), cellText(state), pid === 0 ? '-' : String(pid), cellText(detail ?? '')], i > 0 ? 'quiet' : state === 'ready' ? 'good' : 'plain')),
  }
}

function selftestSection(model: NodeModel): TableSection {
  return {
    kind: 'table', title: 'self-tests', span: 'half', empty: 'None was run.',
    columns: [{ title: 'STIMULUS', width: 12, grow: 16, weight: 100 }, { title: 'SEEN', width: 6, weight: 95 }, { title: 'TIME', width: 8, weight: 50 }, { title: 'DETAIL', width: 6, grow: 100, weight: 40, wraps: true }],
    rows: [...model.health.selftests.values()].map(({ test, passed, tsNs, detail }) => rowOf([cellText(test).replaceAll('_', ' '), passed ? 'yes' : 'NO', timeOf(model, tsNs), cellText(detail ?? '')], passed ? 'plain' : 'alarm', [undefined, passed ? 'good' : 'alarm'])),
  }
}

type Cost = EventOf<'cost'>
/** Rates are means over so many readings, one a second. */
const RATE_READINGS = 10

/** What a cumulative number rose by in each second, oldest first, and per second over the newest ten. */
function rise(costs: readonly Cost[], of: (cost: Cost) => number | undefined): { readonly values: readonly number[]; readonly now: number | undefined } {
  const values: number[] = []
  for (let i = 1; i < costs.length; i++) {
    const a = costs[i - 1] as Cost, b = costs[i] as Cost, from = of(a), to = of(b), seconds = (b.tsNs - a.tsNs) / 1e9
    // A restarted bridge or bpftrace counts from zero again.
    if (seconds > 0) values.push(from === undefined || to === undefined || to < from ? Number.NaN : (to - from) / seconds)
  }
  const known = values.slice(-RATE_READINGS).filter((value) => !Number.isNaN(value))
  return { values, now: known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0) / known.length }
}

/** `64M at most, 12m04s` */
const reach = ({ maxBytes, startNs, endNs }: Kept): string => `${bytesCell(maxBytes)} at most${startNs === undefined || endNs === undefined ? '' : `, reaches ${distance((endNs - startNs) / 1e9)} back`}`

/** `every 100 ms` */
const every = (ns: number): string => `every ${ns < 1e9 ? `${Math.round(ns / 1e6)} ms` : distance(ns / 1e9)}`

/** Who is looked at how often, and whether the budget made it rarer. */
function samplingRows(sampling: EventOf<'sampling'> | undefined): readonly (readonly [what: string, now: string, says: string, isShort?: boolean])[] {
  if (sampling === undefined) return []
  const { budgetCenti, usedCenti, pressureCenti, lateTurns } = sampling, isShort = pressureCenti > 110
  return [
    ['CPU of sampling', `${(usedCenti / 100).toFixed(1)} %`, `of ${budgetCenti / 100} % it may use${isShort ? ', so rarer' : ''}`, isShort],
    ['  quiet', String(sampling.quietMemcgs), every(sampling.slowPeriodNs)],
    ['  moving', String(sampling.activeMemcgs), every(sampling.activePeriodNs)],
    ['  near a limit', String(sampling.quickMemcgs), every(sampling.quickPeriodNs)],
    ...(lateTurns === 0 ? [] : [['  late', countCell(lateTurns), 'looks, a whole period late', true] as const]),
  ]
}

function costSection(model: NodeModel, { own, kept }: Costs): TableSection {
  const { costs } = model.health, last = costs.at(-1), rows: SheetRow[] = []
  const add = (what: string, now: string | undefined, figure: SheetCell = '', tone: Tone = 'plain'): void => { if (now !== undefined) rows.push(rowOf([what, now, figure], tone)) }
  const cpu = (what: string, of: (cost: Cost) => number | undefined): void => {
    const { values, now } = rise(costs, of)
    add(what, now === undefined ? undefined : `${(now / 1e7).toFixed(1)} %`, { values, full: Math.max(1e7, largest(values) ?? 0) }, (now ?? 0) > 10e7 ? 'warn' : 'plain')
  }
  const rate = (what: string, of: (cost: Cost) => number, say: (value: number) => string): void => {
    const { values, now } = rise(costs, of)
    add(what, now === undefined ? undefined : `${say(now)}/s`, { values, full: Math.max(1, largest(values) ?? 0) })
  }
  cpu('CPU of the bridge', ({ bridgeCpuNs }) => bridgeCpuNs)
  cpu('CPU of bpftrace', ({ tracerCpuNs }) => tracerCpuNs)
  add('CPU of this screen', own === undefined ? undefined : `${own.cpuPercent.toFixed(1)} %`)
  add('RSS of the bridge', last === undefined ? undefined : bytesCell(last.bridgeRssBytes))
  add('RSS of bpftrace', last?.tracerRssBytes === undefined ? undefined : bytesCell(last.tracerRssBytes))
  add('RSS of this screen', own === undefined ? undefined : bytesCell(own.rssBytes), own === undefined ? '' : `heap ${bytesCell(own.heapBytes)}`)
  add('kept to look back', kept === undefined ? undefined : bytesCell(kept.bytes), kept === undefined ? '' : reach(kept))
  rate('facts', ({ rows: count }) => count, (value) => countCell(Math.round(value)))
  rate('bytes written', ({ bytes }) => bytes, bytesCell)
  add('memcgs sampled', last === undefined ? undefined : String(last.memcgs))
  for (const [what, now, says, isShort] of samplingRows(model.health.sampling)) add(what, now, says, isShort === true ? 'warn' : 'plain')
  add('descriptors open', last === undefined ? undefined : String(last.openFiles))
  return {
    kind: 'table', title: 'what oomscope costs (CPU in per cent of one core)', span: 'half', empty: 'Nothing is told about costs.', rows,
    columns: [{ title: '', width: 18, weight: 100 }, { title: '', width: 8, align: 'right', weight: 95 }, { title: '', width: 6, grow: 40, weight: 20 }],
  }
}

function namesSection(model: NodeModel): TableSection {
  const counts = new Map<string, { pods: number; containers: number }>()
  for (const [key, { from }] of model.names) {
    const count = counts.get(from) ?? { pods: 0, containers: 0 }
    if (key.startsWith('pod:')) count.pods += 1
    else count.containers += 1
    counts.set(from, count)
  }
  return {
    kind: 'table', title: 'where names come from', span: 'half', empty: 'No names learned: workloads are shown by uid, id or path.',
    columns: [{ title: 'SOURCE', width: 12, grow: 24, weight: 100 }, { title: 'PODS', width: 6, align: 'right', weight: 90 }, { title: 'CONTAINERS', width: 10, align: 'right', weight: 80 }],
    rows: [...counts].map(([from, { pods, containers }]) => rowOf([cellText(from), String(pods), String(containers)])),
  }
}

function nodeSection({ hello }: NodeModel): TableSection {
  const rows = hello === undefined ? [] : ([
    ['kernel', hello.kernelRelease], ['machine', `${hello.machine}, ${hello.cpus} CPUs, ${bytesCell(hello.memTotalBytes)}, swap ${hello.swapTotalBytes === 0 ? 'none' : bytesCell(hello.swapTotalBytes)}`],
    ['memory controller', `cgroup ${hello.memcgVersion} at ${hello.memcgRoot}`], ['sampled every', `${Math.round(hello.samplePeriodNs / 1e6)} ms`], ['bridge', hello.bridgeVersion], ['boot', hello.bootId],
  ] as const).map(([what, is]) => rowOf([what, cellText(is)]))
  return { kind: 'table', title: 'this node', span: 'half', empty: 'Nothing is told yet.', columns: [{ title: '', width: 18, weight: 100 }, { title: '', width: 10, grow: 100, weight: 90 }], rows }
}

/** Newest first. */
const NOTICES_SHOWN = 20

function noticesSection(model: NodeModel): TableSection {
  const { notices } = model.health
  return {
    kind: 'table', title: `notices of the bridge and of bpftrace${notices.length > NOTICES_SHOWN ? `, the newest ${NOTICES_SHOWN} of ${notices.length}` : ''}`, span: 'full', empty: 'None.',
    columns: [{ title: 'TIME', width: 8, weight: 90 }, { title: 'FROM', width: 8, weight: 80 }, { title: 'TEXT', width: 10, grow: 400, weight: 100, wraps: true }],
    rows: notices.slice(-NOTICES_SHOWN).reverse().map(({ tsNs, from, text }) => rowOf([timeOf(model, tsNs), cellText(from), cellText(text)])),
  }
}

/** Of this program; absent in a replay. */
export type Costs = { readonly own?: OwnCost | undefined; readonly kept?: Kept | undefined }

export function healthPage(model: NodeModel, costs: Costs = {}): Sheet {
  return [trustSection(model), rungsSection(model), costSection(model, costs), lossSection(model), tracerSection(model), selftestSection(model), namesSection(model), nodeSection(model), noticesSection(model)]
}
