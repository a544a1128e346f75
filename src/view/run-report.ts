/** The summary of a run as text: at most 80 columns, for the terminal the command had and for the page of the screen. */
import { formatBytes } from '../base/bytes.ts'
import { plural, sanitize } from '../base/text.ts'
import { formatDuration } from '../base/time.ts'
import type { NodeModel } from '../model/node.ts'
import { verdictOf } from '../verdict/verdict.ts'
import { cellText, cutEnd, wrap } from './cell-text.ts'
import { quantity } from './recommend-report.ts'
import type { RunSummary } from './run-summary.ts'

const COLUMNS = 80, INDENT = 14, MAX_KILLS = 5

function field(title: string, text: string): string[] {
  return wrap(cellText(sanitize(text)), COLUMNS - INDENT).map((line, i) => `  ${(i === 0 ? title : '').padEnd(INDENT - 2)}${line}`)
}

const share = (bytes: number, of: number): string => `${((100 * bytes) / of).toFixed(1)} %`

function endText({ code, signal, ns, leftBehind }: RunSummary): string {
  const left = leftBehind === 0 ? '' : ` · left ${plural(leftBehind, 'process')} behind, killed`.replace('processs', 'processes')
  return `${signal === undefined ? `exit ${code}` : `ended by ${signal} (exit ${code})`} after ${formatDuration(ns)}${left}`
}

function peakText({ peakBytes, isPeakExact, limitBytes, limitPath }: RunSummary): string {
  if (peakBytes === undefined) return 'not known: it ended before the first look'
  const of = limitBytes === undefined ? ', no limit' : `, ${share(peakBytes, limitBytes)} of ${formatBytes(limitBytes)}${limitPath === undefined ? '' : ` (the limit of ${limitPath})`}`
  return `${isPeakExact ? '' : 'at least '}${formatBytes(peakBytes)}${of} · ${isPeakExact ? 'exact: counted by the kernel at every charge' : 'sampled: this kernel keeps no mark of it'}`
}

function topText({ kubectlTopBytes, peakBytes, ns }: RunSummary): string {
  if (kubectlTopBytes === undefined || kubectlTopBytes === 0) return kubectlTopBytes === 0 || ns < 15e9 ? 'nothing: it looks each 15 s, and not while this ran' : 'not known: memory.stat was not read'
  const missed = peakBytes === undefined || peakBytes <= kubectlTopBytes ? '' : `, ${formatBytes(peakBytes - kubectlTopBytes)} less than the peak`
  return `at most ${formatBytes(kubectlTopBytes)}${missed} (estimated: a look each 15 s)`
}

function stallsText({ waited }: RunSummary): string {
  if (waited === undefined) return 'not known: no probe tells of them here'
  return waited.length === 0 ? 'none' : waited.map(({ what, ns, count }) => `${formatDuration(ns)} in ${what} (${plural(count, 'time')})`).join(', ')
}

function killLines(run: RunSummary, model: NodeModel): string[] {
  if (run.kills.length === 0) return field('kills', 'none')
  const shown = run.kills.slice(-MAX_KILLS), more = run.kills.length - shown.length
  return [...field('kills', plural(run.kills.length, 'kill')), ...(more === 0 ? [] : field('', `the newest ${MAX_KILLS}:`)), ...shown.flatMap((kill) => field('', verdictOf(model, kill).sentence))]
}

function spikesText({ spikes }: RunSummary): string {
  const missed = spikes.filter(({ isShownByTop }) => isShownByTop === false).length
  return spikes.length === 0 ? 'none' : `${spikes.length}, of which kubectl top would have shown ${spikes.length - missed}`
}

/** One run is one sample: what may be wrong with it is said with it. */
function adviceLines({ recommendation }: RunSummary): string[] {
  if (recommendation === undefined) return []
  const { requestBytes, limitBytes, reasons, warnings } = recommendation
  return [...field('recommended', `request ${quantity(requestBytes)}, limit ${quantity(limitBytes)}`), ...reasons.slice(0, 2).flatMap((text) => field('', text)), ...warnings.flatMap(({ text }, i) => field(i === 0 ? 'but' : '', text))]
}

/** Lines without a line end. */
export function runText(run: RunSummary, model: NodeModel): string[] {
  return [
    `oomscope run: ${cutEnd(cellText(sanitize(run.argv.join(' '))), COLUMNS - 14)}`,
    ...field('end', endText(run)),
    ...field('peak', peakText(run)),
    ...(run.limitBytes === undefined ? [] : field('near limit', `${formatDuration(run.over80Ns)} over 80 %, ${formatDuration(run.over90Ns)} over 90 % (sampled)`)),
    ...field('kubectl top', topText(run)),
    ...field('stalls', stallsText(run)),
    ...killLines(run, model),
    ...(run.oomsWithoutKill === 0 ? [] : field('', `the OOM killer also ran ${plural(run.oomsWithoutKill, 'time')} and killed nobody`)),
    ...field('spikes', spikesText(run)),
    ...adviceLines(run),
    ...(run.lost === '' ? [] : field('missing', run.lost)),
    ...(run.failure === undefined ? [] : field('not watched', `to its end: ${run.failure}`)),
  ]
}
