/** 101 spikes in 7 memcgs while they are recorded, with what the kernel's own files say of each, and what a look each 15 s sees of them. */
import { readFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { escaped } from './cgroup.ts'
import type { Memcg } from './cgroup.ts'
import type { Lab } from './lab.ts'

export const MEMCGS = 7, SPIKES = 101
const LOOK_MS = 15_000

/** One spike, as its own process measured it. */
export type TrueSpike = {
  readonly path: string
  readonly beforeBytes: number; readonly touchedBytes: number
  /** memory.current while it was held. */
  readonly topBytes: number
  /** The kernel's highest usage: of the spike itself (`exact`, own descriptor of memory.peak), else the high-water mark; 0 = there is none. */
  readonly peakBytes: number; readonly isExact: boolean
  readonly markBeforeBytes: number; readonly markAfterBytes: number
  /** CLOCK_MONOTONIC. */
  readonly startNs: number; readonly endNs: number
}

/** One look of the kubelet's kind: usage minus inactive file. */
export type Look = { readonly path: string; readonly tsNs: number; readonly workingSetBytes: number }
export type SpikeRun = { readonly spikes: readonly TrueSpike[]; readonly looks: readonly Look[] }

function readSpikes(path: string, file: string): TrueSpike[] {
  return readFileSync(file, 'utf8').trim().split('\n').map((line) => {
    const [before = 0, touched = 0, top = 0, peak = 0, exact = 0, markBefore = 0, markAfter = 0, start = 0, end = 0] = line.split(' ').map(Number)
    return { path, beforeBytes: before, touchedBytes: touched, topBytes: top, peakBytes: peak, isExact: exact === 1, markBeforeBytes: markBefore, markAfterBytes: markAfter, startNs: start, endNs: end }
  })
}

const nowNs = (): number => Number(process.hrtime.bigint())

function lookAt(group: Memcg, isV1: boolean): Look {
  const current = group.number(isV1 ? 'memory.usage_in_bytes' : 'memory.current'), inactive = group.stat(isV1 ? 'total_inactive_file' : 'inactive_file') ?? 0
  return { path: group.path, tsNs: nowNs(), workingSetBytes: Math.max(0, current - inactive) }
}

/** The spikers run at the same time; their seeds and counts are fixed, their times are not. */
export async function runSpikes(lab: Lab, scratch: string): Promise<SpikeRun> {
  const isV1 = lab.options.mount.version === 'v1', looks: Look[] = []
  if (lab.options.root !== '') lab.memcg('')
  const spikers = Array.from({ length: MEMCGS }, (_, i) => {
    const group = lab.memcg(`/spikes-${i}`), count = Math.floor(SPIKES / MEMCGS) + (i < SPIKES % MEMCGS ? 1 : 0), out = `${scratch}/spikes-${i}.txt`
    return { group, out, workload: lab.start('spiker', [escaped(group.directory), String(i + 1), String(count), out]) }
  })
  for (const { workload } of spikers) await workload.says('ready')
  for (const { workload } of spikers) workload.tell('g')
  const ended = new AbortController(), done = Promise.all(spikers.map(({ workload }) => workload.says('done'))).finally(() => ended.abort())
  while (!ended.signal.aborted) {
    for (const { group } of spikers) looks.push(lookAt(group, isV1))
    await wait(LOOK_MS, undefined, { signal: ended.signal }).catch(() => undefined)
  }
  await done
  return { looks, spikes: spikers.flatMap(({ group, out }) => readSpikes(group.path, out)) }
}

/** The spikes that a look fell into, and that showed at least half of their height. */
export const caughtBy = ({ spikes, looks }: SpikeRun): TrueSpike[] =>
  spikes.filter((spike) => looks.some((look) => look.path === spike.path && look.tsNs >= spike.startNs && look.tsNs <= spike.endNs && look.workingSetBytes >= spike.beforeBytes + spike.touchedBytes / 2))
