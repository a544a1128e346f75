/** Docker's socket as a source: what it says, what it is asked, and everything that can be wrong with it. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { DockerSource, type DockerOptions } from '../../../src/identity/docker/source.ts'
import { FactBook } from '../../../src/identity/fact-book.ts'
import { inspectedFacts, listedOf } from '../../../src/identity/docker/facts.ts'
import type { NameFact } from '../../../src/identity/name-source.ts'
import { fakeHttp, until, type FakeHttp, type Reply } from '../../helpers/fake-http.ts'
import { freshDirectories } from '../../helpers/files.ts'

const fresh = freshDirectories(), ID = 'a'.repeat(64), OTHER = 'b'.repeat(64), UID = '26ab26cd-6409-443f-a13c-fd6c231207c8'
const opened: { readonly close: () => void | Promise<void> }[] = []
afterEach(async () => { for (const one of opened.splice(0)) await one.close() })

const line = (id = ID, state = 'running', labels: Record<string, string> = {}): object => ({ Id: id, Names: ['/web/db', '/db'], Image: 'postgres:16', State: state, Labels: labels })
const one = (id = ID, state: object = { Status: 'running', Pid: 77, OOMKilled: false, ExitCode: 0, StartedAt: '2026-11-20T12:00:00.5Z', FinishedAt: '0001-01-01T00:00:00Z', Error: '' }, more: object = {}): object => ({
  Id: id, Name: '/db', RestartCount: 2, State: state, Config: { Image: 'postgres:16', Labels: { app: 'db', secret: 'hunter2' } }, HostConfig: { Memory: 64 << 20, MemoryReservation: 0, OomScoreAdj: 100, CgroupParent: '' }, ...more,
})
const killed = { Status: 'exited', Pid: 0, OOMKilled: true, ExitCode: 137, StartedAt: '2026-11-20T12:00:00.5Z', FinishedAt: '2026-11-20T12:00:01.25Z', Error: '' }

async function setUp(reply: (url: string) => Reply, options: DockerOptions = {}): Promise<{ readonly source: DockerSource; readonly server: FakeHttp; readonly facts: NameFact[]; readonly seen: () => NameFact[]; readonly path: string }> {
  const path = join(fresh(), 'd.sock'), server = await fakeHttp(reply, { path }), source = new DockerSource('docker', path, { timeoutMs: 20_000, recheckMs: 10, ...options }), facts: NameFact[] = []
  opened.push(server, source)
  source.start()
  await source.settled
  return { source, server, facts, path, seen: () => { facts.push(...source.take()); return facts } }
}

const serving = (url: string): Reply => (url.startsWith('/containers/json') ? { body: [line()] } : url === `/containers/${ID}/json` ? { body: one() } : { status: 404, body: {} })

test('nothing is connected to until a container without a name is seen; then its name, limit, image and restarts are known', async () => {
  const { source, server, seen } = await setUp(serving)
  expect(server.requests).toEqual([])
  expect(source.health.state).toBe('starting')
  source.ask({ containerId: ID, why: 'birth' })
  await until(() => seen().some((fact) => fact.kind === 'workload' && fact.pid === 77))
  expect(seen().findLast((fact) => fact.kind === 'workload')).toEqual({ kind: 'workload', containerId: ID, container: 'db', image: 'postgres:16', labels: 'app=db', runtime: 'Docker/20.10.24 (linux)', restarts: 2, pid: 77, oomScoreAdj: 100, memoryLimitBytes: 64 << 20 })
  expect(source.health).toMatchObject({ state: 'answering', detail: expect.stringContaining('Docker/20.10.24 (linux) at /') })
  expect(new Set(server.requests.map(({ method, url }) => `${method} ${url}`))).toEqual(new Set(['GET /containers/json?all=1', `GET /containers/${ID}/json`]))
})

test('a container that lived too short for a list is asked about until it answers, a victim until it is over', async () => {
  let tries = 0
  const { source, seen } = await setUp((url) => (url.startsWith('/containers/json') ? { body: [] } : ++tries < 3 ? { status: 404, body: {} } : { body: one(ID, tries < 5 ? undefined : killed) }))
  source.ask({ containerId: ID, why: 'victim' })
  await until(() => seen().some((fact) => fact.kind === 'container_status' && fact.state === 'exited'))
  expect(seen().findLast((fact) => fact.kind === 'container_status')).toEqual({ kind: 'container_status', containerId: ID, state: 'exited', exitCode: 137, reason: 'OOMKilled', startedMs: Date.parse('2026-11-20T12:00:00.5Z'), finishedMs: Date.parse('2026-11-20T12:00:01.25Z') })
  expect(tries).toBeGreaterThanOrEqual(5)
})

test('one whose cgroup is there before it runs is asked about until it does', async () => {
  let tries = 0
  const { source, seen } = await setUp((url) => (url.startsWith('/containers/json') ? { body: [] } : { body: ++tries < 3 ? one(ID, { Status: 'created', Pid: 0, OOMKilled: false, ExitCode: 0, StartedAt: '0001-01-01T00:00:00Z', FinishedAt: '0001-01-01T00:00:00Z', Error: '' }) : one() }))
  source.ask({ containerId: ID, why: 'birth' })
  await until(() => seen().some((fact) => fact.kind === 'workload' && fact.pid === 77))
  expect(seen().find((fact) => fact.kind === 'workload')).toMatchObject({ container: 'db', memoryLimitBytes: 64 << 20 })
})

test('one whose limit was changed is asked about although its name is known', async () => {
  let memory = 64 << 20
  const { source, seen } = await setUp((url) => (url.startsWith('/containers/json') ? { body: [line()] } : { body: { ...one(), HostConfig: { Memory: memory } } }))
  source.ask({ containerId: ID, why: 'birth' })
  await until(() => seen().some((fact) => fact.kind === 'workload' && fact.memoryLimitBytes === 64 << 20))
  memory = 80 << 20
  source.ask({ containerId: ID, why: 'resized' })
  await until(() => seen().some((fact) => fact.kind === 'workload' && fact.memoryLimitBytes === 80 << 20))
})

/** As Docker 20.10.24 answers of a container with a restart policy: its flag stays when it starts again, its exit code does not. */
const START = '2026-11-20T12:00:00.5Z', END = '2026-11-20T12:00:01.25Z', AGAIN = '2026-11-20T12:00:01.6Z'
const waits = { ...killed, Status: 'restarting' }, runsAgain = { Status: 'running', Pid: 78, OOMKilled: true, ExitCode: 0, StartedAt: AGAIN, FinishedAt: END, Error: '' }
const word = (state: object): NameFact | undefined => inspectedFacts(one(ID, state), undefined).find(({ kind }) => kind === 'container_status')

test('one that waits to be started again has ended, and how; of the run that follows nothing of it is said', () => {
  expect(word(waits)).toEqual({ kind: 'container_status', containerId: ID, state: 'exited', exitCode: 137, reason: 'OOMKilled', startedMs: Date.parse(START), finishedMs: Date.parse(END) })
  expect(word(runsAgain)).toEqual({ kind: 'container_status', containerId: ID, state: 'running', startedMs: Date.parse(AGAIN) })
  // Docker 28: a child was killed in its first run.
  expect(word({ ...runsAgain, FinishedAt: '0001-01-01T00:00:00Z' })).toMatchObject({ state: 'running', reason: 'OOMKilled' })
  const book = new FactBook()
  for (const state of [waits, runsAgain, { ...runsAgain, OOMKilled: false }]) for (const fact of inspectedFacts(one(ID, state), undefined)) book.learn(fact)
  expect(book.take().filter(({ kind }) => kind === 'container_status')).toEqual([word(waits), word(runsAgain)])
})

test('that it was for memory may be said after that it ended: it is asked once more', async () => {
  let tries = 0
  const { source, seen } = await setUp((url) => (url.startsWith('/containers/json') ? { body: [] } : { body: one(ID, { ...killed, OOMKilled: ++tries > 1 }) }))
  source.ask({ containerId: ID, why: 'victim' })
  await until(() => seen().some((fact) => fact.kind === 'container_status' && fact.reason === 'OOMKilled'))
  expect(seen().flatMap((fact) => (fact.kind === 'container_status' ? [fact.reason] : []))).toEqual(['Error', 'OOMKilled'])
})

test('containers that were listed when it failed, and one that is born right after, are read once it is well', async () => {
  let isWell = false
  const { source, seen } = await setUp((url) => (url === `/containers/${OTHER}/json` ? { body: one(OTHER) } : isWell || url.startsWith('/containers/json') ? serving(url) : 'break'), { isEager: true })
  await until(() => source.health.state === 'failing')
  isWell = true
  source.ask({ containerId: OTHER, why: 'birth' })
  await until(() => [ID, OTHER].every((id) => seen().some((fact) => fact.kind === 'workload' && fact.containerId === id && fact.pid === 77)))
})

test('on a node of Kubernetes with another runtime it is not asked about pods', async () => {
  const { source, server, seen } = await setUp(serving)
  source.ask({ containerId: OTHER, podUid: UID, why: 'birth' })
  source.ask({ containerId: ID, why: 'birth' })
  await until(() => seen().some((fact) => fact.kind === 'workload' && fact.pid === 77))
  expect(server.requests.filter(({ url }) => url.includes(OTHER))).toEqual([])
})

test('labels of cri-dockerd make a pod only where the cgroup is that pod\'s', () => {
  const labels = { 'io.kubernetes.pod.uid': UID, 'io.kubernetes.pod.name': 'vault-0', 'io.kubernetes.pod.namespace': 'bank', 'io.kubernetes.container.name': 'vault', 'io.kubernetes.docker.type': 'container' }
  const of = (CgroupParent: string, name = '/k8s_vault_vault-0_bank'): NameFact | undefined => inspectedFacts({ Id: ID, Name: name, Config: { Labels: labels }, HostConfig: { CgroupParent } }, undefined)[0]
  expect(of(`/kubepods/burstable/pod${UID}`)).toMatchObject({ podUid: UID, namespace: 'bank', pod: 'vault-0', container: 'vault', role: 'container' })
  expect(of(`kubepods-burstable-pod${UID.replaceAll('-', '_')}.slice`)).toMatchObject({ podUid: UID })
  for (const parent of ['', '/docker', 'system.slice', '/kubepods/burstable/pod1399d9c7-c86f-4371-8568-07b3d32258a4']) {
    expect(of(parent, '/evil')).toMatchObject({ container: 'evil' })
    for (const key of ['podUid', 'namespace', 'pod']) expect(of(parent, '/evil'), parent).not.toHaveProperty(key)
  }
  expect(listedOf(line(ID, 'running', labels))?.fact).not.toHaveProperty('container')
})

test.each<[string, Reply, RegExp]>([
  ['hangs', 'hang', /no answer within 0\.3 s/], ['sends a byte now and then', 'drip', /no answer within 0\.3 s/], ['breaks off', 'break', /broke off|request failed|ECONNRESET/], ['answers garbage', { raw: '\u001b[2J{' }, /not JSON/], ['answers something else', { body: { message: 'x' } }, /no list/],
  ['refuses', { status: 500, body: {} }, /status 500/], ['answers without end', { raw: `[${' '.repeat(9 * 2 ** 20)}]` }, /more than 8 MiB/],
])('a daemon that %s is said to fail, and asked again when it is well', async (_, bad, words) => {
  let isWell = false
  const { source, seen } = await setUp((url) => (isWell ? serving(url) : bad), { isEager: true, ...(bad === 'hang' || bad === 'drip' ? { timeoutMs: 300 } : {}) })
  expect(source.health).toMatchObject({ state: 'failing', reason: expect.stringMatching(words) })
  expect(JSON.stringify(source.health)).not.toContain('\\u001b')
  expect(source.take()).toEqual([])
  isWell = true
  await until(() => { source.ask({ containerId: OTHER, why: 'birth' }); return source.health.state === 'answering' })
  await until(() => seen().length > 0)
})

test('a socket that is not there is absent, one that somebody named is a failure; one behind which nobody runs is left asleep', async () => {
  const directory = fresh(), path = join(directory, 'none.sock'), state = async (options: DockerOptions, at = path) => { const source = new DockerSource('docker', at, options); opened.push(source); source.start(); await source.settled; return source.health }
  expect(await state({})).toEqual({ state: 'absent' })
  expect(await state({ isNamed: true })).toMatchObject({ state: 'failing', reason: expect.stringContaining('there is no such socket') })
  const server = await fakeHttp(serving, { path: join(directory, 'd.sock') })
  opened.push(server)
  expect(await state({ isEager: true, pidFile: join(directory, 'docker.pid') }, join(directory, 'd.sock'))).toMatchObject({ state: 'absent', reason: expect.stringContaining('nobody runs behind it') })
  expect(server.requests).toEqual([])
  writeFileSync(join(directory, 'docker.pid'), '1')
  expect(await state({ isEager: true, pidFile: join(directory, 'docker.pid') }, join(directory, 'd.sock'))).toMatchObject({ state: 'answering' })
})

test('nothing that it says is longer, wilder or of another kind than a row may be', () => {
  const wild = { Id: ID, Name: `/\u001b]0;x\u0007${'n'.repeat(1e6)}`, RestartCount: -3, State: { Status: {}, Pid: '7', ExitCode: 1e300, Error: '\u0000\n'.repeat(9999), StartedAt: 'x' }, Config: { Image: ['x'], Labels: { app: '{red-fg}\n\u009b2J', x: 7 } }, HostConfig: { Memory: -1, OomScoreAdj: 'x', CgroupParent: null } }
  for (const value of [wild, null, 7, [], {}, { Id: 'x' }, { Id: ID }, { Id: ID, State: null, Config: 7 }]) {
    const facts = inspectedFacts(value, undefined), said = JSON.stringify(facts)
    expect(said.length).toBeLessThan(3000)
    expect(said).not.toMatch(/\\u00(?:0|1|7f|8|9)/)
    listedOf(value)
  }
})

test('a closed source says so, takes no question and forgets its timers', async () => {
  const { source, server, path } = await setUp(serving), second = new DockerSource('docker', path, { timeoutMs: 20_000 }), facts: NameFact[] = []
  opened.push(second)
  source.close()
  source.ask({ containerId: OTHER, why: 'birth' })
  expect(source.health.state).toBe('closed')
  second.start()
  second.ask({ containerId: ID, why: 'birth' })
  await until(() => { facts.push(...second.take()); return facts.some((fact) => fact.kind === 'workload' && fact.pid === 77) })
  expect(server.requests.filter(({ url }) => url.startsWith('/containers/json'))).toHaveLength(1)
})
