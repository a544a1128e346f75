/** The first rows of every page: how the node is, the one most urgent sentence, and what this picture cannot be trusted with. */
import { plural } from '../base/text.ts'
import { isOomCase } from '../model/case.ts'
import type { KillCase } from '../model/case.ts'
import type { NodeModel } from '../model/node.ts'
import { stallMsPerSec } from '../model/rates.ts'
import { cellText, cutMiddle } from './cell-text.ts'
import { distance, timeOf } from './clock.ts'
import { bytesCell, countCell, percentCell } from './compact.ts'
import type { Lens } from './lens.ts'
import { placeLabel } from './lens.ts'
import type { OverviewRow } from './overview.ts'
import { UNANSWERED, WEIGHTY } from './questions.ts'
import { isOfKill, reasonsOf } from './severity.ts'

export type Part = { readonly long: string; readonly short: string }

export type Status = {
  /** Parts of row 0, most important first, long and short: narrow screens take the short ones and drop from the end. */
  readonly parts: readonly Part[]
  readonly alert?: { readonly name: string; readonly says: string; readonly severity: 1 | 2 }
  /** Said when there is no alert: only as much as is known. */
  readonly calm: string
  readonly lastKill?: string
  /** Losses, failed rungs and a missing tracer, in plain words. */
  readonly doubts: readonly string[]
}

const HOUR_NS = 3600e9

/** Cases in which somebody died within the hour before. */
export const killsLastHour = (cases: readonly KillCase[], nowNs: number): number =>
  cases.reduce((sum, killCase) => sum + (isOomCase(killCase) && killCase.tsNs > nowNs - HOUR_NS && killCase.tsNs <= nowNs ? killCase.victims.length + (killCase.unseenVictims ?? 0) : 0), 0)

function pressureOf(model: NodeModel): Part {
  if (model.psi === undefined) return { long: 'PSI not available', short: 'no PSI' }
  const some = percentCell(model.psi.someAvg10Centi / 100), full = percentCell(model.psi.fullAvg10Centi / 100)
  return { long: `PSI mem some ${some} full ${full}`, short: `PSI ${some}/${full}` }
}

/** Waiting of all tasks on the node, ms a second over the last 5 s; nothing when no probe counts it. */
function stallOf(model: NodeModel): string | undefined {
  let counted = false, ms = 0
  for (const memcg of model.memcgs.values()) {
    if (memcg.counters === undefined) continue
    counted = true
    ms += stallMsPerSec(memcg.history, { nowNs: model.nowNs, seconds: 5 }) ?? 0
  }
  if (!counted) return undefined
  return ms >= 1000 ? `stall ${(ms / 1000).toFixed(1)} s/s` : `stall ${countCell(Math.round(ms))} ms/s`
}

function partsOf(model: NodeModel, cases: readonly KillCase[]): Part[] {
  const same = (text: string): Part => ({ long: text, short: text }), parts = [same(cellText(model.hello?.hostname ?? 'no data yet'))]
  if (model.coversText !== undefined) parts.push(same(`only ${cutMiddle(cellText(model.coversText), 40)}`))
  const { memory } = model
  if (memory !== undefined && memory.totalBytes > 0) {
    const used = `${Math.round(100 * (1 - memory.availableBytes / memory.totalBytes))}%`
    parts.push({ long: `${bytesCell(memory.totalBytes)}, ${used} used`, short: `${used} used` })
  }
  const stall = stallOf(model), kills = killsLastHour(cases, model.nowNs)
  return [...parts, pressureOf(model), same(`OOM kills ${kills}/h`), ...(stall === undefined ? [] : [same(stall)])]
}

/** What is lost, in words a person can weigh. */
export function lossesOf(model: NodeModel): string[] {
  const { health } = model, said: string[] = []
  for (const [where, loss] of health.losses) if (loss.count > 0) said.push(`${countCell(loss.count)} facts lost at ${cellText(where)}${loss.detail === undefined ? '' : ` (${cellText(loss.detail)})`}`)
  if (health.corruptFrames > 0) said.push(`${plural(health.corruptFrames, 'frame')} (${bytesCell(health.corruptBytes)}) unreadable`)
  if (health.badRows > 0) said.push(`${plural(health.badRows, 'row')} not understood`)
  if (health.unknownKinds > 0) said.push(`${plural(health.unknownKinds, 'row')} of kinds newer than this program`)
  return said
}

function rungDoubts(model: NodeModel): string[] {
  const weak = [...model.rungs.values()].filter(({ state }) => state !== 'chosen' && state !== 'proven')
  const said = weak.filter(({ question }) => WEIGHTY.has(question) || UNANSWERED[question] === undefined).map(({ question, state }) => UNANSWERED[question] ?? `${cellText(question).replaceAll('-', ' ')}: ${cellText(state)}`)
  return said.slice(0, 3).concat(said.length > 3 ? [`${said.length - 3} more`] : [])
}

/** A recorder that ends stops its tracer: that one ended as it should. */
const ENDED_WELL = /^exit status 0\b/

export function tracerDoubts(model: NodeModel): string[] {
  const { tracer } = model.health
  if (tracer === undefined || tracer.state === 'ready' || tracer.state === 'starting' || tracer.state === 'restarted') return []
  if (tracer.state === 'exited' && ENDED_WELL.test(tracer.detail ?? '')) return model.nowNs - tracer.tsNs < 1e9 ? [] : [`the probes ended at ${timeOf(model, tracer.tsNs)}`]
  if (tracer.state === 'absent' && tracer.detail !== undefined) return [`no probes: ${cellText(tracer.detail)}`]
  return [`no probes: bpftrace ${cellText(tracer.state)}${tracer.detail === undefined ? '' : ` (${cellText(tracer.detail)})`}`]
}

function doubtsOf(model: NodeModel): string[] {
  const said: string[] = []
  for (const test of model.health.selftests.values()) if (!test.passed) said.push(`self-test ${cellText(test.test)} failed`)
  return [...lossesOf(model), ...tracerDoubts(model), ...rungDoubts(model), ...said]
}

/** PSI of the node below this is rounded to zero in the file. */
const NOBODY_WAITS_CENTI = 1

/** Only what is known is said: without PSI nobody can tell that nobody waits. */
function calmOf(model: NodeModel, rows: readonly OverviewRow[]): string {
  if (rows.length === 0) return model.coversText === undefined ? 'No cgroups seen yet.' : `No cgroup matches ${cellText(model.coversText)} now.`
  return `Nothing is near a limit${model.psi !== undefined && model.psi.someAvg10Centi < NOBODY_WAITS_CENTI ? ', nobody waits for memory' : ''}.`
}

function lastKillOf(lens: Lens, model: NodeModel, cases: readonly KillCase[]): string | undefined {
  const last = cases.findLast((killCase) => isOomCase(killCase) && killCase.victims.length > 0 && killCase.tsNs <= model.nowNs), victim = last?.victims[0]
  if (last === undefined || victim === undefined) return undefined
  const path = victim.path ?? (victim.memcgId === undefined ? undefined : model.memcgs.get(victim.memcgId)?.path)
  const place = path === undefined ? cellText(victim.comm ?? `pid ${victim.pid}`) : placeLabel(lens, model, path)
  return `last kill ${timeOf(model, last.tsNs)} ${place}`
}

/** `rows` are the overview's, most urgent first; `cases` may know kills that this fold began after. */
export function statusOf(lens: Lens, model: NodeModel, { rows, cases = model.cases }: { readonly rows: readonly OverviewRow[]; readonly cases?: readonly KillCase[] }): Status {
  const worst = rows[0], lastKill = lastKillOf(lens, model, cases), reason = worst === undefined ? undefined : reasonsOf(worst)[0]
  return {
    parts: partsOf(model, cases), doubts: doubtsOf(model), calm: calmOf(model, rows),
    ...(lastKill === undefined ? {} : { lastKill }),
    ...(worst === undefined || worst.severity === 0 || reason === undefined ? {} : { alert: { name: isOfKill(reason) ? worst.ownName : worst.name, says: reason, severity: worst.severity } }),
  }
}

/** How far a stopped picture is behind, in words. */
export const behind = (pictureNs: number, nowNs: number): string => `${distance((nowNs - pictureNs) / 1e9)} behind`
