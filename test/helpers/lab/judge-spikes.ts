/** Compares what `spikes` tells with what each spike's own process measured: one for one, and no more exact than it says. */
import { expect } from 'vitest'
import { rowsOf } from './recording-rows.ts'
import { spikesOf } from './recorder.ts'
import type { SpikeJson } from './recorder.ts'
import { caughtBy } from './spikes.ts'
import type { SpikeRun, TrueSpike } from './spikes.ts'

/** A CPU charges MEMCG_CHARGE_BATCH pages in advance; page tables and the file that is mapped are the rest. */
const OVERHEAD_BYTES = 2 ** 20
const BATCHES_BYTES = 2 * 64 * 4096

/**
 * `told`: what is told of this spike. `within`: told of another one between the same two looks, which therefore must have been late. `higher`: told of a higher one so soon
 * after it that by marks alone the two cannot be told from one that was read while it rose.
 */
export type Pair = { readonly truth: TrueSpike; readonly told: readonly SpikeJson[]; readonly within: SpikeJson | undefined; readonly higher: SpikeJson | undefined }
export type Judged = { readonly pairs: readonly Pair[]; readonly strangers: readonly SpikeJson[]; readonly all: readonly SpikeJson[] }

/** Looks are a second apart where nothing moves, and spikes of one memcg more than that. */
const LATE_MS = 1500
/** Two looks of a quiet memcg, and a busy machine. */
const SOON_NS = 3e9

/**
 * The kernel's number of one spike: the exact peak, or, where the sampler's own reset fell into it and took it away from the spiker's descriptor
 * (peak_write() sets both to the usage of that moment), the usage read at the top.
 */
const heightOf = ({ peakBytes, topBytes, isExact }: TrueSpike): number => (isExact ? Math.max(peakBytes, topBytes) : topBytes)

/** Pairs by place and time, as a told spike says between which moments it was; of several that it may be, the one as high. */
export async function paired(cli: string, file: string, run: SpikeRun): Promise<Judged> {
  const { spikes } = await spikesOf(cli, file), rows = await rowsOf(file), clock = rows.of('clock')[0], offsetNs = clock === undefined ? 0 : clock.bootNs - clock.tsNs
  const ours = new Set(run.spikes.map(({ path }) => path)), all = spikes.filter(({ path }) => ours.has(path))
  const overlaps = (truth: TrueSpike, told: SpikeJson): boolean => told.path === truth.path && told.bootNs - offsetNs <= truth.endNs && told.bootNs - offsetNs + told.durationMs * 1e6 >= truth.startNs
  const assigned = new Map(all.map((told) => [told, run.spikes.filter((truth) => overlaps(truth, told)).sort((a, b) => Math.abs(heightOf(a) - told.peakBytes) - Math.abs(heightOf(b) - told.peakBytes))[0]] as const))
  const pairs = run.spikes.map((truth) => ({ truth, told: all.filter((told) => assigned.get(told) === truth), within: all.find((told) => told.durationMs > LATE_MS && overlaps(truth, told)),
    higher: all.find((told) => told.path === truth.path && told.peakBytes > heightOf(truth) && told.bootNs - offsetNs + told.durationMs * 1e6 >= truth.startNs && told.bootNs - offsetNs <= truth.endNs + SOON_NS) }))
  return { pairs, strangers: all.filter((told) => assigned.get(told) === undefined), all }
}

/**
 * A spiker that got no CPU on its way: what stood still for a second is a level and no longer a part of the spike (src/model/spike.ts), so that it
 * may rightly be told in pieces. Left out, and few.
 */
const isStretched = ({ startNs, endNs }: TrueSpike): boolean => endNs - startNs > 0.9e9
function unstretched({ pairs }: Judged): readonly Pair[] {
  const kept = pairs.filter(({ truth }) => !isStretched(truth))
  expect(kept.length).toBeGreaterThanOrEqual((pairs.length * 3) / 4)
  return kept
}

/** The lab did what it meant: the kernel's number is what was touched, within the spiker's own overhead. */
export function expectSoundSpikes({ spikes }: SpikeRun): void {
  for (const { beforeBytes, topBytes, touchedBytes, startNs, endNs } of spikes) {
    expect(Math.abs(topBytes - beforeBytes - touchedBytes)).toBeLessThan(OVERHEAD_BYTES)
    expect(endNs - startNs).toBeGreaterThanOrEqual(4.9e6)
  }
}

/**
 * Every spike once, with the very number that the kernel tells the spiker. Returns how many were between the same two late looks as a higher
 * one, of how many the bridge itself says that its window was torn (native/window.c), and of how many the spiker was told less: the sampler's reset fell into them (see heightOf), and a CPU had given back what it
 * had charged in advance before the spiker read. Where so many of them were (on a machine that has something else to do) that little was compared, `doubt` says it.
 */
export function expectAllExact(judged: Judged): { readonly hidden: number; readonly toldLess: number; readonly torn: number; readonly doubt: string | undefined } {
  let hidden = 0, toldLess = 0, torn = 0
  expect(judged.strangers).toEqual([])
  for (const { truth, told, within } of unstretched(judged)) {
    expect(truth.isExact).toBe(true)
    expect(Math.abs(heightOf(truth) - truth.beforeBytes - truth.touchedBytes)).toBeLessThan(OVERHEAD_BYTES)
    if (told.length === 0 && within !== undefined) {
      expect(within.peakBytes, JSON.stringify({ truth, within })).toBeGreaterThanOrEqual(heightOf(truth))
      hidden += 1
      continue
    }
    // The emulator took the CPU from the bridge between reading and resetting: then it says so, and still nothing that is not true.
    if (told.length === 1 && told[0]?.exactness !== 'exact-height') {
      expect(told[0]?.peakBytes, JSON.stringify({ truth, told })).toBeLessThanOrEqual(Math.max(heightOf(truth), truth.markAfterBytes) + BATCHES_BYTES)
      torn += 1
      continue
    }
    expect(told.map(({ exactness, peakExact }) => ({ exactness, peakExact })), JSON.stringify({ truth, told })).toEqual([{ exactness: 'exact-height', peakExact: true }])
    // It stood at the top for sure, and no higher than what was touched and the spiker's own overhead.
    const peakBytes = told[0]?.peakBytes ?? 0
    expect(peakBytes, JSON.stringify({ truth, told })).toBeGreaterThanOrEqual(truth.topBytes)
    expect(peakBytes, JSON.stringify({ truth, told })).toBeLessThanOrEqual(Math.max(heightOf(truth), truth.beforeBytes + truth.touchedBytes + OVERHEAD_BYTES))
    if (peakBytes !== heightOf(truth)) toldLess += 1
  }
  // Two readers of one mark take from each other now and then; nearly always both are told the same number.
  const { length } = judged.pairs, isDoubtful = toldLess > length / 4 || torn > length / 3 || hidden > length / 3
  return { hidden, toldLess, torn, doubt: isDoubtful ? `of ${length} spikes ${torn} fell into a moment in which the bridge had no CPU, ${hidden} between the same late looks as a higher one, and of ${toldLess} the spiker was told less; all that was told of them is true` : undefined }
}

/** What is told is true; what is called exact is the kernel's high-water mark; what is missing could not be known. Returns how many by which means. */
export function expectHonest(judged: Judged): { readonly highWater: number; readonly sampled: number; readonly missing: number } {
  let highWater = 0, sampled = 0, missing = 0
  expect(judged.strangers).toEqual([])
  for (const { truth, told, within, higher } of unstretched(judged)) {
    const [spike] = told, isNewMark = truth.markAfterBytes > truth.markBeforeBytes && truth.markAfterBytes > 0
    expect(told.length, JSON.stringify({ truth, told })).toBeLessThanOrEqual(1)
    if (spike === undefined) {
      // A new mark is always read; when two are new between the same readings, the higher one.
      expect(isNewMark && within === undefined && higher === undefined, JSON.stringify(truth)).toBe(false)
      missing += 1
    } else if (spike.exactness === 'high-water') {
      expect(spike.peakExact).toBe(true)
      expect(spike.peakBytes, JSON.stringify({ truth, spike })).toBe(truth.markAfterBytes)
      expect(isNewMark).toBe(true)
      highWater += 1
    } else {
      expect(spike).toMatchObject({ exactness: 'sampled', peakExact: false })
      expect(spike.peakBytes, JSON.stringify({ truth, spike })).toBeLessThanOrEqual(Math.max(truth.topBytes, truth.beforeBytes + truth.touchedBytes) + OVERHEAD_BYTES + BATCHES_BYTES)
      sampled += 1
    }
  }
  return { highWater, sampled, missing }
}

const range = (values: readonly number[]): string => `${Math.min(...values).toFixed(0)} to ${Math.max(...values).toFixed(0)}`

/** The headline of a run. */
export function headline(where: string, run: SpikeRun, judged: Judged): string {
  const lengths = run.spikes.map(({ startNs, endNs }) => (endNs - startNs) / 1e6), told = judged.pairs.filter(({ told: list }) => list.length > 0).length, exact = judged.all.filter(({ peakExact }) => peakExact).length
  const shown = judged.all.filter(({ missedByKubectlTop }) => missedByKubectlTop === false).length
  return `${where}: ${run.spikes.length} spikes of ${range(lengths)} ms in ${new Set(run.spikes.map(({ path }) => path)).size} memcgs: ${told} told, ${exact} with their exact height; a 15 s working-set sampler saw ${caughtBy(run).length}, oomscope computes ${shown} for kubectl top`
}
