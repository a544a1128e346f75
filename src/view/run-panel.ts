/** What stands beside the command of `run` while it runs: its memory now, against its limit, and what kubectl top would show. */
import { formatBytes } from '../base/bytes.ts'
import { plural } from '../base/text.ts'
import { formatDuration } from '../base/time.ts'
import type { KillCase } from '../model/case.ts'
import { kubectlTopOf } from '../model/kubectl-top.ts'
import type { NodeModel } from '../model/node.ts'
import type { RunWatch } from '../model/run-watch.ts'
import { limitOver } from '../model/spike.ts'
import type { DetailLine } from './detail.ts'
import { spanOf, usageChart } from './pod-page.ts'
import type { Chart } from './pod-page.ts'
import { killsIn } from './run-summary.ts'
import { toldSpikes } from './spike-facts.ts'
import { countedKinds } from './stalls.ts'
import { largest, series } from './window.ts'

export type PanelLine = { readonly label: string; readonly text: string; readonly tone: DetailLine['tone'] }
export type RunPanel = { /** Share of the limit, 0..1; absent without one. */ readonly share: number | undefined; readonly lines: readonly PanelLine[]; /** Absent before the first look. */ readonly chart: Chart | undefined }

const NEAR = 0.9

const line = (label: string, text: string, tone: DetailLine['tone'] = 'plain'): PanelLine => ({ label, text, tone })

export function runPanel(model: NodeModel, { watch, path, cases }: { readonly watch: RunWatch; readonly path: string; readonly cases: readonly KillCase[] }): RunPanel {
  const memcg = model.memcgs.get(watch.memcgId), usage = memcg?.usage
  if (memcg === undefined || usage === undefined) return { share: undefined, lines: [line('memory', 'not looked at yet', 'quiet')], chart: undefined }
  const limit = limitOver(model, memcg), share = limit === undefined ? undefined : usage.currentBytes / limit.bytes, top = kubectlTopOf(memcg, model.nowNs)
  const second = { lastSecond: Math.floor(model.nowNs / 1e9) - 1, seconds: 1 }, stallNs = largest(series(memcg.history, 'stallNs', second)) ?? (countedKinds(model).some(Boolean) ? 0 : undefined), someUs = largest(series(memcg.history, 'someUs', second))
  const kills = killsIn(cases, path), spikes = toldSpikes(model).filter((spike) => spike.path === path || spike.path.startsWith(`${path}/`)).length
  return {
    share, chart: usageChart(memcg, spanOf(model, memcg), { maxBytes: limit?.bytes, highBytes: memcg.limits?.highBytes }),
    lines: [
      line('used', `${formatBytes(usage.currentBytes)}${limit === undefined || share === undefined ? ', no limit' : ` of ${formatBytes(limit.bytes)}, ${Math.round(100 * share)} %`}`, share !== undefined && share >= NEAR ? 'urgent' : 'strong'),
      line('peak', formatBytes(usage.peakBytes === undefined ? watch.highestBytes : Math.max(usage.peakBytes, watch.highestBytes))),
      line('kubectl top', top === undefined ? 'nothing yet' : `~${formatBytes(top)}`, 'quiet'),
      line('near limit', watch.over90Ns > 0 ? `${formatDuration(watch.over90Ns)} over 90 %` : 'never over 90 %'),
      line('waiting', `${stallNs === undefined ? 'not known' : `${Math.round(stallNs / 1e6)} ms/s`}${someUs === undefined ? '' : ` · PSI some ${(someUs / 1e4).toFixed(1)} %`}`, (stallNs ?? 0) > 1e8 ? 'urgent' : 'plain'),
      line('kills', kills.length === 0 ? 'none' : plural(kills.length, 'kill'), kills.length === 0 ? 'plain' : 'urgent'),
      line('spikes', String(spikes)),
    ],
  }
}
