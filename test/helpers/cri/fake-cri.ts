/** A container runtime that is none: answers CRI v1 on a unix socket out of a list of pods, or misbehaves as a test wants it to. */
import { rmSync } from 'node:fs'
import { createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import { grpcFrame, map, message, textAt } from './encode.ts'

export type FakeContainer = { id: string; name: string; state?: 'created' | 'running' | 'exited' | 'unknown'; limitBytes?: number; oomScoreAdj?: number; exitCode?: number; reason?: string; message?: string; startedMs?: number; finishedMs?: number; attempt?: number; image?: string; annotations?: Record<string, string> }
export type FakePod = { uid: string; name: string; namespace: string; sandboxId: string; labels?: Record<string, string>; annotations?: Record<string, string>; containers: FakeContainer[] }

const STATES = { created: 0, running: 1, exited: 2, unknown: 3 }

const podLabels = (pod: FakePod): Record<string, string> => ({ 'io.kubernetes.pod.name': pod.name, 'io.kubernetes.pod.namespace': pod.namespace, 'io.kubernetes.pod.uid': pod.uid, ...pod.labels })
const containerLabels = (pod: FakePod, container: FakeContainer): Record<string, string> => ({ 'io.kubernetes.container.name': container.name, 'io.kubernetes.pod.name': pod.name, 'io.kubernetes.pod.namespace': pod.namespace, 'io.kubernetes.pod.uid': pod.uid })
const podMetadata = (pod: FakePod): Buffer => message({ 1: pod.name, 2: pod.uid, 3: pod.namespace })
const sandboxOf = (pod: FakePod): Buffer => message({ 1: pod.sandboxId, 2: podMetadata(pod), 4: 1, 5: map(podLabels(pod)), 6: map(pod.annotations ?? {}) })
const sandboxStatusOf = (pod: FakePod): Buffer => message({ 1: pod.sandboxId, 2: podMetadata(pod), 4: 1, 7: map(podLabels(pod)), 8: map(pod.annotations ?? {}) })
const containerOf = (pod: FakePod, c: FakeContainer): Buffer => message({ 1: c.id, 2: pod.sandboxId, 3: message({ 1: c.name, 2: c.attempt ?? 0 }), 4: message({ 1: c.image ?? 'registry.invalid/app:1' }), 6: STATES[c.state ?? 'running'], 7: 1, 8: map(containerLabels(pod, c)), 9: map(c.annotations ?? {}) })
const statusOf = (pod: FakePod, c: FakeContainer): Buffer => message({
  1: c.id, 2: message({ 1: c.name, 2: c.attempt ?? 0 }), 3: STATES[c.state ?? 'running'], 4: 1n, 5: BigInt(c.startedMs ?? 1) * 1_000_000n, 6: BigInt(c.finishedMs ?? 0) * 1_000_000n, 7: c.exitCode ?? 0,
  8: message({ 1: c.image ?? 'registry.invalid/app:1' }), 10: c.reason ?? '', 11: c.message ?? '', 12: map(containerLabels(pod, c)), 13: map(c.annotations ?? {}), 15: '/var/log/pods/x/0.log',
  16: message({ 1: message({ 1: 100_000, 4: c.limitBytes ?? 0, 5: c.oomScoreAdj ?? 999 }) }),
})

export class FakeCri {
  readonly pods = new Map<string, FakePod>()
  /** Call → how it misbehaves: hang, garbage, refuse, die, http, huge, half, compressed, silent-end; absent = it answers. */
  readonly faults = new Map<string, string>()
  /** Every call that came, by its full path, in order. */
  readonly calls: string[] = []
  /** The containers whose status was asked for, in order. */
  readonly asked: string[] = []
  hasEvents = true
  delayMs = 0
  readonly streams = new Set<ServerHttp2Stream>()
  readonly sessions = new Set<ServerHttp2Session>()
  readonly path: string
  private server: Http2Server | undefined

  constructor(path: string) { this.path = path }

  async listen(): Promise<this> {
    const server = this.server = createServer()
    server.on('session', (session) => { this.sessions.add(session); session.on('close', () => this.sessions.delete(session)); session.on('error', () => undefined) })
    server.on('stream', (stream, headers) => this.take(stream, headers[':path'] ?? ''))
    await new Promise<void>((resolve) => server.listen(this.path, resolve))
    return this
  }

  /** Gone at once, as a runtime that was killed. */
  async close(): Promise<void> {
    for (const session of this.sessions) session.destroy()
    await new Promise<void>((resolve) => (this.server === undefined ? resolve() : this.server.close(() => resolve())))
    rmSync(this.path, { force: true })
  }

  add(pod: FakePod): this {
    this.pods.set(pod.uid, pod)
    return this
  }

  private find(id: string): { pod: FakePod; container: FakeContainer } | undefined {
    for (const pod of this.pods.values()) for (const container of pod.containers) if (container.id === id) return { pod, container }
    return undefined
  }

  /** Tells whoever listens to events. type: 0 created, 1 started, 2 stopped, 3 deleted. */
  tell(pod: FakePod, containerId: string, type: 0 | 1 | 2 | 3): void {
    const body = message({ 1: containerId, 2: type, 3: 1n, 4: sandboxStatusOf(pod), 5: pod.containers.map((c) => statusOf(pod, c)) })
    for (const stream of this.streams) stream.write(grpcFrame(body))
  }

  private take(stream: ServerHttp2Stream, path: string): void {
    this.calls.push(path)
    stream.on('error', () => undefined)
    const call = path.split('/').at(-1) ?? '', chunks: Buffer[] = []
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('end', () => {
      const request = Buffer.concat(chunks).subarray(5)
      if (this.delayMs === 0) this.reply(stream, call, request)
      else setTimeout(() => this.reply(stream, call, request), this.delayMs)
    })
  }

  private reply(stream: ServerHttp2Stream, call: string, request: Buffer): void {
    if (stream.destroyed) return
    const fault = this.faults.get(call)
    switch (fault) {
      case 'hang': return
      case 'die': this.sessions.forEach((session) => session.destroy()); return
      case 'http': stream.respond({ ':status': 503 }); stream.end('no'); return
      case 'refuse': this.end(stream, 12, 'unknown method'); return
      case 'silent-end': stream.respond({ ':status': 200, 'content-type': 'application/grpc' }); stream.end(); return
      case 'garbage': this.send(stream, grpcFrame(Buffer.from('ffffffffffffffffffffffff0a0a', 'hex'))); return
      case 'compressed': this.send(stream, Buffer.from([1, 0, 0, 0, 1, 0])); return
      case 'huge': this.send(stream, Buffer.from([0, 0x7f, 0xff, 0xff, 0xff])); return
      case 'half': stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true }); stream.write(Buffer.from([0, 0, 0, 0, 200, 10, 5])); return
      default:
    }
    if (call === 'GetContainerEvents') { this.openEvents(stream); return }
    const body = this.answer(call, request)
    if (body === undefined) this.end(stream, call === 'ContainerStatus' || call === 'PodSandboxStatus' ? 5 : 12, 'not%20found')
    else this.send(stream, grpcFrame(body))
  }

  private answer(call: string, request: Buffer): Buffer | undefined {
    const pods = [...this.pods.values()], id = textAt(request, 1)?.toString() ?? ''
    switch (call) {
      case 'Version': return message({ 1: '0.1.0', 2: 'fakerd', 3: '1.2.3', 4: 'v1' })
      case 'ListPodSandbox': {
        const selector = textAt(textAt(request, 1) ?? Buffer.alloc(0), 3), uid = selector === undefined ? undefined : textAt(selector, 2)?.toString()
        return Buffer.concat(pods.filter((pod) => uid === undefined || pod.uid === uid).map((pod) => message({ 1: sandboxOf(pod) })))
      }
      case 'ListContainers': return Buffer.concat(pods.flatMap((pod) => pod.containers.map((c) => message({ 1: containerOf(pod, c) }))))
      case 'ContainerStatus': {
        this.asked.push(id)
        const found = this.find(id)
        return found === undefined ? undefined : message({ 1: statusOf(found.pod, found.container) })
      }
      case 'PodSandboxStatus': {
        const pod = pods.find((one) => one.sandboxId === id)
        return pod === undefined ? undefined : message({ 1: sandboxStatusOf(pod) })
      }
      default: return undefined
    }
  }

  private openEvents(stream: ServerHttp2Stream): void {
    if (!this.hasEvents) { this.end(stream, 12, 'unknown method'); return }
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' })
    this.streams.add(stream)
    stream.on('close', () => this.streams.delete(stream))
  }

  private send(stream: ServerHttp2Stream, bytes: Buffer): void {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
    stream.end(bytes)
  }

  /** A refusal without a message has its status in the headers. */
  private end(stream: ServerHttp2Stream, status: number, text: string): void { stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': String(status), 'grpc-message': text }, { endStream: true }) }
}

/** Ids as real ones look: 64 hex digits, by a number. */
export const idOf = (kind: string, number: number): string => `${kind}${number.toString(16).padStart(63, '0')}`
export const uidOf = (number: number): string => `00000000-0000-4000-8000-${number.toString(16).padStart(12, '0')}`
export const podOf = (number: number, containers: number): FakePod => ({
  uid: uidOf(number), name: `web-6d4cf56db6-${number.toString(36).padStart(5, 'a')}`, namespace: `team-${number % 20}`, sandboxId: idOf('f', number),
  labels: { app: 'web', 'pod-template-hash': '6d4cf56db6', 'app.kubernetes.io/part-of': 'shop' },
  // As on a real node: kubectl leaves the whole manifest there.
  annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{"spec":'.padEnd(1500, 'x'), 'kubernetes.io/config.source': 'api' },
  containers: Array.from({ length: containers }, (_, i) => ({ id: idOf(String(i), number), name: i === 0 ? 'app' : `sidecar-${i}`, limitBytes: (i + 1) * 2 ** 26, annotations: { 'io.kubernetes.container.restartCount': String(number % 7), 'io.kubernetes.container.hash': 'a1b2c3d4', 'io.kubernetes.container.ports': '[{"containerPort":8080}]' } })),
})
