/**
 * A source of names: a runtime's socket, a directory, an API. Each runs beside the stream, may hang, lie or be absent, and never makes
 * anybody wait: what it learned is taken when there is time. Everything it says is text of strangers: bounded here, made printable by views.
 */
import type { EventOf } from '../event/event.ts'

type Said<K extends 'workload' | 'container_status', Key extends keyof EventOf<K> = 'kind'> =
  { readonly kind: K } & Pick<EventOf<K>, Key> & Partial<Omit<EventOf<K>, 'kind' | 'tsNs' | 'from' | Key>>

/** A row without its time and its teller: who takes the facts adds `tsNs`, and `from` = the source's name. */
export type NameFact = Said<'workload'> | Said<'container_status', 'containerId' | 'state'>

/**
 * `starting`: nothing is known yet. `absent`: there is no such thing on this node, which is no fault. `answering`, `failing` (it was
 * there or should be, and does not answer; it is tried again), `closed`.
 */
export type SourceState = 'starting' | 'absent' | 'answering' | 'failing' | 'closed'

/** For `doctor` and the status of a live screen. */
export type SourceHealth = {
  readonly state: SourceState
  /** Who answers, in words a person can use: "containerd 1.6.20 at /run/containerd/containerd.sock". */
  readonly detail?: string | undefined
  /** Why it does not answer, or what part of it does not. */
  readonly reason?: string | undefined
  /** Time of the last good answer, CLOCK_MONOTONIC ns (as `performance.now() * 1e6`: since the process began). */
  readonly lastAnswerNs?: number | undefined
}

/** A memcg was born of which no name is known, somebody in it was killed, or its limit is not what was declared: worth an extra question before the next list. */
export type NameQuestion = { readonly containerId: string; readonly podUid?: string | undefined; readonly why: 'birth' | 'victim' | 'resized' }

/** A systemd unit was started, or somebody in it was killed: its own cgroup. */
export type UnitQuestion = { readonly cgroupPath: string; readonly why: 'birth' | 'victim' }

export interface NameSource {
  /** `from` of its rows: cri, docker, kubelet, kubernetes, systemd, pod-logs. Constant: how much it is believed depends on it. */
  readonly name: string
  readonly health: SourceHealth
  /** Resolves when health has left `starting` for the first time; never rejects. */
  readonly settled: Promise<void>
  /** Begins to look, and goes on until `close`. Never throws. */
  start(): void
  /** What was learned since the last call; the same fact comes again only after it changed. Never waits, never throws. */
  take(): readonly NameFact[]
  /** Asks soon about one container. May be ignored: rate limits are the source's own. */
  ask(question: NameQuestion): void
  /** The same about a systemd unit, for who knows units. */
  askUnit?(question: UnitQuestion): void
  /** Ends every connection and timer. */
  close(): void
}

/** Facts waiting to be taken: beyond this the oldest go (a source that is never asked must not grow). */
export const MAX_WAITING = 20_000
export const MAX_NAME = 253, MAX_TEXT = 512, MAX_LABELS_TEXT = 2048

// What a row's text may not hold at all: labels are joined by newlines, and no name of any source has a control character.
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/g

/** Text of a stranger for a row: no control characters, bounded; empty text is no text. */
export function rowText(text: string | undefined, max = MAX_TEXT): string | undefined {
  if (text === undefined || text === '') return undefined
  return (text.length > max ? text.slice(0, max) : text).replace(CONTROL, '?')
}

/** Labels that say what a workload is, and no others: anybody may put anything, secrets included, into the rest. */
const TOLD_LABEL = /^(?:app|k8s-app|component|tier|release|pod-template-hash|job-name|controller-revision-hash|app\.kubernetes\.io\/[\w.-]+|batch\.kubernetes\.io\/[\w.-]+|apps\.kubernetes\.io\/[\w.-]+|statefulset\.kubernetes\.io\/pod-name|com\.docker\.compose\.(?:project|service)|com\.docker\.swarm\.(?:service|task)\.name)$/

/** The told ones as `key=value` lines, sorted by key; nothing when there are none. */
export function labelText(labels: ReadonlyMap<string, string>): string | undefined {
  const lines = [...labels].filter(([key]) => TOLD_LABEL.test(key)).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([key, value]) => `${key}=${rowText(value, MAX_NAME) ?? ''}`)
  let text = ''
  for (const line of lines) {
    const longer = text === '' ? line : `${text}\n${line}`
    if (longer.length <= MAX_LABELS_TEXT) text = longer
  }
  return text === '' ? undefined : text
}

/** What `labelText` wrote, for a view. */
export const labelsOf = (text: string): ReadonlyMap<string, string> =>
  new Map(text.split('\n').flatMap((line) => { const at = line.indexOf('='); return at <= 0 ? [] : [[line.slice(0, at), line.slice(at + 1)] as const] }))
