/** Learns names of pods and containers while watching: looks every few seconds, beside the stream, and tells only what is new. */
import type { EventOf } from '../event/event.ts'
import { readPodLogs } from '../identity/pod-logs.ts'
import type { LearnedName, PodLogs } from '../identity/pod-logs.ts'
import { Decoder } from '../wire/decode.ts'
import { encodeFrames } from '../wire/encode.ts'
import { FLAG, FrameReader } from '../wire/frame.ts'
import type { Item } from '../source/source.ts'

/** A pod that lives shorter than this and dies keeps its uid as its name. */
const PERIOD_MS = 3000
/** Told names remembered: more than a node can hold in weeks; beyond it a name is told twice. */
const MAX_TOLD = 50_000

export class NamePoll {
  private readonly read: () => Promise<PodLogs>
  private readonly now: () => number
  private readonly told = new Map<string, string>()
  private found: readonly LearnedName[] = []
  private dueMs = 0
  private isReading = false

  constructor(read: () => Promise<PodLogs> = readPodLogs, now: () => number = () => performance.now()) {
    this.read = read
    this.now = now
  }

  /** Frames with the names learned since the last call, dated `tsNs`; starts another look when it is time. Never waits. */
  items(tsNs: number): Item[] {
    if (!this.isReading && this.now() >= this.dueMs) void this.look()
    const fresh = this.found.filter((name) => this.isNew(name))
    this.found = []
    if (fresh.length === 0) return []
    const rows = fresh.map(({ podUid, containerId, namespace, pod, container }): EventOf<'workload'> => ({ kind: 'workload', tsNs, from: 'pod-logs', podUid, containerId, namespace, pod, container }))
    return encodeFrames(rows, FLAG.names).flatMap((bytes) => new FrameReader().push(bytes)).map((frame) => ({ frame, events: new Decoder().decode(frame) }))
  }

  private async look(): Promise<void> {
    this.isReading = true
    this.dueMs = this.now() + PERIOD_MS
    this.found = (await this.read()).names
    this.isReading = false
  }

  private isNew(name: LearnedName): boolean {
    const key = `${name.podUid ?? ''} ${name.containerId ?? ''}`, value = `${name.namespace} ${name.pod} ${name.container ?? ''}`
    if (this.told.get(key) === value) return false
    if (this.told.size >= MAX_TOLD) this.told.clear()
    this.told.set(key, value)
    return true
  }
}
