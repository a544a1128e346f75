/** Recommendations as text for a terminal: the sum first, a table, then the reasons and doubts of each, at most 80 columns. */
import { formatBytes } from '../base/bytes.ts'
import { plural, sanitize } from '../base/text.ts'
import { formatDuration } from '../base/time.ts'
import type { NodeModel } from '../model/node.ts'
import type { Recommendation } from '../verdict/recommendation.ts'
import { ALWAYS_UNKNOWN } from '../verdict/what-if.ts'
import type { WhatIf } from '../verdict/what-if.ts'
import { cellText, wrap } from './cell-text.ts'
import type { Column } from './columns.ts'
import type { NeedRow } from './needs.ts'
import type { NodeFit } from './node-fit.ts'
import { tableText } from './spike-report.ts'
import { usageLossText } from './usage-loss.ts'

const COLUMNS = 80, INDENT = 12

export type Advised = { readonly row: NeedRow; readonly recommendation: Recommendation; readonly whatIf?: WhatIf | undefined }

const isDoubtful = ({ need }: NeedRow): boolean => need.exactness === 'sampled' || need.lostNs > 0 || need.isLossSomewhere

const TABLE: readonly Column<Advised>[] = [
  { key: 'name', title: 'WORKLOAD', unit: 'text', width: 14, grow: 60, align: 'left', weight: 100, help: '', of: ({ row }) => row.label },
  { key: 'sign', title: '', unit: 'text', width: 1, align: 'right', weight: 89, help: '', of: ({ row }) => (isDoubtful(row) ? '>' : '=') },
  { key: 'peak', title: 'PEAK', unit: 'bytes', width: 5, align: 'right', weight: 90, glued: true, help: '', of: ({ row }) => row.need.peakBytes },
  { key: 'need', title: 'NEED', unit: 'bytes', width: 5, align: 'right', weight: 88, help: '', of: ({ row }) => row.need.needPeakBytes },
  { key: 'p99', title: 'P99', unit: 'bytes', width: 5, align: 'right', weight: 80, help: '', of: ({ row }) => row.need.p99Bytes },
  { key: 'p50', title: 'P50', unit: 'bytes', width: 5, align: 'right', weight: 60, help: '', of: ({ row }) => row.need.p50Bytes },
  { key: 'top', title: 'k.TOP', unit: 'bytes', width: 5, align: 'right', weight: 70, help: '', of: ({ row }) => row.need.topBytes },
  { key: 'now', title: 'LIMIT', unit: 'bytes', width: 5, align: 'right', weight: 85, help: '', of: ({ row }) => row.need.limitBytes },
  { key: 'request', title: 'REQUEST', unit: 'text', width: 8, align: 'right', weight: 98, help: '', of: ({ recommendation }) => quantity(recommendation.requestBytes) },
  { key: 'limit', title: 'LIMIT', unit: 'text', width: 8, align: 'right', weight: 99, help: '', of: ({ recommendation }) => quantity(recommendation.limitBytes) },
]

/** As a manifest takes it. */
export const quantity = (bytes: number): string => (bytes % 2 ** 30 === 0 ? `${bytes / 2 ** 30}Gi` : `${Math.ceil(bytes / 2 ** 20)}Mi`)

function field(title: string, text: string): string[] {
  return wrap(cellText(sanitize(text)), COLUMNS - INDENT).map((line, i) => `  ${(i === 0 ? title : '').padEnd(INDENT - 2)}${line}`)
}

function fitText(fit: NodeFit | undefined): string {
  if (fit === undefined) return 'Whether the node can hold them is not known: the recording has no beginning.'
  const whole = fit.from === 'kubepods' ? `what this node gives to pods (${formatBytes(fit.allocatableBytes)}, the limit of ${fit.path ?? 'kubepods'})` : `the RAM of this node (${formatBytes(fit.allocatableBytes)}; no limit of kubepods says what is allocatable)`
  const limits = fit.overcommitted ? `; all at their limits (${formatBytes(fit.limitBytes)}) would not` : `, and so would all at their limits (${formatBytes(fit.limitBytes)})`
  return `The requests of the ${plural(fit.workloads, 'workload')} running at the end are ${formatBytes(fit.requestBytes)}: ${fit.fits ? `they fit into ${whole}${limits}` : `they do NOT fit into ${whole}`}.`
}

const SURVIVES = { yes: 'would have lived', likely: 'would probably have lived', unknown: 'cannot be known', no: 'would have been killed' } as const

function linesOf({ row, recommendation, whatIf }: Advised): string[] {
  const { need } = row, lost = need.lostNs > 0 ? ` (and nothing for ${formatDuration(need.lostNs)})` : ''
  return [
    cellText(sanitize(row.label)),
    ...(whatIf === undefined ? [] : field(`at ${quantity(whatIf.limitBytes)}`, `${SURVIVES[whatIf.survives]}: ${whatIf.because}`)),
    ...recommendation.reasons.flatMap((text, i) => field(i === 0 ? 'because' : '', text)),
    ...field('recorded', `${formatDuration(need.knownNs)}${lost}${row.starts > 1 ? `, started ${row.starts} times` : ''}${row.isAlive ? '' : ', gone at the end'}${need.limitBytes === undefined ? '' : `; over 80 % of its limit for ${formatDuration(need.over80Ns)}, over 90 % for ${formatDuration(need.over90Ns)}`}`),
    ...recommendation.warnings.flatMap(({ text }, i) => field(i === 0 ? 'WARNING' : '', text)),
  ]
}

/** Everything, without a trailing newline. */
export function recommendText(model: NodeModel, advised: readonly Advised[], fit: NodeFit | undefined): string {
  const loss = usageLossText(model), isAsked = advised.some(({ whatIf }) => whatIf !== undefined)
  if (advised.length === 0) return model.coversText === undefined ? 'No workload: no cgroup below the root was recorded.' : 'No container or service matches.'
  return [
    ...wrap(cellText(sanitize(fitText(fit))), COLUMNS), ...(loss === '' ? [] : wrap(cellText(`Facts are missing: ${loss}. Numbers they touch are marked >.`), COLUMNS)),
    ...(isAsked ? wrap(ALWAYS_UNKNOWN, COLUMNS) : []), '', ...tableText(TABLE, advised), '',
    '  PEAK: highest usage (= exact, > at least); NEED: without inactive file cache;', '  P99, P50: of the highest need in each second; the last two are recommended.', '',
    ...advised.flatMap((item, i) => [...(i === 0 ? [] : ['']), ...linesOf(item)]),
  ].join('\n')
}
