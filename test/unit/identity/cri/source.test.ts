/** The source against a runtime that answers, lies, hangs, dies and comes back: names come when they can, nothing waits, nothing throws. */
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { callPath, READ_CALLS, type ReadCall } from '../../../../src/identity/cri/calls.ts'
import { CriSource } from '../../../../src/identity/cri/source.ts'
import type { NameFact } from '../../../../src/identity/name-source.ts'
import { FakeCri, idOf, podOf, uidOf } from '../../../helpers/cri/fake-cri.ts'
import { freshDirectories } from '../../../helpers/files.ts'

const fresh = freshDirectories(), LIMITS = { callMs: 300, listMs: 300, maxListBytes: 2 ** 20 }
const open: { close(): unknown }[] = []
afterEach(async () => { for (const one of open.splice(0)) await one.close() })

type Setup = { readonly fake: FakeCri; readonly source: CriSource; readonly facts: NameFact[]; readonly until: (isThere: (facts: readonly NameFact[]) => boolean) => Promise<void> }

/** A runtime (not yet listening) and a source that looks at its socket with short patience. */
function setup(listPeriodMs = 100_000): Setup {
  const fake = new FakeCri(join(fresh(), 'cri.sock')), source = new CriSource(fake.path, { limits: LIMITS, retryMs: [20], listPeriodMs }), facts: NameFact[] = []
  open.push(source)
  return { fake, source, facts, until: (isThere) => vi.waitFor(() => {
    facts.push(...source.take())
    expect(isThere(facts), JSON.stringify(facts.slice(-5))).toBe(true)
  }, { timeout: 8000, interval: 5 }) }
}
const listening = async (fake: FakeCri): Promise<void> => { await fake.listen(); open.push(fake) }
const reaches = (source: CriSource, state: string): Promise<void> => vi.waitFor(() => expect(source.health.state).toBe(state), { timeout: 8000, interval: 5 })
const named = (id: string) => (facts: readonly NameFact[]): boolean => facts.some((fact) => fact.kind === 'workload' && fact.containerId === id)
const limited = (id: string, limitBytes: number) => (facts: readonly NameFact[]): boolean => facts.some((fact) => fact.kind === 'workload' && fact.containerId === id && fact.memoryLimitBytes === limitBytes)

test('one that lists well and hangs up at once is asked less and less often', async () => {
  const waits: number[] = [], retryMs = new Proxy([1, 2, 3, 4], { get: (list, key) => {
    if (typeof key === 'string' && /^\d+$/.test(key)) waits.push(Number(key))
    return Reflect.get(list, key) as unknown
  } })
  const fake = new FakeCri(join(fresh(), 'cri.sock')).add(podOf(1, 1)), source = new CriSource(fake.path, { limits: LIMITS, retryMs })
  open.push(source)
  fake.faults.set('GetContainerEvents', 'die')
  await listening(fake)
  source.start()
  await vi.waitFor(() => expect(waits.length).toBeGreaterThanOrEqual(4), { timeout: 60_000, interval: 5 })
  expect(waits.slice(0, 4)).toEqual([0, 1, 2, 3])
  expect(fake.calls.filter((call) => call === callPath('ListContainers')).length).toBeGreaterThanOrEqual(3)
})

describe('a runtime that answers', () => {
  test('gives the pods, containers, limits and owners it has at the start', async () => {
    const { fake, source, facts, until } = setup()
    await listening(fake.add(podOf(1, 2)))
    source.start()
    await until(limited(idOf('1', 1), 2 ** 27))
    await until(limited(idOf('0', 1), 2 ** 26))
    expect(facts.find(({ kind, ...fact }) => kind === 'workload' && 'podUid' in fact && fact.podUid === uidOf(1))).toMatchObject({ namespace: 'team-1', owner: 'Deployment/web', labels: expect.stringContaining('app=web') as string, runtime: 'fakerd 1.2.3' })
    expect(facts.findLast((fact) => fact.kind === 'workload' && fact.containerId === idOf('1', 1))).toMatchObject({ container: 'sidecar-1', pod: podOf(1, 0).name, restarts: 1, role: 'container' })
    expect(facts.find((fact) => fact.kind === 'workload' && fact.containerId === idOf('f', 1))).toMatchObject({ role: 'sandbox' })
    expect(source.health).toMatchObject({ state: 'answering', detail: `fakerd 1.2.3 at ${fake.path}` })
  })

  test('is asked nothing but to read', async () => {
    const { fake, source, until } = setup()
    await listening(fake.add(podOf(1, 1)))
    source.start()
    await until(named(idOf('0', 1)))
    source.ask({ containerId: idOf('0', 1), why: 'victim' })
    source.ask({ containerId: idOf('9', 9), why: 'birth' })
    await vi.waitFor(() => expect(new Set(fake.calls)).toEqual(new Set(READ_CALLS.map(callPath))), { timeout: 8000 })
  })

  test('tells of a container that is born and dies between two lists, by its events', async () => {
    const { fake, source, facts, until } = setup(), pod = podOf(7, 1)
    await listening(fake)
    source.start()
    await vi.waitFor(() => expect(fake.streams.size).toBe(1), { timeout: 8000 })
    Object.assign(pod.containers[0] as object, { state: 'exited', exitCode: 137, reason: 'OOMKilled', finishedMs: 5000 })
    fake.tell(pod, idOf('0', 7), 1)
    await until(named(idOf('0', 7)))
    expect(facts.some(({ kind }) => kind === 'container_status')).toBe(false)
    fake.tell(pod, idOf('0', 7), 2)
    await until((all) => all.some((fact) => fact.kind === 'container_status' && fact.containerId === idOf('0', 7) && fact.reason === 'OOMKilled' && fact.finishedMs === 5000))
  })

  test('without events is asked about a container that was born, until it knows it', async () => {
    const { fake, source, until } = setup()
    fake.hasEvents = false
    await listening(fake)
    source.start()
    await vi.waitFor(() => expect(source.health.reason).toBe('it offers no container events'), { timeout: 8000 })
    source.ask({ containerId: idOf('0', 3), podUid: uidOf(3), why: 'birth' })
    source.ask({ containerId: idOf('f', 3), podUid: uidOf(3), why: 'birth' })
    await vi.waitFor(() => expect(fake.calls.filter((call) => call === callPath('ContainerStatus')).length).toBeGreaterThan(2), { timeout: 8000 })
    fake.add(podOf(3, 1))
    await until(limited(idOf('0', 3), 2 ** 26))
    await until((facts) => facts.some((fact) => fact.kind === 'workload' && fact.podUid === uidOf(3) && fact.owner === 'Deployment/web'))
    await until(named(idOf('f', 3)))
  })

  test('is asked about one whose limit was changed', async () => {
    const { fake, source, until } = setup(), pod = podOf(5, 1), container = pod.containers[0] as (typeof pod.containers)[number]
    await listening(fake.add(pod))
    source.start()
    await until(limited(container.id, 2 ** 26))
    Object.assign(container, { limitBytes: 2 ** 27 })
    source.ask({ containerId: container.id, podUid: uidOf(5), why: 'resized' })
    await until(limited(container.id, 2 ** 27))
  })

  test('is asked about a victim until it has noticed that it is dead, and why', async () => {
    const { fake, source, facts, until } = setup(), pod = podOf(5, 1), container = pod.containers[0] as (typeof pod.containers)[number]
    await listening(fake.add(pod))
    source.start()
    await until(named(container.id))
    source.ask({ containerId: container.id, why: 'victim' })
    await until((all) => all.some((fact) => fact.kind === 'container_status' && fact.state === 'running'))
    Object.assign(container, { state: 'exited', exitCode: 137, reason: 'Error' })
    await until((all) => all.some((fact) => fact.kind === 'container_status' && fact.reason === 'Error'))
    Object.assign(container, { reason: 'OOMKilled' })
    await until((all) => all.some((fact) => fact.kind === 'container_status' && fact.reason === 'OOMKilled'))
    expect(facts.filter(({ kind }) => kind === 'container_status')).toHaveLength(3)
  })

  test('is not asked again about a victim that it had and has removed, unlike about one it never had', async () => {
    const { fake, source, until } = setup(), times = (id: string): number => fake.asked.filter((asked) => asked === id).length
    await listening(fake.add(podOf(5, 1)))
    source.start()
    await until(limited(idOf('0', 5), 2 ** 26))
    fake.pods.clear()
    const before = times(idOf('0', 5))
    source.ask({ containerId: idOf('0', 5), why: 'victim' })
    source.ask({ containerId: idOf('0', 6), why: 'victim' })
    await vi.waitFor(() => expect(times(idOf('0', 6))).toBeGreaterThan(4), { timeout: 8000 })
    expect(times(idOf('0', 5)) - before).toBe(1)
  })

  test('lists what it knows again and again without a word, and learns what is new', async () => {
    const { fake, source, facts, until } = setup(20), lists = (): number => fake.calls.filter((call) => call === callPath('ListContainers')).length
    fake.hasEvents = false
    await listening(fake.add(podOf(1, 1)))
    source.start()
    await until(limited(idOf('0', 1), 2 ** 26))
    const told = facts.length, before = lists()
    await vi.waitFor(() => expect(lists()).toBeGreaterThan(before + 2), { timeout: 8000 })
    expect(source.take()).toEqual([])
    expect(facts).toHaveLength(told)
    fake.pods.delete(uidOf(1))
    fake.add(podOf(2, 1))
    await until(limited(idOf('0', 2), 2 ** 26))
    expect(facts.findLast((fact) => fact.kind === 'workload' && fact.podUid === uidOf(2) && fact.containerId === undefined)).toMatchObject({ owner: 'Deployment/web' })
  })

  test('says everything once', async () => {
    const { fake, source, facts, until } = setup()
    await listening(fake.add(podOf(1, 2)))
    source.start()
    await until(limited(idOf('0', 1), 2 ** 26))
    await until(limited(idOf('1', 1), 2 ** 27))
    fake.tell(podOf(1, 2), idOf('0', 1), 1)
    fake.tell(podOf(8, 1), idOf('0', 8), 1)
    await until(named(idOf('0', 8)))
    const texts = facts.map((fact) => JSON.stringify(fact))
    expect(new Set(texts).size).toBe(texts.length)
  })
})

describe('a runtime that is not there', () => {
  test('is missed where somebody named it, and found when it comes', async () => {
    const { fake, source, until } = setup()
    source.start()
    await source.settled
    expect(source.health).toEqual({ state: 'failing', reason: `${fake.path}: there is no such socket` })
    source.ask({ containerId: idOf('0', 1), why: 'victim' })
    await listening(fake.add(podOf(1, 1)))
    await until(named(idOf('0', 1)))
    await until((facts) => facts.some((fact) => fact.kind === 'container_status' && fact.containerId === idOf('0', 1)))
    expect(source.health.state).toBe('answering')
  })

  test('and comes back is followed again; who was asked about meanwhile is answered then', async () => {
    const { fake, source, facts, until } = setup()
    await fake.add(podOf(1, 1)).listen()
    source.start()
    await until(named(idOf('0', 1)))
    await fake.close()
    await reaches(source, 'failing')
    source.ask({ containerId: idOf('0', 2), why: 'victim' })
    const again = new FakeCri(fake.path), pod = podOf(2, 1)
    Object.assign(pod.containers[0] as object, { state: 'exited', exitCode: 137, reason: 'OOMKilled' })
    await listening(again.add(pod))
    await until((all) => all.some((fact) => fact.kind === 'container_status' && fact.containerId === idOf('0', 2) && fact.exitCode === 137))
    expect(named(idOf('0', 2))(facts)).toBe(true)
  })

  test.each([['that hangs up', ''], ['something else than HTTP/2', '220 mail ready\r\n'.repeat(100)]])('a socket with %s behind it is told, and tried again', async (_, says) => {
    const { fake, source } = setup(), sockets: Socket[] = []
    const server = createServer((socket) => { sockets.push(socket.on('error', () => undefined)); socket.end(says) })
    await new Promise<void>((resolve) => server.listen(fake.path, resolve))
    open.push({ close: () => { for (const socket of sockets) socket.destroy(); return new Promise((resolve) => server.close(resolve)) } })
    source.start()
    await vi.waitFor(() => expect(sockets.length).toBeGreaterThan(2), { timeout: 8000 })
    expect(source.health.state).toBe('failing')
  })
})

describe('a runtime that misbehaves', () => {
  const FAULTS: readonly (readonly [string, RegExp])[] = [
    ['hang', /no answer within 0\.3 s/], ['garbage', /not understood/], ['die', /closed|ended without|went away|ECONN|ERR_|EPIPE/], ['http', /HTTP status 503/], ['silent-end', /without a status/], ['compressed', /compressed/],
    ['huge', /more than \d+ are not read/], ['half', /no answer within/],
  ]
  test.each(FAULTS.flatMap(([fault, reason]) => (['Version', 'ListContainers'] as const).map((call) => ({ fault, call, reason }))))('$fault at $call is told, and names come once it is over', async ({ fault, call, reason }) => {
    const { fake, source, until } = setup()
    fake.faults.set(call, fault)
    await listening(fake.add(podOf(1, 1)))
    source.start()
    await source.settled
    expect(source.health).toMatchObject({ state: 'failing', reason: expect.stringMatching(reason) as string })
    fake.faults.clear()
    await until(limited(idOf('0', 1), 2 ** 26))
  })

  test.each(['hang', 'garbage', 'http', 'silent-end', 'huge', 'half', 'refuse'])('%s at ContainerStatus takes the limits, not the names', async (fault) => {
    const { fake, source, until } = setup()
    fake.faults.set('ContainerStatus', fault)
    await listening(fake.add(podOf(1, 2)))
    source.start()
    await until((facts) => named(idOf('0', 1))(facts) && named(idOf('1', 1))(facts))
    source.ask({ containerId: idOf('0', 1), why: 'victim' })
    fake.faults.clear()
    await until((facts) => facts.some((fact) => fact.kind === 'container_status' && fact.containerId === idOf('0', 1)))
  })

  test.each(['hang', 'refuse'])('limits that %s at ContainerStatus took come with a later list', async (fault) => {
    const { fake, source, until } = setup(50)
    fake.faults.set('ContainerStatus', fault)
    await listening(fake.add(podOf(1, 2)))
    source.start()
    await until(named(idOf('1', 1)))
    fake.faults.clear()
    await until((facts) => limited(idOf('0', 1), 2 ** 26)(facts) && limited(idOf('1', 1), 2 ** 27)(facts))
  })

  test.each(['hang', 'garbage', 'http', 'silent-end', 'huge'])('%s at the events leaves lists and questions', async (fault) => {
    const { fake, source, until } = setup()
    fake.faults.set('GetContainerEvents', fault)
    await listening(fake.add(podOf(1, 1)))
    source.start()
    await until(named(idOf('0', 1)))
    fake.add(podOf(2, 1))
    source.ask({ containerId: idOf('0', 2), why: 'birth' })
    await until(limited(idOf('0', 2), 2 ** 26))
    expect(source.health.state).toBe('answering')
  })

  test('that has no CRI at all is no fault of a node', async () => {
    const { fake } = setup()
    fake.faults.set('Version', 'refuse')
    await listening(fake)
    const source = new CriSource(fake.path, { limits: LIMITS, retryMs: [20] })
    open.push(source)
    source.start()
    await source.settled
    expect(source.health).toEqual({ state: 'failing', reason: `${fake.path}: speaks no CRI v1` })
  })

  test('names of escape sequences and secrets in labels stay out', async () => {
    const { fake, source, facts, until } = setup()
    await listening(fake.add({ ...podOf(1, 1), labels: { password: 'hunter2', app: '\u001b[2J{red-fg}' } }).add({ ...podOf(2, 1), name: '\u001b[2Jevil', containers: [{ id: 'nothex', name: 'x' }] }))
    source.start()
    await until(named(idOf('0', 1)))
    const text = JSON.stringify(facts)
    expect(text).not.toContain('hunter2')
    expect(text).not.toContain('u001b')
    expect(text).not.toContain('evil')
    expect(text).not.toContain('nothex')
  })
})

describe('the calls that are allowed', () => {
  test('only read', () => {
    expect(READ_CALLS.filter((call) => !/^(?:Version|List\w+|\w+Status|Get\w+)$/.test(call))).toEqual([])
    for (const call of ['RemoveContainer', 'StopContainer', 'ExecSync', 'Exec', 'RunPodSandbox', 'UpdateContainerResources', 'CheckpointContainer', '../ImageService/PullImage', '']) {
      expect(() => callPath(call as ReadCall)).toThrow('not a call that reads')
    }
  })
})

test('a node without any runtime has none, which is no fault', async () => {
  const source = new CriSource(undefined, { places: [join(fresh(), 'none.sock')], retryMs: [20] })
  open.push(source)
  source.start()
  await source.settled
  expect(source.health).toEqual({ state: 'absent' })
})
