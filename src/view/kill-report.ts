/** Kill cases as text for a terminal at 3 a.m.: at most 80 columns, the sentence first, then what it rests on. */
import { formatBytes } from '../base/bytes.ts'
import { plural, sanitize } from '../base/text.ts'
import { formatDuration } from '../base/time.ts'
import { isOomCase, isSelfTest } from '../model/case.ts'
import type { Candidate, KillCase, Victim } from '../model/case.ts'
import type { NodeModel } from '../model/node.ts'
import { nameDisputesOf } from '../verdict/name-disputes.ts'
import type { Repeats } from '../verdict/repeats.ts'
import { evidenceOf } from '../verdict/runtime-word.ts'
import { accountOf, verdictOf } from '../verdict/verdict.ts'
import { anchorClock, timeText, type CaseClock } from './case-time.ts'
import { cellText, cutEnd, wrap } from './cell-text.ts'

const COLUMNS = 80, INDENT = 14
const MAX_CANDIDATES = 8, MAX_CONTRIBUTORS = 5, MAX_VICTIMS = 10

/** Controls as visible escapes, and every character one cell wide. */
const safe = (text: string): string => cellText(sanitize(text))

/** `  limit      …` with what does not fit on the lines below, under the text. */
function field(title: string, text: string): string[] {
  return wrap(safe(text), COLUMNS - INDENT).map((line, i) => `  ${(i === 0 ? title : '').padEnd(INDENT - 2)}${line}`)
}

const optional = (title: string, text: string | undefined): string[] => (text === undefined || text === '' ? [] : field(title, text))
const list = (parts: readonly (string | undefined)[]): string => parts.filter((part) => part !== undefined).join(', ')
const size = (title: string, bytes: number | undefined): string | undefined => (bytes === undefined ? undefined : `${title} ${formatBytes(bytes)}`)

function limitText({ limit }: KillCase): string | undefined {
  if (limit === undefined) return undefined
  return list([limit.limitBytes === undefined ? undefined : formatBytes(limit.limitBytes), size('used', limit.usageBytes), size('swap allowed', limit.swapLimitBytes), limit.path])
}

function invokerText(target: KillCase): string | undefined {
  const { invoker } = target
  if (invoker === undefined) return undefined
  return list([`${invoker.comm} (pid ${invoker.pid})`, target.order === undefined ? undefined : `order ${target.order}`, target.gfpText, invoker.path])
}

function repeatsText(repeats: Repeats | undefined): string | undefined {
  if (repeats === undefined) return undefined
  const { nth, of, previousNs, medianNs, isEven } = repeats
  return list([`kill ${nth} of ${of} of this workload`, previousNs === undefined ? undefined : `${formatDuration(previousNs)} after the one before`, of < 3 ? undefined : `${isEven ? 'evenly ' : 'typically '}every ${formatDuration(medianNs)}`])
}

function senderText({ sentSignal }: KillCase): string | undefined {
  if (sentSignal === undefined) return undefined
  const { sender, signo, asker, graceNs, oneByOne } = sentSignal
  return list([
    `${sender.comm} (pid ${sender.pid}), ${signo === 9 ? 'SIGKILL' : 'SIGTERM'}${oneByOne ? ' to each task (cgroup.kill)' : ''}`,
    asker === undefined || graceNs === undefined ? undefined : `${formatDuration(graceNs)} after SIGTERM of ${asker.comm} (pid ${asker.pid})`, sender.path,
  ])
}

function victimText(victim: Victim): string {
  const gone = victim.msToExit === undefined ? undefined : `gone after ${formatDuration(victim.msToExit * 1e6)}`
  return list([
    `${victim.comm ?? '?'} (pid ${victim.pid})`, size('anon', victim.anonBytes), size('file', victim.fileBytes), size('shmem', victim.shmemBytes), size('swap', victim.swapBytes),
    victim.points === undefined ? undefined : `${victim.points} points`, victim.oomScoreAdj === undefined ? undefined : `oom_score_adj ${victim.oomScoreAdj}`, gone, victim.program?.runtime, victim.program?.commandLine, victim.path,
  ])
}

function candidateLine(candidate: Candidate): string {
  const points = candidate.eligible ? String(candidate.points ?? '-') : 'exempt', rss = candidate.rssBytes === undefined ? '-' : formatBytes(candidate.rssBytes)
  const cells = [String(candidate.pid).padStart(8), points.padStart(11), String(candidate.oomScoreAdj ?? '-').padStart(6), rss.padStart(10)]
  // Damaged rows may hold any number: the line is cut as a whole, too.
  return cutEnd(`  ${' '.repeat(INDENT - 6)}${cells.join(' ')}  ${cutEnd(safe(candidate.comm ?? '?'), 20)}${candidate.chosen ? '  <- chosen' : ''}`, COLUMNS)
}

function candidateLines(target: KillCase): string[] {
  const { candidates } = target, from = { oom_badness: 'points are the kernel\'s own', kmsg: 'points computed from the kernel log', estimated: 'points are estimated' }
  if (candidates.length === 0 || target.candidatesFrom === undefined) return target.noKill === true || target.unseenVictims !== undefined || target.sentSignal !== undefined ? [] : field('judged', 'the list of candidates is not available')
  const shown = candidates.filter((candidate, i) => i < MAX_CANDIDATES || candidate.chosen), hidden = candidates.length - shown.length + (target.candidatesOmitted ?? 0)
  return [
    ...field('judged', `${plural(candidates.length + (target.candidatesOmitted ?? 0), 'candidate')}; ${from[target.candidatesFrom]}`),
    `  ${' '.repeat(INDENT - 6)}${'PID'.padStart(8)} ${'POINTS'.padStart(11)} ${'ADJ'.padStart(6)} ${'RSS'.padStart(10)}  COMMAND`,
    ...shown.map(candidateLine), ...(hidden > 0 ? field('', `and ${hidden} more`) : []),
  ]
}

const PARTS: readonly (readonly [string, string])[] = [
  ['anonBytes', 'anon'], ['fileBytes', 'file'], ['shmemBytes', 'of that shmem'], ['fileDirtyBytes', 'dirty'], ['fileWritebackBytes', 'writeback'], ['slabBytes', 'slab'], ['kernelBytes', 'kernel'], ['sockBytes', 'sockets'],
]

const compositionText = ({ composition }: KillCase): string | undefined =>
  composition === undefined ? undefined : list(PARTS.map(([key, title]) => ((composition[key] ?? 0) > 0 ? size(title, composition[key]) : undefined)))

function reclaimText({ reclaim }: KillCase, pageBytes: number | undefined): string | undefined {
  if (reclaim === undefined) return undefined
  return list([`${plural(reclaim.attempts, 'attempt')} in the 10 s before`, `waited ${formatDuration(reclaim.stalledNs)}`, pageBytes === undefined ? `${reclaim.reclaimedPages} pages freed` : `freed ${formatBytes(reclaim.reclaimedPages * pageBytes)}`])
}

/** One case, without a trailing newline. */
export function killText(target: KillCase, model: NodeModel, clock: CaseClock = anchorClock(model)): string {
  const verdict = verdictOf(model, target), account = accountOf(model, target), { victims } = target
  const hidden = victims.length - MAX_VICTIMS
  return [
    `${safe(timeText(clock(target), target.tsNs))}  ${verdict.cause ?? 'cause unknown'}  (${verdict.confidence})`,
    ...wrap(safe(verdict.sentence), COLUMNS - 2).map((line) => `  ${line}`),
    '',
    ...verdict.because.flatMap((text, i) => field(i === 0 ? 'because' : '', text)),
    ...account.reasons.flatMap(({ text }, i) => field(i === 0 ? 'reclaim' : '', text)),
    ...account.differences.flatMap((text, i) => field(i === 0 ? 'looked like' : '', text)),
    ...account.advice.flatMap((text, i) => field(i === 0 ? 'advice' : '', text)),
    ...optional('again', repeatsText(account.repeats)),
    ...verdict.doubts.flatMap((text, i) => field(i === 0 ? 'not surer' : '', text)),
    ...optional('limit', limitText(target)),
    ...optional('sent by', senderText(target)),
    ...optional('invoked by', invokerText(target)),
    ...victims.slice(0, MAX_VICTIMS).flatMap((victim) => field('killed', victimText(victim))),
    ...(hidden > 0 ? field('', `and ${hidden} more`) : []),
    ...candidateLines(target),
    ...optional('filled with', compositionText(target)),
    ...target.contributors.slice(0, MAX_CONTRIBUTORS).flatMap(({ path, bytes }, i) => field(i === 0 ? 'filled by' : '', `${formatBytes(bytes)} ${path}`)),
    ...optional('tried', reclaimText(target, model.hello?.pageSizeBytes)),
    ...optional('ran again', target.invokedWhileExiting === undefined ? undefined : `${target.invokedWhileExiting} times${target.victims.length === 0 ? '' : ' while the victim was exiting'}, nobody${target.victims.length === 0 ? '' : ' else'} killed`),
    ...field('witnesses', target.witnesses.length === 0 ? 'none' : target.witnesses.join(', ')),
    ...target.disagreements.flatMap((text) => field('DIFFER', text)),
    ...nameDisputesOf(model, target).flatMap((text, i) => field(i === 0 ? 'names' : '', text)),
    ...evidenceOf(model, target).flatMap(({ fact, source }, i) => field(i === 0 ? 'evidence' : '', `${fact} [${source}]`)),
  ].join('\n')
}

/** Which node this is; two lines at most. */
export function killsHeader(model: NodeModel): string {
  const { hello } = model
  if (hello === undefined) return 'node unknown: the recording has no beginning'
  const parts = `${hello.hostname}, Linux ${hello.kernelRelease} ${hello.machine}, ${formatBytes(hello.memTotalBytes)} RAM, ${hello.swapTotalBytes === 0 ? 'no swap' : `${formatBytes(hello.swapTotalBytes)} swap`}, cgroup ${hello.memcgVersion}`
  const shortage = shortageText(model), only = model.coversText === undefined ? [] : wrap(safe(`only cgroups that match ${model.coversText}`), COLUMNS).slice(0, 2)
  return [...wrap(safe(parts), COLUMNS).slice(0, 2), ...only, ...(shortage === '' ? [] : wrap(safe(shortage), COLUMNS).slice(0, 4))].join('\n')
}

/** Where a rung row begins to say who answers instead of a probe (source/rung-states.ts). */
const INSTEAD = '; instead: '

/** Why, for most questions, the recording has nothing from probes, and who answers instead; empty when it has, or cannot tell. */
export function shortageText({ rungs }: NodeModel): string {
  const [, instead] = (rungs.get('oom-decision')?.reason ?? '').split(INSTEAD), counts = new Map<string, number>()
  for (const { state, reason = '' } of rungs.values()) {
    if (state === 'chosen' || state === 'proven') return ''
    const why = reason.split(INSTEAD)[0] ?? ''
    counts.set(why, (counts.get(why) ?? 0) + 1)
  }
  const [why = ''] = [...counts].sort((x, y) => y[1] - x[1])[0] ?? []
  return why === '' ? '' : `recorded without probes: ${why}${instead === undefined ? '' : `; kills are told by ${instead}`}`
}

/**
 * /proc/vmstat counts every kill, also those that no probe and no line of the log told of. With memory.oom.group it counts
 * the main victim twice (__oom_kill_process() runs twice for it).
 */
function unlistedKills(model: NodeModel): number {
  const first = model.firstVmstat, last = model.vmstat
  // The kernel's counter is the node's, what is listed may be a part of it.
  if (first?.oomKill === undefined || last?.oomKill === undefined || model.covers !== undefined) return 0
  const listed = model.cases.filter((target) => target.sentSignal === undefined && target.tsNs > first.tsNs && target.tsNs <= last.tsNs).reduce((sum, target) => sum + target.victims.length + (target.unseenVictims ?? 0) + (target.group ? 1 : 0), 0)
  return Math.max(0, last.oomKill - first.oomKill - listed)
}

/** What did not arrive, in words; empty when nothing was lost. */
export function lossText(model: NodeModel): string {
  const { losses, corruptFrames, corruptBytes, unknownKinds, badRows } = model.health
  const parts = [...losses].flatMap(([where, loss]) => (loss.count === 0 ? [] : [`${loss.count} lost at ${where}${loss.detail === undefined ? '' : ` (${loss.detail})`}`]))
  if (corruptFrames > 0) parts.push(`${plural(corruptFrames, 'damaged frame')} (${corruptBytes} bytes)`)
  if (unknownKinds > 0) parts.push(`${plural(unknownKinds, 'row')} of a kind unknown here`)
  if (badRows > 0) parts.push(`${plural(badRows, 'unreadable row')}`)
  const unseen = unlistedKills(model)
  if (unseen > 0) parts.push(`the kernel counted ${plural(unseen, 'kill')} that no witness described`)
  return parts.join(', ')
}

/** The last lines: how many cases, how many died, and what may be missing. */
export function killsSummary(model: NodeModel): string {
  const oom = model.cases.filter(isOomCase), kills = oom.filter((target) => target.victims.length > 0 || target.unseenVictims !== undefined), dead = kills.reduce((sum, target) => sum + target.victims.length + (target.unseenVictims ?? 0), 0), lost = lossText(model)
  const cut = oom.filter(({ picked }) => picked !== undefined).length, noKill = oom.length - kills.length - cut, tests = model.cases.filter(isSelfTest).length, sent = model.cases.length - oom.length - tests
  const text = `${plural(kills.length, 'kill case')}, ${dead} ${dead === 1 ? 'process' : 'processes'} killed`
  return wrap(safe(`${text}${sent === 0 ? '' : `; ${plural(sent, 'more case')} of a signal that a process sent`}${tests === 0 ? '' : `; ${plural(tests, 'self-test')} of oomscope`}${cut === 0 ? '' : `; ${plural(cut, 'decision')} whose end is not told`}${noKill === 0 ? '' : `; ${plural(noKill, 'run')} of the OOM killer without a kill`}${lost === '' ? '; nothing lost' : `; facts may be missing: ${lost}`}`), COLUMNS).join('\n')
}
