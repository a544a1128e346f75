/** What a kubelet asks of its runtime: makes pods and containers through CRI v1. For tests only; the program itself can name no call that changes anything. */
import { connect, type ClientHttp2Session } from 'node:http2'
import { createConnection } from 'node:net'
import { field, grpcFrame, map, message, textAt } from './encode.ts'

export type PodSpec = { readonly name: string; readonly namespace: string; readonly uid: string; readonly cgroupParent: string; readonly labels?: Readonly<Record<string, string>> }
export type ContainerSpec = { readonly name: string; readonly image: string; readonly command: readonly string[]; readonly limitBytes?: number; readonly restarts?: number; readonly env?: Readonly<Record<string, string>>; /** 999, as of a pod without requests, unless said. */ readonly oomScoreAdj?: number }
export type MadePod = { readonly sandboxId: string; readonly config: Buffer; readonly spec: PodSpec }
export type ContainerWord = { readonly state: number; readonly exitCode: number; readonly reason: string; readonly startedNs: bigint; readonly finishedNs: bigint }

export const EXITED = 2
const NODE = 2, CONTAINER = 1
const namespaces = message({ 1: NODE, 2: CONTAINER })

/** Calls of a runtime's socket, one connection. */
export class Kubelet {
  private readonly session: ClientHttp2Session

  constructor(socketPath: string) {
    this.session = connect('http://localhost', { createConnection: () => createConnection(socketPath) })
    this.session.on('error', () => undefined)
  }

  close(): void { this.session.destroy() }

  /** Resolves with the answer; rejects with the runtime's own words. */
  call(name: string, request: Buffer): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const stream = this.session.request({ ':method': 'POST', ':path': `/runtime.v1.RuntimeService/${name}`, ':authority': 'localhost', 'content-type': 'application/grpc', te: 'trailers' })
      const chunks: Buffer[] = []
      let status: string | undefined, text = ''
      const note = (headers: Readonly<Record<string, unknown>>): void => {
        if (headers['grpc-status'] !== undefined) status = String(headers['grpc-status'])
        if (headers['grpc-message'] !== undefined) text = String(headers['grpc-message'])
      }
      stream.setTimeout(120_000, () => stream.destroy(new Error(`${name}: no answer within 2 minutes`)))
      stream.on('response', note).on('trailers', note).on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', reject)
      stream.on('close', () => (status === '0' ? resolve(Buffer.concat(chunks).subarray(5)) : reject(new Error(`${name}: ${status ?? 'no status'} ${text}`))))
      stream.end(grpcFrame(request))
    })
  }

  async runPod(spec: PodSpec): Promise<MadePod> {
    const config = message({
      1: message({ 1: spec.name, 2: spec.uid, 3: spec.namespace }), 3: '/var/log/pods/none',
      6: map({ 'io.kubernetes.pod.name': spec.name, 'io.kubernetes.pod.namespace': spec.namespace, 'io.kubernetes.pod.uid': spec.uid, ...spec.labels }),
      8: message({ 1: spec.cgroupParent, 2: message({ 1: namespaces }) }),
    })
    return { spec, config, sandboxId: textAt(await this.call('RunPodSandbox', message({ 1: config })), 1)?.toString() ?? '' }
  }

  async createContainer(pod: MadePod, spec: ContainerSpec): Promise<string> {
    const { name, namespace, uid } = pod.spec
    const config = message({
      1: message({ 1: spec.name, 2: spec.restarts ?? 0 }), 2: message({ 1: spec.image }), 3: [...spec.command],
      6: map(spec.env ?? {}),
      9: map({ 'io.kubernetes.container.name': spec.name, 'io.kubernetes.pod.name': name, 'io.kubernetes.pod.namespace': namespace, 'io.kubernetes.pod.uid': uid }),
      10: map({ 'io.kubernetes.container.restartCount': String(spec.restarts ?? 0) }),
      15: message({ 1: message({ 1: 100_000, 3: 102, 4: spec.limitBytes ?? 0, 5: spec.oomScoreAdj ?? 999 }), 2: message({ 3: namespaces }) }),
    })
    return textAt(await this.call('CreateContainer', message({ 1: pod.sandboxId, 2: config, 3: pod.config })), 1)?.toString() ?? ''
  }

  async startContainer(id: string): Promise<void> { await this.call('StartContainer', message({ 1: id })) }
  async stopContainer(id: string, seconds: number): Promise<void> { await this.call('StopContainer', Buffer.concat([field(1, id), field(2, seconds)])) }

  async removePod(pod: MadePod): Promise<void> {
    await this.call('StopPodSandbox', message({ 1: pod.sandboxId }))
    await this.call('RemovePodSandbox', message({ 1: pod.sandboxId }))
  }

  async containerWord(id: string): Promise<ContainerWord> {
    const status = textAt(await this.call('ContainerStatus', message({ 1: id })), 1) ?? Buffer.alloc(0)
    return { state: Number(numberAt(status, 3)), startedNs: numberAt(status, 5), finishedNs: numberAt(status, 6), exitCode: Number(numberAt(status, 7)), reason: textAt(status, 10)?.toString() ?? '' }
  }

  /** Asks until it has exited: runtimes have no call that waits. */
  async exited(id: string): Promise<ContainerWord> {
    for (;;) {
      const word = await this.containerWord(id)
      if (word.state === EXITED) return word
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}

/** The number at a field, 0 when it is not there. */
function numberAt(body: Buffer, wanted: number): bigint {
  let at = 0, found = 0n
  const number = (): bigint => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = body[at++] ?? 0
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
  }
  while (at < body.length) {
    const tag = Number(number()), value = number()
    if (tag % 8 === 2) at += Number(value)
    else if (tag >> 3 === wanted) found = value
  }
  return found
}
