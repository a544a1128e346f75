/**
 * A container runtime that is none: answers CRI v1 on a unix socket out of a list of pods, or misbehaves as a test wants it to.
 * Run as a program (`fake-cri.mjs SOCKET PODS CONTAINERS CHURN_PER_SECOND`) it is the other side of the benchmark.
 */
import { rmSync } from 'node:fs'
import { createServer } from 'node:http2'
import { grpcFrame, map, message, textAt } from './encode.mjs'

const STATES = { created: 0, running: 1, exited: 2, unknown: 3 }

const podLabels = (pod) => ({ 'io.kubernetes.pod.name': pod.name, 'io.kubernetes.pod.namespace': pod.namespace, 'io.kubernetes.pod.uid': pod.uid, ...pod.labels })
const containerLabels = (pod, container) => ({ 'io.kubernetes.container.name': container.name, 'io.kubernetes.pod.name': pod.name, 'io.kubernetes.pod.namespace': pod.namespace, 'io.kubernetes.pod.uid': pod.uid })
const podMetadata = (pod) => message({ 1: pod.name, 2: pod.uid, 3: pod.namespace })
const sandboxOf = (pod) => message({ 1: pod.sandboxId, 2: podMetadata(pod), 4: 1, 5: map(podLabels(pod)), 6: map(pod.annotations ?? {}) })
const sandboxStatusOf = (pod) => message({ 1: pod.sandboxId, 2: podMetadata(pod), 4: 1, 7: map(podLabels(pod)), 8: map(pod.annotations ?? {}) })
const containerOf = (pod, c) => message({ 1: c.id, 2: pod.sandboxId, 3: message({ 1: c.name, 2: c.attempt ?? 0 }), 4: message({ 1: c.image ?? 'registry.invalid/app:1' }), 6: STATES[c.state ?? 'running'], 7: 1, 8: map(containerLabels(pod, c)), 9: map(c.annotations ?? {}) })
const statusOf = (pod, c) => message({
  1: c.id, 2: message({ 1: c.name, 2: c.attempt ?? 0 }), 3: STATES[c.state ?? 'running'], 4: 1n, 5: BigInt(c.startedMs ?? 1) * 1_000_000n, 6: BigInt(c.finishedMs ?? 0) * 1_000_000n, 7: c.exitCode ?? 0,
  8: message({ 1: c.image ?? 'registry.invalid/app:1' }), 10: c.reason ?? '', 11: c.message ?? '', 12: map(containerLabels(pod, c)), 13: map(c.annotations ?? {}), 15: '/var/log/pods/x/0.log',
  16: message({ 1: message({ 1: 100_000, 4: c.limitBytes ?? 0, 5: c.oomScoreAdj ?? 999 }) }),
})

export class FakeCri {
  /** Pods: { uid, name, namespace, sandboxId, labels, containers: [{ id, name, state, limitBytes, exitCode, reason, … }] }. */
  pods = new Map()
  /** Call → how it misbehaves: hang, garbage, refuse, die, http, huge, silent-end; absent = it answers. */
  faults = new Map()
  /** Every call that came, by its full path, in order. */
  calls = []
  hasEvents = true
  delayMs = 0
  streams = new Set()
  sessions = new Set()

  constructor(path) { this.path = path }

  async listen() {
    this.server = createServer()
    this.server.on('session', (session) => { this.sessions.add(session); session.on('close', () => this.sessions.delete(session)); session.on('error', () => undefined) })
    this.server.on('stream', (stream, headers) => this.take(stream, headers[':path']))
    await new Promise((resolve) => this.server.listen(this.path, resolve))
    return this
  }

  /** Gone at once, as a runtime that was killed. */
  async close() {
    for (const session of this.sessions) session.destroy()
    await new Promise((resolve) => this.server.close(resolve))
    rmSync(this.path, { force: true })
  }

  add(pod) { this.pods.set(pod.uid, { containers: [], ...pod }); return this }

  find(id) {
    for (const pod of this.pods.values()) for (const container of pod.containers) if (container.id === id) return { pod, container }
    return undefined
  }

  /** Tells whoever listens to events. type: 0 created, 1 started, 2 stopped, 3 deleted. */
  tell(pod, containerId, type) {
    const body = message({ 1: containerId, 2: type, 3: 1n, 4: sandboxStatusOf(pod), 5: pod.containers.map((c) => statusOf(pod, c)) })
    for (const stream of this.streams) stream.write(grpcFrame(body))
  }

  take(stream, path) {
    this.calls.push(path)
    stream.on('error', () => undefined)
    const call = path.split('/').at(-1), chunks = []
    stream.on('data', (chunk) => chunks.push(chunk))
    stream.on('end', () => {
      const request = Buffer.concat(chunks).subarray(5)
      if (this.delayMs === 0) this.reply(stream, call, request)
      else setTimeout(() => this.reply(stream, call, request), this.delayMs)
    })
  }

  reply(stream, call, request) {
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

  answer(call, request) {
    const pods = [...this.pods.values()]
    switch (call) {
      case 'Version': return message({ 1: '0.1.0', 2: 'fakerd', 3: '1.2.3', 4: 'v1' })
      case 'ListPodSandbox': {
        const filter = textAt(request, 1), uid = filter === undefined ? undefined : textAt(textAt(filter, 3), 2).toString()
        return Buffer.concat(pods.filter((pod) => uid === undefined || pod.uid === uid).map((pod) => message({ 1: sandboxOf(pod) })))
      }
      case 'ListContainers': return Buffer.concat(pods.flatMap((pod) => pod.containers.map((c) => message({ 1: containerOf(pod, c) }))))
      case 'ContainerStatus': {
        const found = this.find(textAt(request, 1).toString())
        return found === undefined ? undefined : message({ 1: statusOf(found.pod, found.container), 2: found.container.info === undefined ? undefined : map({ info: found.container.info }) })
      }
      case 'PodSandboxStatus': {
        const id = textAt(request, 1).toString(), pod = pods.find((one) => one.sandboxId === id)
        return pod === undefined ? undefined : message({ 1: sandboxStatusOf(pod) })
      }
      default: return undefined
    }
  }

  openEvents(stream) {
    if (!this.hasEvents) { this.end(stream, 12, 'unknown method'); return }
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' })
    this.streams.add(stream)
    stream.on('close', () => this.streams.delete(stream))
  }

  send(stream, bytes) {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
    stream.end(bytes)
  }

  /** A refusal without a message has its status in the headers. */
  end(stream, status, text) { stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': String(status), 'grpc-message': text }, { endStream: true }) }
}

/** Ids as real ones look: 64 hex digits, by a number. */
export const idOf = (kind, number) => `${kind}${number.toString(16).padStart(63, '0')}`
export const uidOf = (number) => `00000000-0000-4000-8000-${number.toString(16).padStart(12, '0')}`
export const podOf = (number, containers) => ({
  uid: uidOf(number), name: `web-6d4cf56db6-${number.toString(36).padStart(5, 'a')}`, namespace: `team-${number % 20}`, sandboxId: idOf('f', number),
  labels: { app: 'web', 'pod-template-hash': '6d4cf56db6', 'app.kubernetes.io/part-of': 'shop' },
  // As on a real node: kubectl leaves the whole manifest there.
  annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{"spec":'.padEnd(1500, 'x'), 'kubernetes.io/config.source': 'api' },
  containers: Array.from({ length: containers }, (_, i) => ({ id: idOf(String(i), number), name: i === 0 ? 'app' : `sidecar-${i}`, limitBytes: (i + 1) * 2 ** 26, annotations: { 'io.kubernetes.container.restartCount': String(number % 7), 'io.kubernetes.container.hash': 'a1b2c3d4', 'io.kubernetes.container.ports': '[{"containerPort":8080}]' } })),
})

if (process.argv[1]?.endsWith('fake-cri.mjs')) {
  const [path, pods, containers, churn] = process.argv.slice(2), fake = new FakeCri(path)
  let next = 0
  for (; next < Number(pods); next++) fake.add(podOf(next, Number(containers)))
  await fake.listen()
  process.stdout.write('listening\n')
  // The oldest pod dies, a new one is born: told as events, and as lines for whoever plays the kernel.
  if (Number(churn) > 0) setInterval(() => {
    const [oldest] = fake.pods.values(), born = podOf(next++, Number(containers))
    Object.assign(oldest.containers[0], { state: 'exited', exitCode: 137, reason: 'OOMKilled', finishedMs: Date.now() })
    fake.tell(oldest, oldest.containers[0].id, 2)
    fake.pods.delete(oldest.uid)
    fake.add(born)
    for (const { id } of born.containers) { fake.tell(born, id, 0); fake.tell(born, id, 1) }
    process.stdout.write(`${oldest.containers[0].id} ${born.containers[0].id}\n`)
  }, 1000 / Number(churn))
  process.stdin.on('end', () => process.exit(0)).resume()
}
