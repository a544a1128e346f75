/** Names from a Kubernetes API and a Docker socket, through the program as a person runs it: in the recording, in `kills` and in `doctor`; its secrets nowhere. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { hasOpenssl, makeCertificates } from '../helpers/certificates.ts'
import { cli, startCli } from '../helpers/cli.ts'
import { fakeBridge } from '../helpers/fake-live.ts'
import { fakeHttp, until, type FakeHttp } from '../helpers/fake-http.ts'
import { skip } from '../helpers/skip.ts'
import { birth, hello, START_NS, streamFrames, usage } from '../helpers/stream.ts'
import { encodeFrames, schemaEvents } from '../../src/wire/encode.ts'
import { FLAG } from '../../src/wire/frame.ts'
import { decision } from '../unit/model/build.ts'
import { pod } from '../unit/identity/kubernetes/pod.ts'

const TOKEN = 'eyJhbGciOiJSUzI1NiJ9.s3cr3t-t0ken', UID = '26ab26cd-6409-443f-a13c-fd6c231207c8', ID = 'a'.repeat(64), DOCKER_ID = 'f'.repeat(64)
let directory = '', api: FakeHttp, docker: FakeHttp, options: string[] = []

beforeEach((context) => { if (!hasOpenssl()) skip(context, 'openssl is not installed: no certificates') })
beforeAll(async () => {
  if (!hasOpenssl()) return
  directory = mkdtempSync(join(tmpdir(), 'oomscope-test-'))
  const { ca, serverCert, serverKey } = makeCertificates(directory, 'DNS:worker-3,IP:127.0.0.1')
  // A server that says the secret back, in a body and in a header.
  api = await fakeHttp((url, request) => (url.startsWith('/api/v1/pods') ? { body: { items: [pod()] }, server: 'api' } : { status: 403, body: { message: String(request.headers.authorization) }, server: String(request.headers.authorization) }), { tls: { key: serverKey, cert: serverCert } })
  docker = await fakeHttp((url) => (url.startsWith('/containers/json') ? { body: [{ Id: DOCKER_ID, Names: ['/postgres'], State: 'running', Labels: {} }] } : { body: { Id: DOCKER_ID, Name: '/postgres', State: { Status: 'running', Pid: 9 }, Config: { Env: ['PASSWORD=hunter2'] }, HostConfig: { Memory: 1 << 26 } } }), { path: join(directory, 'docker.sock') })
  writeFileSync(join(directory, 'kubeconfig'), `apiVersion: v1\ncurrent-context: c\ncontexts:\n- name: c\n  context: {}\n`.replace('  context: {}\n', '  context:\n    cluster: k\n    user: u\n')
    + `clusters:\n- name: k\n  cluster:\n    server: https://127.0.0.1:${api.port}\n    certificate-authority-data: ${Buffer.from(ca).toString('base64')}\nusers:\n- name: u\n  user:\n    token: ${TOKEN}\n`)
  options = ['--kubeconfig', join(directory, 'kubeconfig'), '--kubelet', `https://127.0.0.1:${api.port}`, '--docker', join(directory, 'docker.sock'), '--node', 'worker-3', '--cri', 'off', '--podman', 'off']
})
afterAll(async () => {
  if (!hasOpenssl()) return
  await Promise.all([api.close(), docker.close()])
  rmSync(directory, { recursive: true })
})

const noSecret = (text: string): void => { for (const secret of [TOKEN, 's3cr3t', 'hunter2', 'Bearer']) expect(text, secret).not.toContain(secret) }

test('record learns names from both and keeps no secret; kills tells them', async () => {
  const file = join(directory, 'a.oom'), path = `/kubepods/burstable/pod${UID}/${ID}`, at = START_NS + 5e8
  const born = [hello(), ...schemaEvents(START_NS), birth(START_NS, 1), { ...birth(START_NS, 7), path, by: 'walk' }, { ...birth(START_NS, 8), path: `/system.slice/docker-${DOCKER_ID}.scope`, by: 'walk' }, usage(START_NS, 7, 5)]
  const kill = [7, 8].flatMap((memcgId) => decision({ tid: 384 + memcgId, tsNs: at + memcgId * 1e9, memcgId, victims: [{ pid: 380 + memcgId, memcgId }] }))
  const frames = [...encodeFrames(born, FLAG.hello | FLAG.keyframe), ...encodeFrames(kill), ...streamFrames({ seconds: 12 }).slice(1)]
  const { env } = fakeBridge(directory, [{ frames, ticks: encodeFrames([usage(START_NS + 13e9, 7, 5)]) }])
  const running = startCli(['record', '-o', file, '--no-probes', ...options], { env })
  await until(() => existsSync(file) && ['web-7d9f8c6b5-x2x4z', 'postgres', 'Docker/20.10.24'].every((name) => readFileSync(file).includes(name)))
  running.child.kill('SIGINT')
  const ended = await running.ended
  noSecret(ended.stdout + ended.stderr)
  noSecret(execFileSync('sh', ['-c', `cat "${file}"*`], { encoding: 'latin1' }))
  const kills = await cli(['kills', file])
  expect(kills.stdout.replace(/\s+/g, ' ')).toContain('Container nginx of pod shop/web-7d9f8c6b5-x2x4z reached its memory limit')
  expect(kills.stdout.replace(/\s+/g, ' ')).toContain('Container postgres reached its memory limit')
  const json = (await cli(['kills', '--json', file])).stdout.trim().split('\n').map((line) => JSON.parse(line) as { victims: { workload: object }[] })
  expect(json.map(({ victims }) => victims[0]?.workload)).toEqual(expect.arrayContaining([
    expect.objectContaining({ namespace: 'shop', container: 'nginx', owner: 'Deployment/web', image: 'nginx:1.27', restarts: 3, priority: 1000, memoryRequestBytes: 128 << 20, memoryLimitBytes: 256 << 20 }),
    expect.objectContaining({ container: 'postgres', memoryLimitBytes: 1 << 26 }),
  ]))
  expect(new Set([...api.requests, ...docker.requests].map(({ method }) => method))).toEqual(new Set(['GET']))
})

test.each([[[]], [['--json']]])('doctor %s says who answers and why another does not, without a secret', async (more) => {
  const { stdout, stderr } = await cli(['doctor', ...more, ...options])
  noSecret(stdout + stderr)
  for (const words of ['Kubernetes API at 127.0.0.1', 'docker', 'status 403']) expect(stdout).toContain(words)
})

test('kills --cgroup lists the kills of a part, and says what it left out', async () => {
  const demo = fileURLToPath(new URL('../fixtures/recordings/three-kills-v1.oom', import.meta.url)), pods = async (pattern?: string): Promise<number> => (await cli(['kills', '--json', ...(pattern === undefined ? [] : ['--cgroup', pattern]), demo])).stdout.split('\n').filter(Boolean).length
  expect([await pods(), await pods('**/*-besteffort-pod*'), await pods('/kubepods.slice/kubepods-burstable.slice'), await pods('web.service')]).toEqual([3, 1, 2, 0])
  expect((await cli(['kills', '--cgroup', 'web.service', demo])).stdout).toMatch(/only cgroups that match web\.service[^]*0 kill cases/)
  expect(await cli(['kills', '--cgroup', '//', demo])).toMatchObject({ code: 2, stderr: expect.stringContaining("cannot use --cgroup '//'") })
})

test('--no-names asks nobody', async () => {
  const before = api.requests.length + docker.requests.length
  const { stdout } = await cli(['doctor', '--no-names'])
  expect(stdout).toContain('nobody is asked (--no-names)')
  expect(api.requests.length + docker.requests.length).toBe(before)
  expect(await cli(['doctor', '--no-names', '--docker', '/x'])).toMatchObject({ code: 2, stderr: expect.stringContaining('cannot use --no-names with --docker') })
})
