/** One source after another is off, hangs, talks nonsense or is slow: the name comes from the next one, and nobody waits. */
import { mkdirSync, symlinkSync } from 'node:fs'
import { createServer } from 'node:net'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { nameReport } from '../../../src/cli/name-report.ts'
import { Names } from '../../../src/cli/names.ts'
import { workloadIn } from '../../../src/identity/workload.ts'
import { CriSource } from '../../../src/identity/cri/source.ts'
import { DockerSource } from '../../../src/identity/docker/source.ts'
import { kubeletReader } from '../../../src/identity/kubernetes/readers.ts'
import { PodSource } from '../../../src/identity/kubernetes/source.ts'
import type { NameSource } from '../../../src/identity/name-source.ts'
import { PodLogSource } from '../../../src/identity/pod-log-source.ts'
import { podLogReader } from '../../../src/identity/pod-logs.ts'
import { applyEvent, createModel } from '../../../src/model/apply.ts'
import { fakeHttp, until, type Reply } from '../../helpers/fake-http.ts'
import { freshDirectories } from '../../helpers/files.ts'
import { birth } from '../model/build.ts'
import { pod } from '../identity/kubernetes/pod.ts'

const fresh = freshDirectories(), UID = '26ab26cd-6409-443f-a13c-fd6c231207c8', ID = 'a'.repeat(64), PATH = `/kubepods/burstable/pod${UID}/${ID}`
const opened: { readonly close: () => void | Promise<unknown> }[] = []
afterEach(async () => { for (const one of opened.splice(0).reverse()) await one.close() })

/** A runtime's socket that accepts and never says anything that is gRPC. */
async function badSocket(path: string, says: string): Promise<void> {
  const sockets = new Set<Socket>(), server = createServer((socket) => { sockets.add(socket); socket.on('error', () => undefined); if (says !== '') socket.write(says) })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  opened.push({ close: () => { for (const socket of sockets) socket.destroy(); return new Promise((resolve) => server.close(resolve)) } })
}

/** Everything that can be asked here, with the runtime and Docker in a bad state, and the kubelet as it is said. */
async function sources(bad: { readonly says: string; readonly http: Reply }, kubelet: Reply): Promise<NameSource[]> {
  const directory = fresh(), logs = join(directory, 'pods'), links = join(directory, 'containers')
  mkdirSync(join(logs, `shop_from-logs_${UID}`), { recursive: true })
  mkdirSync(links)
  symlinkSync(`/var/log/pods/shop_from-logs_${UID}/nginx/0.log`, join(links, `from-logs_shop_nginx-${ID}.log`))
  await badSocket(join(directory, 'cri.sock'), bad.says)
  const docker = await fakeHttp(() => bad.http, { path: join(directory, 'docker.sock') }), server = await fakeHttp(() => kubelet)
  opened.push(docker, server)
  return [new CriSource(join(directory, 'cri.sock')), new DockerSource('docker', join(directory, 'docker.sock'), { isNamed: true, isEager: true, timeoutMs: 300 }),
    new PodSource('kubelet', kubeletReader({ node: 'worker-3', kubelet: `http://127.0.0.1:${server.port}`, timeoutMs: kubelet === 'hang' ? 300 : 20_000 })), new PodLogSource(podLogReader({ podsDirectory: logs, containersDirectory: links }))]
}

const BAD = [['hangs', { says: '', http: 'hang' as Reply }], ['talks nonsense', { says: '\u001b[2Jnot HTTP/2 at all', http: { raw: '{' } as Reply }]] as const

test.each(BAD)('the runtime and Docker %s: the kubelet\'s name counts, without the kubelet the log directories\'', async (_, bad) => {
  for (const [kubelet, expected] of [[{ body: { items: [pod()] } }, 'web-7d9f8c6b5-x2x4z'], ['hang', 'from-logs']] as const) {
    const all = await sources(bad, kubelet), names = new Names(all), model = createModel()
    opened.push(names)
    const row = birth(7, PATH, 1)
    applyEvent(model, row)
    names.see([row], model)
    // What a batch of the stream does: it takes what is there and goes on.
    await until(() => { for (const { events } of names.items(5)) for (const event of events) applyEvent(model, event); return workloadIn(model, PATH).pod === expected })
    expect(workloadIn(model, PATH)).toMatchObject({ namespace: 'shop', container: 'nginx' })
    expect(all.find(({ name }) => name === 'cri')?.health.state).not.toBe('answering')
  }
})

test.each(BAD)('doctor says which one %s, and who differs from whom', async (_, bad) => {
  const report = await nameReport(await sources(bad, { body: { items: [pod()] } }))
  expect(report.sources.map(({ source, state }) => [source, state])).toEqual([['cri', expect.stringMatching(/failing|starting|absent/)], ['docker', 'failing'], ['kubelet', 'answering'], ['pod-logs', 'answering']])
  expect(report.disputes).toContain(`container:${'a'.repeat(15)}: the pod is web-7d9f8c6b5-x2x4z for kubelet, which is believed, and from-logs for pod-logs`)
  expect(JSON.stringify(report)).not.toContain('\\u001b')
})
