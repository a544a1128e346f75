/** Container runtimes that speak CRI as one source of names: every known socket is tried, those that answer are followed. */
import type { NameFact, NameQuestion, NameSource, SourceHealth, SourceState } from '../name-source.ts'
import { FactBook } from '../fact-book.ts'
import { RuntimeWatch, type WatchOptions } from './watch.ts'

/** Where runtimes listen: containerd, CRI-O, cri-dockerd, k3s and RKE2, k0s, microk8s (identity-facts: their own defaults). */
const CRI_SOCKETS = [
  '/run/containerd/containerd.sock', '/run/crio/crio.sock', '/run/cri-dockerd.sock', '/run/k3s/containerd/containerd.sock',
  '/run/k0s/containerd.sock', '/var/snap/microk8s/common/run/containerd.sock',
] as const

const ORDER: readonly SourceState[] = ['answering', 'failing', 'starting', 'closed', 'absent']

export class CriSource implements NameSource {
  readonly name = 'cri'
  readonly settled: Promise<void>
  private readonly watches: readonly { readonly watch: RuntimeWatch; readonly book: FactBook }[]
  private readonly isNamed: boolean

  /** `socket`: this one and no other, because somebody said so. */
  constructor(socket?: string, options: WatchOptions & { readonly places?: readonly string[] } = {}) {
    this.isNamed = socket !== undefined
    this.watches = (socket === undefined ? options.places ?? CRI_SOCKETS : [socket]).map((path) => {
      const book = new FactBook()
      return { book, watch: new RuntimeWatch(path, book, options) }
    })
    this.settled = Promise.all(this.watches.map(({ watch }) => watch.settled)).then(() => undefined)
  }

  /** The best of them; what is said about each that is there. */
  get health(): SourceHealth {
    const all = this.watches.map(({ watch }) => watch.health), best = ORDER.flatMap((state) => all.filter((health) => health.state === state))[0] ?? { state: 'absent' }
    if (best.state === 'absent' && this.isNamed) return { state: 'failing', reason: best.reason ?? `${this.watches[0]?.watch.path ?? ''}: there is no such socket` }
    const details = all.flatMap(({ state, detail }) => (state === 'answering' && detail !== undefined ? [detail] : [])), reasons = all.flatMap(({ reason }) => (reason === undefined ? [] : [reason]))
    return { ...best, ...(details.length === 0 ? {} : { detail: details.join(', ') }), ...(reasons.length === 0 ? {} : { reason: reasons.join('; ') }) }
  }

  start(): void { for (const { watch } of this.watches) watch.start() }
  take(): readonly NameFact[] { return this.watches.flatMap(({ book }) => book.take()) }
  ask(question: NameQuestion): void { for (const { watch } of this.watches) if (this.isNamed || watch.isKnown) watch.ask(question) }
  close(): void { for (const { watch } of this.watches) watch.close() }
}
