/** A synthetic stream as the bridge writes it: hello and schema, a keyframe every ten seconds, usage rows between; and one event of every kind. */
import type { Event, EventOf } from '../../src/event/event.ts'
import { FORMAT_VERSION, KINDS } from '../../src/event/kinds.ts'
import type { FieldType, KindName } from '../../src/event/kinds.ts'
import { encodeFrames, schemaEvents } from '../../src/wire/encode.ts'
import { FLAG } from '../../src/wire/frame.ts'

export const START_NS = 507_000_000_000
export const WALL_MS = Date.UTC(2026, 10, 20, 12, 0, 0)
export const KEYFRAME_SECONDS = 10

export const hello = (tsNs = START_NS, changes: Partial<EventOf<'hello'>> = {}): EventOf<'hello'> => ({
  kind: 'hello', tsNs, formatVersion: FORMAT_VERSION, bridgeVersion: '0.1.0', wallMs: WALL_MS + (tsNs - START_NS) / 1e6, bootNs: tsNs, bootId: 'b0071d', kernelRelease: '6.12.0', machine: 'x86_64',
  hostname: 'node-a', pageSizeBytes: 4096, cpus: 2, memTotalBytes: 8 * 2 ** 30, swapTotalBytes: 0, memcgVersion: 'v2', memcgRoot: '/sys/fs/cgroup', samplePeriodNs: 1e8, stallNs: 1e7, ...changes,
})

export const clock = (tsNs: number): EventOf<'clock'> => ({ kind: 'clock', tsNs, wallMs: WALL_MS + (tsNs - START_NS) / 1e6, bootNs: tsNs })

export const usage = (tsNs: number, memcgId: number, currentBytes: number): EventOf<'memcg_usage'> => ({ kind: 'memcg_usage', tsNs, memcgId, currentBytes, peakBytes: currentBytes, swapBytes: undefined, windowPeakBytes: undefined, windowNs: undefined, swapPeakBytes: undefined, memswPeakBytes: undefined, swapWindowPeakBytes: undefined, swapWindowNs: undefined })

export const birth = (tsNs: number, memcgId: number, by = 'keyframe'): EventOf<'memcg_birth'> => ({ kind: 'memcg_birth', tsNs, memcgId, parentId: memcgId === 1 ? 0 : 1, path: memcgId === 1 ? '/' : `/group-${memcgId}`, by })

const state = (tsNs: number, memcgs: number): Event[] =>
  [clock(tsNs), ...Array.from({ length: memcgs }, (_, i) => [birth(tsNs, i + 1), usage(tsNs, i + 1, 4096 * (i + 1))]).flat()]

export type StreamShape = { readonly seconds: number; readonly memcgs?: number; readonly startNs?: number; /** Rows added to the second with this number. */ readonly extra?: Readonly<Record<number, readonly Event[]>> }

/** The frames of a stream: one a second, each beginning on a whole second after `startNs`. */
export function streamFrames({ seconds, memcgs = 3, startNs = START_NS, extra = {} }: StreamShape): Buffer[] {
  const frames = encodeFrames([hello(startNs), ...schemaEvents(startNs), ...state(startNs, memcgs)], FLAG.hello | FLAG.keyframe)
  for (let second = 1; second <= seconds; second += 1) {
    const tsNs = startNs + second * 1e9
    const rows: Event[] = second % KEYFRAME_SECONDS === 0 ? state(tsNs, memcgs) : Array.from({ length: memcgs }, (_, i) => usage(tsNs + i, i + 1, second * 4096))
    frames.push(...encodeFrames([...rows, ...(extra[second] ?? [])], second % KEYFRAME_SECONDS === 0 ? FLAG.keyframe : 0))
  }
  return frames
}

const SAMPLE: Readonly<Record<FieldType, unknown>> = { u: 5_000_000_017, i: -17, s: 'tärt', b: true, a: [0, 3, 5_000_000_001], 'u?': 23, 'i?': -1000, 's?': 'x', 'b?': false, 'a?': [1] }

/** An event of the kind with every field filled (`full`) or only the required ones. */
export function sampleOf(kind: KindName, full = true): Event {
  const fields = Object.entries(KINDS[kind].fields).map(([name, type]) => [name, full || !type.endsWith('?') ? SAMPLE[type] : undefined])
  return { kind, tsNs: START_NS + 239, ...Object.fromEntries(fields) } as Event
}

/** A seeded generator (mulberry32): the same numbers on every machine. */
export function seeded(seed: number): () => number {
  let state32 = seed >>> 0
  return () => {
    state32 = (state32 + 0x6d2b79f5) >>> 0
    let t = Math.imul(state32 ^ (state32 >>> 15), 1 | state32)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}
