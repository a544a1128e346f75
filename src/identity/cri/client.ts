/** The questions to one runtime, typed: each resolves with what was read, or with a reason why not; none throws, none waits for ever. */
import { GRPC, GrpcConnection, type Answer } from './grpc.ts'
import { readContainerStatus, readContainers, readEvent, readSandboxes, readSandboxStatus, readVersion, REQUESTS } from './messages.ts'
import type { Container, ContainerEvent, Listing, Sandbox, Status, Version } from './messages.ts'
import { MalformedMessage, MessageReader } from './protobuf.ts'

/** `missing`: the runtime answered, and does not know it. `refused`: it answered, and does not do that. `silent`: everything else. */
export type Outcome<T> = { readonly value: T } | { readonly value?: undefined; readonly why: 'missing' | 'refused' | 'silent'; readonly reason: string }

export type Limits = { readonly callMs: number; readonly listMs: number; readonly maxListBytes: number }

export type EventListener = { readonly isWanted: (containerId: string, type: number) => boolean; readonly onEvent: (event: ContainerEvent) => void; /** Accepted. */ readonly onOpen: () => void }

/** gRPC's own bound is 16 MiB for the kubelet; a node's list of a thousand containers is 2 MiB. A status is some KiB. */
export const LIMITS: Limits = { callMs: 2000, listMs: 5000, maxListBytes: 32 * 2 ** 20 }
const MAX_STATUS_BYTES = 4 * 2 ** 20

export class CriClient {
  private readonly connection: GrpcConnection
  private readonly limits: Limits

  constructor(socketPath: string, limits: Limits = LIMITS) {
    this.connection = new GrpcConnection(socketPath)
    this.limits = limits
  }

  get fault(): string | undefined { return this.connection.fault }
  set onEnd(listener: () => void) { this.connection.onEnd = listener }
  close(): void { this.connection.close() }

  version(): Promise<Outcome<Version>> { return this.call('Version', REQUESTS.version(), readVersion) }

  async containerStatus(id: string): Promise<Outcome<Status>> {
    return found(await this.call('ContainerStatus', REQUESTS.containerStatus(id), readContainerStatus))
  }

  async sandboxStatus(id: string): Promise<Outcome<Sandbox>> {
    return found(await this.call('PodSandboxStatus', REQUESTS.sandboxStatus(id), readSandboxStatus))
  }

  /** All; those that are known by their ids only. */
  containers(isKnown: (id: string) => boolean): Promise<Outcome<Listing<Container>>> {
    return this.list('ListContainers', REQUESTS.list(), (reader) => readContainers(reader, isKnown))
  }

  sandboxes(isKnown: (id: string) => boolean): Promise<Outcome<Listing<Sandbox>>> {
    return this.list('ListPodSandbox', REQUESTS.list(), (reader) => readSandboxes(reader, isKnown))
  }

  async sandboxesOf(podUid: string): Promise<readonly Sandbox[]> {
    const listing = await this.list('ListPodSandbox', REQUESTS.sandboxesOfPod(podUid), (reader) => readSandboxes(reader, () => false))
    return listing.value?.unknown ?? []
  }

  /** Follows the runtime's events; resolves with why they ended. */
  async events({ isWanted, onEvent, onOpen }: EventListener): Promise<Outcome<never>> {
    let malformed: string | undefined
    const answer = await this.connection.stream('GetContainerEvents', Buffer.alloc(0), { maxBytes: MAX_STATUS_BYTES, onOpen, onMessage: (message) => {
      const event = decoded(message, (reader) => readEvent(reader, isWanted))
      if (event.value === undefined) malformed = event.reason
      else onEvent(event.value)
    } })
    return answer.status === GRPC.ok ? { why: 'silent', reason: malformed ?? 'the stream of events ended' } : refusal(answer)
  }

  private async list<T>(call: 'ListContainers' | 'ListPodSandbox', request: Buffer, read: (reader: MessageReader) => T): Promise<Outcome<T>> {
    const answer = await this.connection.unary(call, request, { timeoutMs: this.limits.listMs, maxBytes: this.limits.maxListBytes })
    return answer.body === undefined ? refusal(answer) : decoded(answer.body, read)
  }

  private async call<T>(call: 'Version' | 'ContainerStatus' | 'PodSandboxStatus', request: Buffer, read: (reader: MessageReader) => T): Promise<Outcome<T>> {
    const answer = await this.connection.unary(call, request, { timeoutMs: this.limits.callMs, maxBytes: MAX_STATUS_BYTES })
    return answer.body === undefined ? refusal(answer) : decoded(answer.body, read)
  }
}

function decoded<T>(message: Buffer, read: (reader: MessageReader) => T): Outcome<T> {
  try {
    return { value: read(new MessageReader(message)) }
  } catch (error) {
    if (!(error instanceof MalformedMessage)) throw error
    return { why: 'silent', reason: `an answer that is not understood: ${error.message}` }
  }
}

const found = <T>(outcome: Outcome<T | undefined>): Outcome<T> => (!('why' in outcome) ? outcome.value === undefined ? { why: 'missing', reason: 'an empty answer' } : { value: outcome.value } : outcome)

/** containerd says "unknown service" while its CRI plugin starts, too: the caller tries again, seldom. */
function refusal(answer: Answer): { readonly value?: undefined; readonly why: 'missing' | 'refused' | 'silent'; readonly reason: string } {
  const reason = 'reason' in answer ? answer.reason : ''
  return { why: answer.status === GRPC.notFound ? 'missing' : answer.status === GRPC.unimplemented ? 'refused' : 'silent', reason }
}
