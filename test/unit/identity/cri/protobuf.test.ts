/** Reading CRI's messages from bytes of a stranger: right when they are right, an error of our own when not, never anything else. */
import { describe, expect, test } from 'vitest'
import { readContainers, readContainerStatus, readEvent, readSandboxes, readVersion, REQUESTS } from '../../../../src/identity/cri/messages.ts'
import { MalformedMessage, MessageReader, messageField, textField } from '../../../../src/identity/cri/protobuf.ts'
import { field, map, message } from '../../../helpers/cri/encode.ts'

const STATUS = message({
  1: 'c1', 2: message({ 1: 'app', 2: 4 }), 3: 2, 5: 1_700_000_000_000_000_000n, 6: 1_700_000_001_500_000_000n, 7: 137, 8: message({ 1: 'sha256:abc', 18: 'shop/web:3' }),
  10: 'OOMKilled', 12: map({ a: 'b' }), 13: map({ 'io.kubernetes.container.restartCount': '4', secret: 'hunter2' }), 16: message({ 1: message({ 4: 64 << 20, 5: -998 }) }),
})
const ANSWER = message({ 1: STATUS, 2: map({ info: '{"env":["TOKEN=hunter2"]}' }) })
const statusOf = (bytes: Buffer) => readContainerStatus(new MessageReader(bytes))

describe('a message', () => {
  test('of a container\'s status is read with its limits, times and reason', () => {
    expect(statusOf(ANSWER)).toMatchObject({
      id: 'c1', name: 'app', attempt: 4, state: 'exited', exitCode: 137, reason: 'OOMKilled', image: 'shop/web:3',
      startedNs: 1.7e18, finishedNs: 1.7000000015e18, resources: { memoryLimitBytes: 64 << 20, oomScoreAdj: -998 },
    })
  })

  test('is read without its runtime\'s JSON, which has the environment in it', () => {
    expect(JSON.stringify(statusOf(ANSWER))).not.toContain('hunter2')
  })

  test('gives of its annotations only the number of restarts', () => {
    expect([...(statusOf(ANSWER)?.annotations ?? [])]).toEqual([['io.kubernetes.container.restartCount', '4']])
  })

  test('of a version, of lists and of events is read', () => {
    expect(readVersion(new MessageReader(message({ 1: '0.1.0', 2: 'containerd', 3: '1.6.20', 4: 'v1' })))).toEqual({ runtimeName: 'containerd', runtimeVersion: '1.6.20' })
    const containers = message({ 1: [message({ 1: 'c1', 2: 's1', 3: message({ 1: 'app' }), 6: 1 }), message({ 1: 'c2', 6: 9 }), message({ 1: 'known', 3: message({ 1: 'old' }) })] })
    const listed = readContainers(new MessageReader(containers), (id) => id === 'known')
    expect(listed.ids).toEqual(['c1', 'c2', 'known'])
    expect(listed.unknown.map(({ id, name, state }) => [id, name, state])).toEqual([['c1', 'app', 'running'], ['c2', '', 'unknown']])
    const sandboxes = message({ 1: [message({ 1: 's1', 2: message({ 1: 'web', 2: 'u1', 3: 'shop' }), 5: map({ app: 'web' }) }), message({ 1: 'known', 5: map({ app: 'old' }) })] })
    expect(readSandboxes(new MessageReader(sandboxes), (id) => id === 'known')).toEqual({ ids: ['s1', 'known'], unknown: [{ id: 's1', pod: { name: 'web', uid: 'u1', namespace: 'shop' }, labels: new Map([['app', 'web']]) }] })
    expect(readEvent(new MessageReader(message({ 1: 'c1', 2: 2, 4: message({ 1: 's1', 7: map({ app: 'web' }) }), 5: STATUS })))).toMatchObject({ containerId: 'c1', type: 2, sandbox: { id: 's1' }, statuses: [{ id: 'c1', exitCode: 137 }] })
  })

  test('with fields nobody knows is read without them, of every wire type', () => {
    const unknown = Buffer.concat([field(100, 5), field(101, 'text'), Buffer.from([0xb1, 0x06, 1, 2, 3, 4, 5, 6, 7, 8]), Buffer.from([0xb5, 0x06, 1, 2, 3, 4])])
    expect(statusOf(Buffer.concat([unknown, ANSWER, unknown]))).toMatchObject({ id: 'c1', reason: 'OOMKilled' })
  })

  test('from Go\'s zero time has no time', () => {
    expect(statusOf(message({ 1: message({ 1: 'c1', 6: -6795364578871345152n }) }))?.finishedNs).toBeLessThan(0)
  })
})

describe('bytes that are none', () => {
  const onlyMalformed = (bytes: Buffer): void => {
    for (const read of [readContainerStatus, readEvent, readVersion]) {
      try { read(new MessageReader(bytes)) } catch (error) { expect(error).toBeInstanceOf(MalformedMessage) }
    }
  }

  test('every prefix and every changed byte is read or refused, and nothing else', () => {
    for (let length = 0; length < ANSWER.length; length++) onlyMalformed(ANSWER.subarray(0, length))
    for (let at = 0; at < ANSWER.length; at++) {
      for (const value of [0, 1, 0x7f, 0x80, 0xff]) {
        const changed = Buffer.from(ANSWER)
        changed[at] = value
        onlyMalformed(changed)
      }
    }
  })

  test.each([
    ['a length beyond the end', Buffer.from([0x0a, 0xff, 0xff, 0x01, 1])], ['a number that never ends', Buffer.alloc(20, 0xff)],
    ['field number 0', Buffer.from([0x00, 0x01])], ['groups', Buffer.from([0x0b, 0x0c])], ['a number where text belongs', field(2, 5)],
  ])('%s is refused', (_, bytes) => {
    expect(() => readVersion(new MessageReader(bytes))).toThrow(MalformedMessage)
  })

  test('a map entry without a key, or with the value first, keeps nothing it should not', () => {
    const reversed = Buffer.concat([field(2, 'hunter2'), field(1, 'secret')])
    expect(statusOf(message({ 1: message({ 1: 'c1', 13: [reversed, Buffer.alloc(0)] }) }))?.annotations.size).toBe(0)
  })

  test('ten thousand labels are not all kept', () => {
    const labels = map(Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`io.kubernetes.pod.k${i}`, 'v'])))
    expect(statusOf(message({ 1: message({ 1: 'c1', 12: labels }) }))?.labels.size).toBe(200)
  })
})

test('requests are as another writer writes them', () => {
  expect(REQUESTS.containerStatus('c'.repeat(64))).toEqual(message({ 1: 'c'.repeat(64) }))
  expect(REQUESTS.sandboxesOfPod('u1')).toEqual(message({ 1: message({ 3: map({ 'io.kubernetes.pod.uid': 'u1' }) }) }))
  expect(messageField(200, textField(3, 'x'.repeat(300)))).toEqual(field(200, message({ 3: 'x'.repeat(300) })))
})
