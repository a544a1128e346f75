/** A recording as the bridge writes it of memcgs that spike: frames of a second, a keyframe each ten, a row of the node each second. */
import type { Event, EventOf } from '../../src/event/event.ts'
import { encodeFrames, schemaEvents } from '../../src/wire/encode.ts'
import { FLAG } from '../../src/wire/frame.ts'
import { clock, hello, START_NS } from './stream.ts'
import { MIB, rowsOf, statRow, usageRow } from './usage-signal.ts'
import type { Means, Step } from './usage-signal.ts'

export type Bump = { readonly second: number; readonly ms: number; readonly mib: number }
export type Spiky = {
  readonly memcgId: number
  readonly path: string
  readonly baseMib: number
  readonly maxMib?: number
  readonly inactiveFileMib?: number
  readonly means?: Means
  readonly bumps: readonly Bump[]
}

export const nsAt = (second: number): number => START_NS + second * 1e9

const stepsOf = ({ baseMib, bumps }: Spiky): Step[] => [
  { tsNs: 0, bytes: baseMib * MIB },
  ...bumps.flatMap(({ second, ms, mib }) => [{ tsNs: nsAt(second), bytes: (baseMib + mib) * MIB }, { tsNs: nsAt(second) + ms * 1e6, bytes: baseMib * MIB }]),
]

const limitsRow = (tsNs: number, { memcgId, maxMib }: Spiky): Event => ({ kind: 'memcg_limits', tsNs, memcgId, maxBytes: maxMib === undefined ? undefined : maxMib * MIB }) as Event

/** What a keyframe repeats of one memcg. */
const stateOf = (tsNs: number, memcg: Spiky, last: EventOf<'memcg_usage'>): Event[] => [
  { kind: 'memcg_birth', tsNs, memcgId: memcg.memcgId, parentId: 1, path: memcg.path, by: 'keyframe' }, limitsRow(tsNs, memcg), usageRow({ ...last, tsNs, windowPeakBytes: undefined, windowNs: undefined }),
  statRow(tsNs, memcg.memcgId, { anonBytes: (memcg.baseMib - (memcg.inactiveFileMib ?? 0)) * MIB, fileBytes: (memcg.inactiveFileMib ?? 0) * MIB, inactiveFileBytes: (memcg.inactiveFileMib ?? 0) * MIB, shmemBytes: 0, kernelBytes: 0 }),
]

/** Looks are 100 ms apart. `extra`: rows added to the second with this number. */
export function spikyFrames(memcgs: readonly Spiky[], seconds: number, extra: Readonly<Record<number, readonly Event[]>> = {}): Buffer[] {
  const looks = Array.from({ length: seconds * 10 }, (_, i) => START_NS + 5e7 + i * 1e8), rows = memcgs.map((memcg) => rowsOf(stepsOf(memcg), looks, { memcgId: memcg.memcgId, means: memcg.means ?? 'window' }))
  const lastBefore = (i: number, tsNs: number): EventOf<'memcg_usage'> => rows[i]?.findLast((row) => row.tsNs < tsNs) ?? (rows[i]?.[0] as EventOf<'memcg_usage'>)
  return Array.from({ length: seconds }, (_, second) => {
    const tsNs = nsAt(second), isKeyframe = second % 10 === 0, head: Event[] = second === 0 ? [hello(), ...schemaEvents(START_NS)] : []
    const state: Event[] = isKeyframe ? [clock(tsNs), { kind: 'memcg_birth', tsNs, memcgId: 1, parentId: 0, path: '/', by: 'keyframe' }, ...memcgs.flatMap((memcg, i) => stateOf(tsNs, memcg, lastBefore(i, tsNs)))] : []
    const samples = rows.flatMap((list) => list.filter((row) => row.tsNs >= tsNs && row.tsNs < tsNs + 1e9)).sort((a, b) => a.tsNs - b.tsNs)
    const node: Event = { kind: 'node_psi', tsNs, someAvg10Centi: 0, someTotalUs: 0, fullAvg10Centi: 0, fullTotalUs: 0 }
    return encodeFrames([...head, ...state, node, ...samples, ...(extra[second] ?? [])], isKeyframe ? FLAG.keyframe | (second === 0 ? FLAG.hello : 0) : 0)
  }).flat()
}
