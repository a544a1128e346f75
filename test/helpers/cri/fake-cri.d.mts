export type FakeContainer = { id: string; name: string; state?: 'created' | 'running' | 'exited' | 'unknown'; limitBytes?: number; oomScoreAdj?: number; exitCode?: number; reason?: string; message?: string; startedMs?: number; finishedMs?: number; attempt?: number; image?: string; info?: string; annotations?: Record<string, string> }
export type FakePod = { uid: string; name: string; namespace: string; sandboxId: string; labels?: Record<string, string>; annotations?: Record<string, string>; containers: FakeContainer[] }
export class FakeCri {
  constructor(path: string)
  readonly path: string
  readonly pods: Map<string, FakePod>
  readonly faults: Map<string, string>
  readonly calls: string[]
  readonly streams: Set<{ write(bytes: Buffer): void; close(): void }>
  readonly sessions: Set<unknown>
  hasEvents: boolean
  delayMs: number
  listen(): Promise<this>
  close(): Promise<void>
  add(pod: FakePod): this
  tell(pod: FakePod, containerId: string, type: 0 | 1 | 2 | 3): void
}
export function idOf(kind: string, number: number): string
export function uidOf(number: number): string
export function podOf(number: number, containers: number): FakePod
