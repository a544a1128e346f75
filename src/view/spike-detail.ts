/** One spike in sentences: how high and how surely, against which limit, what the dashboard showed, what it cost and what it was made of. */
import type { Spike } from '../model/spike.ts'
import { bytesCell, durationCell, percentCell } from './compact.ts'
import type { DetailLine } from './detail.ts'
import type { SpikeRow } from './spikes-list.ts'
import { isTimeVague, lengthText } from './spikes-list.ts'

const HEIGHTS: Readonly<Record<SpikeRow['exactness'], string>> = {
  'exact-height': 'exactly (memory.peak is reset at each look)', 'high-water': 'exactly, by the high-water mark', sampled: 'at least: it may have been higher between two looks',
}

const ENDS: Readonly<Record<Spike['ended'], string>> = { fell: 'fell again', settled: 'settled lower', died: 'was over when its cgroup was removed' }

function limitLine({ limitBytes, limitPercent, peakBytes }: SpikeRow): DetailLine[] {
  if (limitBytes === undefined || limitPercent === undefined) return [{ text: 'No limit above it: only the node could have stopped it.', tone: 'quiet' }]
  const left = limitBytes - peakBytes
  return [{ text: `${percentCell(limitPercent)} % of the limit of ${bytesCell(limitBytes)}: ${left <= 0 ? 'nothing was left' : `${bytesCell(left)} were left`}.`, tone: limitPercent >= 95 ? 'urgent' : 'plain' }]
}

function dashboardLine({ isMissed, kubectlTopBytes, peakBytes }: SpikeRow): DetailLine[] {
  if (isMissed === undefined) return [{ text: 'What kubectl top showed is not known: no memory.stat was read.', tone: 'quiet' }]
  const shown = kubectlTopBytes === undefined ? '' : `: at most ${bytesCell(kubectlTopBytes)} of ${bytesCell(peakBytes)}`
  return [{ text: isMissed ? `kubectl top showed nothing of it (computed)${shown}.` : `kubectl top showed it (computed)${shown}.`, tone: isMissed ? 'differs' : 'quiet' }]
}

/** Most important first. */
export function spikeSentences(row: SpikeRow): DetailLine[] {
  const { baseBytes, peakBytes, heightBytes, exactness, stallMs } = row
  const lines: DetailLine[] = [{ text: `${row.place} rose from ${bytesCell(baseBytes)} to ${bytesCell(peakBytes)} (+${bytesCell(heightBytes)}) and ${ENDS[row.spike.ended]}, within ${lengthText(row).replace('<', 'less than ')}.`, tone: 'strong' }]
  lines.push(...limitLine(row), ...dashboardLine(row), { text: `The height is known ${HEIGHTS[exactness]}.`, tone: 'quiet' })
  if (stallMs !== undefined) lines.push({ text: stallMs < 0.5 ? 'Nobody waited for reclaim meanwhile.' : `Its tasks waited ${durationCell(stallMs * 1e6)} for reclaim or throttling meanwhile.`, tone: stallMs >= 100 ? 'urgent' : 'quiet' })
  if (row.madeOf !== undefined) lines.push({ text: `It was made of ${row.madeOf}.`, tone: 'quiet' })
  if (row.isTouched) lines.push({ text: 'Facts were lost while it lasted: it may have been higher, or been several.', tone: 'differs' })
  if (isTimeVague(row)) lines.push({ text: 'Only the second is known in which it was.', tone: 'quiet' })
  return lines
}
