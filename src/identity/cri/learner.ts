/** What a runtime's answers and events mean for the book of facts and for the open questions. No connection here. */
import type { Asks } from '../asks.ts'
import { containerFact, sandboxFacts, statusFact } from './facts.ts'
import type { FactBook } from '../fact-book.ts'
import type { Container, ContainerEvent, Listing, Sandbox, Status } from './messages.ts'

const CREATED = 0, STARTED = 1, STOPPED = 2
/** The word that needs no second look. */
const OOM = 'OOMKilled'

export class Learner {
  /** Name and version of who answers; '' = nobody has yet. */
  runtime = ''
  private readonly book: FactBook
  private readonly asks: Asks

  constructor(book: FactBook, asks: Asks) {
    this.book = book
    this.asks = asks
  }

  knows(key: `container:${string}` | `pod:${string}`): boolean { return this.book.has(key) }

  /** Said to have ended for memory: there is nothing more to ask. */
  isOver(containerId: string): boolean {
    const status = this.book.get(`status:${containerId}`)
    return status?.kind === 'container_status' && status.state === 'exited' && status.reason === OOM
  }

  /** For lists, which name everything again and again. */
  isKnown = (id: string): boolean => this.knows(`container:${id}`)

  /** A complete list: returns the living containers whose limits are not known yet. */
  list(sandboxes: Listing<Sandbox>, containers: Listing<Container>): string[] {
    for (const sandbox of sandboxes.unknown) this.sandbox(sandbox)
    for (const container of containers.unknown) this.container(container)
    const listed = new Set([...sandboxes.ids, ...containers.ids])
    this.book.keepOnly((id) => listed.has(id))
    for (const id of containers.ids) this.asks.named(id)
    return containers.unknown.filter(({ state }) => state === 'running' || state === 'created').map(({ id }) => id)
  }

  sandbox(sandbox: Sandbox): void {
    for (const fact of sandboxFacts(sandbox, this.runtime)) this.book.learn(fact)
    this.asks.named(sandbox.id)
  }

  container(container: Container | Status): void {
    const fact = containerFact(container, this.runtime)
    if (fact !== undefined) this.book.learn(fact)
    this.asks.named(container.id)
  }

  /** How it stands; true when nothing more is to be asked. Why it ended may come after that it did: containerd learns of the OOM beside the exit. */
  status(status: Status): boolean {
    const fact = statusFact(status)
    if (fact !== undefined) this.book.learn(fact)
    if (status.state !== 'exited') return false
    if (status.reason === OOM) this.asks.done(status.id)
    else this.asks.become(status.id, 'exited')
    return status.reason === OOM
  }

  /** Most of an event is about the other containers of the pod; a start says little that its creation did not. */
  isWanted = (containerId: string, type: number): boolean => type === CREATED || type === STOPPED || (type === STARTED && !this.knows(`container:${containerId}`))

  event({ containerId, type, sandbox, statuses }: ContainerEvent): void {
    if (sandbox !== undefined && (sandbox.id === containerId || !this.knows(`pod:${sandbox.pod.uid}`))) this.sandbox(sandbox)
    const status = statuses.find(({ id }) => id === containerId)
    if (status === undefined) return
    this.container(status)
    if (type === STOPPED) this.status(status)
  }
}
