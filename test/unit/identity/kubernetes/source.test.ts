/** The Kubernetes API and the kubelet behind real TLS: who is believed, who is not, and what never leaves: the token. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { Names } from '../../../../src/cli/names.ts'
import { apiReader, kubeletReader, type ReaderOptions } from '../../../../src/identity/kubernetes/readers.ts'
import { PodSource, type PodSourceOptions } from '../../../../src/identity/kubernetes/source.ts'
import type { NameFact } from '../../../../src/identity/name-source.ts'
import { createRecording } from '../../../../src/recording/writer.ts'
import { hasOpenssl, makeCertificates, type Certificates } from '../../../helpers/certificates.ts'
import { fakeHttp, until, type FakeHttp, type Reply } from '../../../helpers/fake-http.ts'
import { skip } from '../../../helpers/skip.ts'
import { streamFrames } from '../../../helpers/stream.ts'
import { FrameReader } from '../../../../src/wire/frame.ts'
import { Decoder } from '../../../../src/wire/decode.ts'
import { pod } from './pod.ts'

const TOKEN = 'eyJhbGciOiJSUzI1NiJ9.s3cr3t-t0ken', ID = 'a'.repeat(64), UID = '26ab26cd-6409-443f-a13c-fd6c231207c8'
let directory = '', certificates: Certificates
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'oomscope-test-'))
  if (hasOpenssl()) certificates = makeCertificates(directory, 'DNS:worker-3,IP:127.0.0.1')
})
beforeEach((context) => { if (!hasOpenssl()) skip(context, 'openssl is not installed: no certificates') })
afterAll(() => rmSync(directory, { recursive: true }))

const opened: { readonly close: () => void | Promise<void> }[] = []
afterEach(async () => { for (const one of opened.splice(0)) await one.close() })

const list = (pods: readonly object[], more = ''): Reply => ({ body: { kind: 'PodList', metadata: { resourceVersion: '1', continue: more }, items: pods } })
const tls = (): { key: string; cert: string; ca: string } => ({ key: certificates.serverKey, cert: certificates.serverCert, ca: certificates.ca })

async function serve(reply: Parameters<typeof fakeHttp>[0]): Promise<FakeHttp> {
  const server = await fakeHttp(reply, { tls: tls() })
  opened.push(server)
  return server
}

function account(port: number, ca = certificates.ca): ReaderOptions {
  const accountDirectory = mkdtempSync(join(directory, 'account-'))
  writeFileSync(join(accountDirectory, 'ca.crt'), ca)
  writeFileSync(join(accountDirectory, 'token'), `${TOKEN}\n`)
  return { serviceHost: '127.0.0.1', servicePort: String(port), accountDirectory, node: 'worker-3', kubelet: `https://127.0.0.1:${port}`, kubeletCertificate: join(directory, 'none'), timeoutMs: 20_000 }
}

async function started(source: PodSource): Promise<PodSource> {
  opened.push(source)
  source.start()
  await source.settled
  return source
}
const api = (options: ReaderOptions, more?: PodSourceOptions): Promise<PodSource> => started(new PodSource('kubernetes', apiReader(options), more))
const kubelet = (options: ReaderOptions, more?: PodSourceOptions): Promise<PodSource> => started(new PodSource('kubelet', kubeletReader(options), more))

test('the API is asked for the pods of this node, page by page, with the token and nothing but GET', async () => {
  const server = await serve((url) => (url.includes('continue=') ? list([pod({ metadata: { uid: '1399d9c7-c86f-4371-8568-07b3d32258a4', name: 'second' } })]) : list([pod()], 'next page')))
  const source = await api(account(server.port)), facts = source.take()
  expect(source.health).toMatchObject({ state: 'answering', detail: `Kubernetes API at 127.0.0.1:${server.port}` })
  expect(facts.filter((fact) => fact.containerId === undefined).map((fact) => (fact as { pod?: string }).pod)).toEqual(['web-7d9f8c6b5-x2x4z', 'second'])
  expect(server.requests.map(({ method, url, authorization }) => [method, decodeURIComponent(url), authorization])).toEqual([
    ['GET', '/api/v1/pods?fieldSelector=spec.nodeName=worker-3&limit=250&resourceVersion=0', `Bearer ${TOKEN}`], ['GET', '/api/v1/pods?fieldSelector=spec.nodeName=worker-3&limit=250&continue=next page', `Bearer ${TOKEN}`]])
})

test('the kubelet is asked for its pods; a certificate that it signed itself is believed where root left it', async () => {
  const server = await serve((url) => (url === '/pods' ? list([pod()]) : url === '/configz' ? { body: { kubeletconfig: { evictionHard: { 'memory.available': '100Mi' } } } } : { status: 404, body: {} }))
  expect((await kubelet(account(server.port))).health).toMatchObject({ state: 'answering', detail: `kubelet at 127.0.0.1:${server.port}, which evicts below 100Mi available` })
  writeFileSync(join(directory, 'kubelet.crt'), certificates.ca)
  const foreign = account(server.port, certificates.otherCa)
  expect((await kubelet({ ...foreign, kubeletCertificate: join(directory, 'kubelet.crt') })).health.state).toBe('answering')
  expect((await kubelet(foreign)).health).toMatchObject({ state: 'failing' })
})

test('a server that the cluster did not certify never sees the token', async () => {
  const server = await serve(() => list([pod()])), source = await api(account(server.port, certificates.otherCa))
  expect(source.health).toMatchObject({ state: 'failing', reason: expect.stringMatching(/UNABLE_TO_VERIFY|SELF_SIGNED|CERT/) })
  expect(source.take()).toEqual([])
  expect(server.requests).toEqual([])
  const elsewhere = await kubelet({ ...account(server.port), node: 'worker-4', kubelet: `https://localhost:${server.port}` })
  expect(elsewhere.health).toMatchObject({ state: 'failing', reason: expect.stringContaining('ERR_TLS_CERT_ALTNAME_INVALID') })
  expect(server.requests).toEqual([])
})

test('the read-only port is asked only by name, without a token', async () => {
  const server = await fakeHttp(() => list([pod()]))
  opened.push(server)
  expect((await kubelet({ ...account(1), kubelet: `http://127.0.0.1:${server.port}` })).health.state).toBe('answering')
  expect(server.requests).toEqual(['/pods', '/configz'].map((url) => ({ method: 'GET', url, authorization: undefined })))
})

test('a kubeconfig with a client\'s certificate', async () => {
  const server = await serve((_, request) => ((request.socket as unknown as { authorized: boolean }).authorized ? list([pod()]) : { status: 401, body: {} })), kubeconfig = join(directory, 'kubeconfig')
  const config = (user: object): void => writeFileSync(kubeconfig, JSON.stringify({ 'current-context': 'c', contexts: [{ name: 'c', context: { cluster: 'k', user: 'u' } }], clusters: [{ name: 'k', cluster: { server: `https://127.0.0.1:${server.port}`, 'certificate-authority': 'ca.crt' } }], users: [{ name: 'u', user }] }))
  config({ 'client-certificate': 'client.crt', 'client-key': 'client.key' })
  expect((await api({ kubeconfig, node: 'worker-3' })).health.state).toBe('answering')
  config({})
  expect((await api({ kubeconfig, node: 'worker-3' })).health).toMatchObject({ state: 'failing', reason: expect.stringContaining('status 401') })
})

test('pods of other nodes are not believed, and a name that the cluster does not know is said', async () => {
  const server = await serve(() => list([pod({ spec: { nodeName: 'worker-9' } })])), source = await api(account(server.port))
  expect(source.take()).toEqual([])
  expect(source.health).toMatchObject({ state: 'answering', reason: 'it has no pod on a node called worker-3 (--node says another name)' })
})

test('nobody gave credentials: nothing is wrong', async () => {
  expect((await api({ node: 'n' })).health).toEqual({ state: 'absent', reason: 'neither in a pod nor --kubeconfig given' })
  expect((await kubelet({ node: 'n' })).health.state).toBe('absent')
  expect((await kubelet({ node: 'n', kubelet: 'ftp://x' })).health).toMatchObject({ state: 'failing', reason: expect.stringContaining('--kubelet is no address') })
})

test.each<[string, Reply, RegExp]>([
  ['hangs', 'hang', /no answer within 0\.4 s/], ['sends a byte now and then', 'drip', /no answer within 0\.4 s/], ['breaks off', 'break', /broke off|ECONNRESET|request failed/], ['answers garbage', { raw: `${'\u001b[2J'}${TOKEN}` }, /not JSON/], ['answers another thing', { body: { items: 7 } }, /no list of pods/],
  ['forbids', { status: 403, body: {} }, /not allowed, it needs/], ['fails', { status: 500, body: {} }, /status 500/], ['answers without end', { raw: `{"items":[${' '.repeat(9 * 2 ** 20)}]}` }, /more than 8 MiB/],
])('a server that %s: said, and read again later', async (_, bad, words) => {
  let isWell = false
  const server = await serve(() => (isWell ? list([pod()]) : bad))
  for (const open of [api, kubelet]) {
    isWell = false
    const source = await open({ ...account(server.port), ...(bad === 'hang' || bad === 'drip' ? { timeoutMs: 400 } : {}) }, { periodMs: 5 })
    expect(source.health).toMatchObject({ state: 'failing', reason: expect.stringMatching(words) })
    expect(JSON.stringify(source.health)).not.toMatch(/s3cr3t|\\u001b/)
    isWell = true
    await until(() => source.health.state === 'answering')
    expect(source.take().length).toBeGreaterThan(3)
  }
})

test('a container that is born or killed is a reason to read again soon', async () => {
  let isBorn = false
  const server = await serve(() => list([isBorn ? pod() : pod({ status: { containerStatuses: [] } })])), source = await api(account(server.port), { periodMs: 1e8, soonMs: 0, victimMs: [1] }), facts: NameFact[] = [...source.take()]
  isBorn = true
  source.ask({ containerId: ID, podUid: UID, why: 'birth' })
  await until(() => { facts.push(...source.take()); return facts.some((fact) => fact.containerId === ID) })
  const { length } = server.requests
  source.ask({ containerId: ID, podUid: UID, why: 'victim' })
  await until(() => server.requests.length >= length + 1)
})

test('the token is in no recording, no state and no row', async () => {
  const server = await serve(() => list([pod({ metadata: { labels: { app: 'web' } } })])), sources = [await api(account(server.port)), await kubelet(account(server.port))], names = new Names(sources)
  const path = join(directory, 'a.oom'), writer = createRecording({ path, maxBytes: 2 ** 20 }), decoder = new Decoder()
  for (const bytes of streamFrames({ seconds: 300, memcgs: 100 })) writer.write([...new FrameReader().push(bytes).map((frame) => ({ frame, events: decoder.decode(frame) })), ...names.items(5)])
  writer.close()
  names.close()
  expect(server.requests.some(({ authorization }) => authorization?.includes(TOKEN))).toBe(true)
  const written = execFileSync('sh', ['-c', `cat "${path}"*`], { maxBuffer: 2 ** 27 })
  expect(written.includes('web-7d9f8c6b5-x2x4z')).toBe(true)
  for (const secret of [TOKEN, 's3cr3t', 'hunter2', 'BEGIN']) expect(written.includes(secret), secret).toBe(false)
  expect(JSON.stringify(sources)).not.toContain('s3cr3t')
  expect(readFileSync(path).length).toBeGreaterThan(1000)
})
