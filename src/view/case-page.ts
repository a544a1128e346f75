/** The case file of a kill as a page: verdict, chain of limits, what filled it, who was judged, and the seconds before. Absent facts are absent. */
import { formatBytes } from '../base/bytes.ts'
import { plural } from '../base/text.ts'
import { formatDuration } from '../base/time.ts'
import type { Candidate, KillCase } from '../model/case.ts'
import type { NodeModel } from '../model/node.ts'
import { runtimeFacts } from '../verdict/runtime-word.ts'
import { eventsBefore, plotsBefore } from './case-plots.ts'
import type { PlotsBefore } from './case-plots.ts'
import { cellText } from './cell-text.ts'
import { bytesCell, countCell } from './compact.ts'
import type { DetailLine } from './detail.ts'
import { killJson } from './kill-json.ts'
import type { KillMoment } from './kill-moment.ts'
import { levelLabel, named, podLabel } from './lens.ts'
import type { Lens } from './lens.ts'

/** One level of the chain, as text for its columns. */
export type LimitLine = { readonly label: string; readonly used: string; readonly high: string; readonly max: string; readonly share: string; /** Its limit could not be met. */ readonly isHolder: boolean }
export type PartLine = { readonly label: string; readonly bytes: number; /** Of the limit, 0..1. */ readonly share: number; readonly note: string }
export type CandidateLine = {
  readonly pid: number; readonly command: string; readonly place: string; readonly rss: string; readonly swap: string; readonly pgtables: string; readonly adj: string; readonly points: string
  /** Of the largest points, 0..1. */
  readonly share: number
  readonly fate: 'killed' | 'chosen' | 'exempt' | ''
}

export type CasePage = PlotsBefore & {
  readonly verdictTitle: string
  readonly verdict: readonly DetailLine[]
  /** Its first sentence for where there is no room: without who was killed, whom the headline names. */
  readonly brief?: DetailLine
  readonly limits: readonly LimitLine[]
  readonly limitsNote: string
  readonly partsTitle: string
  readonly parts: readonly PartLine[]
  /** Who filled the limit, largest first; empty when there is only one. */
  readonly contributors: readonly { readonly label: string; readonly bytes: number; readonly share: number }[]
  /** How often its limits were hit; '' = not known. */
  readonly events: string
  readonly candidatesTitle: string
  readonly candidates: readonly CandidateLine[]
  /** Judged and not in the list. */
  readonly omitted: number
}

/** What a page is made from; `model` is the one that saw the kill. */
export type CaseOf = { readonly lens: Lens; readonly model: NodeModel; readonly killCase: KillCase; readonly moment: KillMoment | undefined }

const WITNESSES: Readonly<Record<string, string>> = { probe: 'probes', kmsg: 'kernel log', 'memory.events': "the cgroup's counters", signal: 'signals', exit: 'exits' }

function reclaimLine({ reclaim }: KillCase, pageBytes: number | undefined): DetailLine[] {
  // Counters are read once a second: none counted does not mean none tried.
  if (reclaim === undefined || reclaim.attempts === 0) return []
  const freed = pageBytes === undefined ? `${countCell(reclaim.reclaimedPages)} pages` : formatBytes(reclaim.reclaimedPages * pageBytes)
  return [{ text: `Reclaim was tried ${countCell(reclaim.attempts)} times in the 10 s before: tasks waited ${formatDuration(reclaim.stalledNs)}, ${freed} came free.`, tone: 'plain' }]
}

function senderLine({ sentSignal }: KillCase): DetailLine[] {
  if (sentSignal === undefined) return []
  const { sender, asker, graceNs, oneByOne } = sentSignal
  return [{ text: `${cellText(sender.comm)} (pid ${sender.pid}) sent the signal${graceNs === undefined ? '' : `, ${formatDuration(graceNs)} after a SIGTERM`}${oneByOne ? ', to every task of the cgroup (cgroup.kill)' : ''}${asker === undefined ? '' : `; asked for by ${cellText(asker.comm)} (pid ${asker.pid})`}.`, tone: 'plain' }]
}

function invokerLine({ invoker, order, gfpText, victims }: KillCase): DetailLine[] {
  if (invoker === undefined) return []
  const asked = `${2 ** Math.max(0, order ?? 0) === 1 ? 'a page' : `${2 ** Math.max(0, order ?? 0)} pages in a row`}${gfpText === undefined ? '' : ` (${cellText(gfpText)})`}`
  const who = victims.some(({ pid }) => pid === invoker.pid) ? 'The victim itself' : `${cellText(invoker.comm)} (pid ${invoker.pid})`
  return [{ text: `${who} asked for ${asked} that could not be had.`, tone: 'plain' }]
}

function victimLine({ victims, group }: KillCase): DetailLine[] {
  const [first] = victims
  if (first === undefined) return []
  const gone = first.msToExit === undefined ? '' : `; gone after ${formatDuration(first.msToExit * 1e6)}`, by = first.killedBy === undefined || first.killedBy.pid === 0 ? '' : `, killed by ${cellText(first.killedBy.comm)} (pid ${first.killedBy.pid})`
  const rest = victims.length === 1 ? '' : `; ${plural(victims.length, 'process').replace(/processs$/, 'processes')} died${group ? ' together: memory.oom.group is set' : ''}`
  const sizes = ([['anon', first.anonBytes], ['file', first.fileBytes], ['shmem', first.shmemBytes], ['swap', first.swapBytes], ['page tables', first.pgtablesBytes]] as const)
    .flatMap(([name, bytes]) => (bytes === undefined || bytes === 0 ? [] : [`${name} ${bytesCell(bytes)}`])).join(' · ')
  const ran = first.program?.commandLine === undefined ? '' : ` Its command line: ${cellText(first.program.commandLine)}`
  return [{ text: `${cellText(first.comm ?? '?')} (pid ${first.pid})${sizes === '' ? '' : `: ${sizes}`}${gone}${by}${rest}.${ran}`, tone: 'plain' }]
}

const said = (texts: readonly string[], tone: DetailLine['tone'], lead = ''): DetailLine[] => texts.map((text) => {
  const safe = cellText(`${lead}${text}`)
  return { text: `${safe.charAt(0).toUpperCase()}${safe.slice(1)}${/[.:!?]$/.test(safe) ? '' : '.'}`, tone }
})

const leadLine = (cause: string, sentence: string): DetailLine => ({ text: `${cause.replaceAll('-', ' ').toUpperCase()}. ${cellText(sentence)}`, tone: 'strong' })

function briefLine({ lens, model, killCase }: CaseOf): Pick<CasePage, 'brief'> {
  const { cause, brief } = lens.caseWords(killCase, model)
  return brief === undefined ? {} : { brief: leadLine(cause, brief) }
}

/** What happened, why nothing helped, why a dashboard showed less, who was in it, what to do, and why it is not surer. */
function verdictLines({ lens, model, killCase }: CaseOf): DetailLine[] {
  const { cause, sentence } = lens.caseWords(killCase, model), { disagreements } = killCase, { reasons, differences, advice, doubts, nameDisputes = [] } = killJson(killCase, model)
  return [
    leadLine(cause, sentence),
    ...said(disagreements, 'urgent', 'the witnesses differ: '), ...said(nameDisputes, 'urgent'), ...said(reasons.map(({ text }) => text), 'plain'), ...said(differences, 'differs'),
    ...senderLine(killCase), ...invokerLine(killCase), ...(reasons.length > 0 ? [] : reclaimLine(killCase, model.hello?.pageSizeBytes)), ...victimLine(killCase),
    ...said(runtimeFacts(model, killCase).map(({ fact }) => fact), 'quiet'), ...said(advice, 'advice'), ...said(doubts, 'quiet', 'not surer, because '),
  ]
}

function verdictTitle({ lens, model, killCase }: CaseOf): string {
  const { confidence } = lens.caseWords(killCase, model), { witnesses } = killCase
  const seen = witnesses.length === 0 ? 'no witness' : witnesses.map((witness) => WITNESSES[witness] ?? witness).join(', ')
  return `verdict${confidence === undefined ? '' : ` · ${confidence}`} · seen by ${seen}`
}

const optionalBytes = (bytes: number | undefined, absent: string): string => (bytes === undefined ? absent : bytesCell(bytes))
const shareText = (used: number | undefined, max: number | undefined): string => (used === undefined || max === undefined || max === 0 ? '-' : `${Math.round((100 * used) / max)}%`)

/** The holder's numbers are the kernel's own at the decision; those of the other levels are samples. */
function limitLines({ lens, model, killCase, moment }: CaseOf): LimitLine[] {
  const { limit } = killCase, labelOf = (path: string): string => levelLabel(named(model, lens.workloadOf(path)), path)
  const own = (high?: number): LimitLine => ({
    label: labelOf(limit?.path ?? '/'), used: optionalBytes(limit?.usageBytes, '-'), high: optionalBytes(high, 'max'), max: optionalBytes(limit?.limitBytes, 'max'), share: shareText(limit?.usageBytes, limit?.limitBytes), isHolder: true,
  })
  const lines = (moment?.levels ?? []).map((level) => (level.path === limit?.path ? own(level.highBytes)
    : { label: labelOf(level.path), used: optionalBytes(level.usedBytes, '-'), high: optionalBytes(level.highBytes, 'max'), max: optionalBytes(level.maxBytes, 'max'), share: shareText(level.usedBytes, level.maxBytes), isHolder: false }))
  const isNode = limit?.memcgId === 0 || limit?.path === '/'
  if (limit?.path !== undefined && !isNode && !lines.some(({ isHolder }) => isHolder)) lines.push(own())
  const { node } = moment ?? {}
  if (node !== undefined) lines.push({ label: 'node', used: bytesCell(node.usedBytes), high: '', max: bytesCell(node.totalBytes), share: shareText(node.usedBytes, node.totalBytes), isHolder: isNode })
  return lines
}

const PARTS: readonly (readonly [key: string, label: string, note: string])[] = [
  ['anonBytes', 'anon', ''], ['cache', 'file cache', ''], ['shmemBytes', 'shmem', 'tmpfs'], ['unwritten', 'to be written', 'of the file cache'], ['slabBytes', 'slab', ''], ['kernelBytes', 'kernel', ''], ['sockBytes', 'sockets', ''],
]

function partLines({ composition, limit }: KillCase): PartLine[] {
  if (composition === undefined) return []
  const { fileBytes, shmemBytes, fileDirtyBytes, fileWritebackBytes } = composition, whole = limit?.limitBytes ?? limit?.usageBytes ?? 0
  const values: Readonly<Record<string, number | undefined>> = {
    ...composition, cache: fileBytes === undefined ? undefined : Math.max(0, fileBytes - (shmemBytes ?? 0)),
    unwritten: fileDirtyBytes === undefined && fileWritebackBytes === undefined ? undefined : (fileDirtyBytes ?? 0) + (fileWritebackBytes ?? 0),
  }
  return PARTS.flatMap(([key, label, note]) => {
    const bytes = values[key]
    return bytes === undefined || (bytes === 0 && key !== 'anonBytes' && key !== 'cache') ? [] : [{ label, bytes, share: whole === 0 ? 0 : bytes / whole, note: bytes === 0 ? '' : note }]
  })
}

/** One that filled it alone is the holder itself, which the chain of limits names already. */
function contributorLines({ lens, model, killCase }: CaseOf): CasePage['contributors'] {
  const { contributors, limit } = killCase, whole = limit?.limitBytes ?? limit?.usageBytes ?? 0
  if (contributors.length < 2) return []
  return contributors.map(({ path, bytes }) => {
    const workload = named(model, lens.workloadOf(path))
    return { label: workload.level === 'pod' ? podLabel(workload) ?? levelLabel(workload, path) : levelLabel(workload, path).replace(/^container "(.*)"$/, '$1'), bytes, share: whole === 0 ? 0 : bytes / whole }
  })
}

const FROM: Readonly<Record<string, string>> = { oom_badness: "the kernel's own points", kmsg: "points computed from the kernel log's table", estimated: '~ points estimated' }

function candidateLine({ lens, model, killCase }: CaseOf, candidate: Candidate, most: number): CandidateLine {
  const { pid, comm, path, rssBytes, swapBytes, pgtablesBytes, oomScoreAdj, points, eligible, chosen } = candidate
  const died = killCase.victims.some((victim) => victim.pid === pid)
  return {
    pid, command: cellText(comm ?? '?'), place: path === undefined ? '-' : levelLabel(named(model, lens.workloadOf(path)), path).replace(/^container "(.*)"$/, '$1'),
    rss: optionalBytes(rssBytes, '-'), swap: swapBytes === 0 ? '·' : optionalBytes(swapBytes, '-'), pgtables: optionalBytes(pgtablesBytes, '-'), adj: oomScoreAdj === undefined ? '-' : String(oomScoreAdj),
    points: eligible && points !== undefined ? String(points) : '-', share: eligible && points !== undefined && most > 0 ? Math.max(0, points / most) : 0,
    fate: died ? 'killed' : chosen ? 'chosen' : eligible ? '' : 'exempt',
  }
}

/** Who was killed first, then by points. */
function candidateLines(what: CaseOf): CandidateLine[] {
  const { candidates } = what.killCase, most = candidates.reduce((max, { points }) => Math.max(max, points ?? 0), 0)
  return candidates.map((candidate) => candidateLine(what, candidate, most)).sort((a, b) => Number(b.fate === 'killed') - Number(a.fate === 'killed') || b.share - a.share)
}

/** Everything on the page. */
export function casePage(what: CaseOf): CasePage {
  const { killCase, moment } = what, { limit, candidates, candidatesFrom, candidatesOmitted = 0 } = killCase, sampled = moment?.levels.some(({ usedBytes, path }) => usedBytes !== undefined && path !== limit?.path) === true, before = plotsBefore(moment, killCase)
  return {
    verdictTitle: verdictTitle(what), verdict: verdictLines(what), ...briefLine(what), limits: limitLines(what), limitsNote: sampled ? 'other levels as sampled just before' : '',
    partsTitle: limit?.limitBytes === undefined ? 'what it consisted of' : `what was in the ${bytesCell(limit.limitBytes)}`, parts: partLines(killCase), contributors: contributorLines(what),
    candidatesTitle: killCase.sentSignal !== undefined ? 'nobody was judged: a process sent the signal' : candidates.length === 0 ? 'who was judged: the list is not available' : `who was judged: ${plural(candidates.length + candidatesOmitted, 'candidate')}, ${FROM[candidatesFrom ?? ''] ?? 'origin of the points not known'}`,
    candidates: candidateLines(what), omitted: candidatesOmitted, events: eventsBefore(moment, killCase, before.seconds), ...before,
  }
}
