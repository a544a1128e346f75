/** What a source may say: bounded text without control characters, labels of a safe subset; the log directories as a source. */
import { describe, expect, test } from 'vitest'
import { labelText, labelsOf, MAX_LABELS_TEXT, MAX_TEXT, rowText } from '../../../src/identity/name-source.ts'
import { PodLogSource } from '../../../src/identity/pod-log-source.ts'
import type { PodLogs } from '../../../src/identity/pod-logs.ts'

describe('text of strangers', () => {
  test('is bounded and has no control characters', () => {
    expect(rowText('\u001b[31mred\n')).toBe('?[31mred?')
    expect(rowText('x'.repeat(9999))).toHaveLength(MAX_TEXT)
    expect(rowText('')).toBeUndefined()
  })

  test('labels say what a workload is; the rest, secrets included, is not told', () => {
    const text = labelText(new Map([['app.kubernetes.io/name', 'web'], ['app', 'a\nb=c'], ['token', 'hunter2'], ['example.com/password', 'x']]))
    expect(text).toBe('app=a?b=c\napp.kubernetes.io/name=web')
    expect([...labelsOf(text ?? '')]).toEqual([['app', 'a?b=c'], ['app.kubernetes.io/name', 'web']])
    expect(labelText(new Map([['token', 'x']]))).toBeUndefined()
  })

  test('ten thousand labels stay within the bound', () => {
    const many = new Map(Array.from({ length: 10_000 }, (_, i) => [`app.kubernetes.io/k${i}`, 'v'.repeat(1000)] as const))
    expect((labelText(many) ?? '').length).toBeLessThanOrEqual(MAX_LABELS_TEXT)
  })
})

describe('the log directories', () => {
  const source = (logs: Partial<PodLogs>) => new PodLogSource(async () => ({ names: [], skipped: 0, truncated: false, ...logs }))

  test('tell a name once', async () => {
    const logs = source({ names: [{ podUid: 'u1', namespace: 'shop', pod: 'web' }, { podUid: 'u1', namespace: 'shop', pod: 'web' }] })
    logs.start()
    await logs.settled
    expect(logs.take()).toEqual([{ kind: 'workload', podUid: 'u1', namespace: 'shop', pod: 'web' }])
    expect(logs.take()).toEqual([])
    expect(logs.health.state).toBe('answering')
    logs.close()
  })

  test('that are not there are absent, unreadable ones failing with the reason', async () => {
    for (const [logs, health] of [[source({}), { state: 'absent' }], [source({ failure: '/var/log/pods: EACCES' }), { state: 'failing', reason: '/var/log/pods: EACCES' }]] as const) {
      logs.start()
      await logs.settled
      expect(logs.health).toEqual(health)
      logs.close()
      expect(logs.health.state).toBe('closed')
    }
  })
})

test('a directory that hangs, or whose reading throws, is said; it is not read twice at once, and works again when it is well', async () => {
  let finish: (found: PodLogs) => void = () => undefined, reads = 0
  const none = { names: [], skipped: 0, truncated: false }, hanging = new PodLogSource(() => { reads += 1; return new Promise<PodLogs>((resolve) => { finish = resolve }) }, 5)
  hanging.start()
  await hanging.settled
  expect(hanging.health).toMatchObject({ state: 'failing', reason: 'no answer within 0.005 s' })
  hanging.start()
  expect(reads).toBe(1)
  finish({ ...none, names: [{ podUid: 'u', namespace: 'n', pod: 'p' }] })
  await Promise.resolve()
  await Promise.resolve()
  expect(hanging.health.state).toBe('answering')
  expect(hanging.take()).toHaveLength(1)
  hanging.close()
  const throwing = new PodLogSource(() => Promise.reject(new Error('x')))
  throwing.start()
  await throwing.settled
  expect(throwing.health).toMatchObject({ state: 'failing', reason: 'cannot be read' })
  throwing.start()
  throwing.close()
})
