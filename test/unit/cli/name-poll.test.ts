import { expect, test } from 'vitest'
import { NamePoll } from '../../../src/cli/name-poll.ts'
import type { LearnedName } from '../../../src/identity/pod-logs.ts'
import { FLAG } from '../../../src/wire/frame.ts'

/** A poll over a list the test changes and a clock it moves. */
function poll(): { names: LearnedName[]; clock: { ms: number }; told: () => Promise<string[]>; looks: () => number } {
  const names: LearnedName[] = [], clock = { ms: 0 }
  let looks = 0
  const target = new NamePoll(async () => { looks += 1; return { names: [...names], skipped: 0, truncated: false } }, () => clock.ms)
  return { names, clock, looks: () => looks, told: async () => {
    target.items(5)
    await Promise.resolve()
    await Promise.resolve()
    return target.items(5).flatMap(({ frame, events }) => { expect(frame.flags).toBe(FLAG.names); return events.map((e) => (e.kind === 'workload' ? `${e.tsNs} ${e.pod} ${e.container ?? '-'}` : e.kind)) })
  } }
}

test('a name is told once, and again when it changes', async () => {
  const { names, clock, told } = poll()
  names.push({ podUid: 'u1', namespace: 'shop', pod: 'web' })
  expect(await told()).toEqual(['5 web -'])
  clock.ms = 4000
  names.push({ podUid: 'u1', containerId: 'c1', namespace: 'shop', pod: 'web', container: 'nginx' })
  expect(await told()).toEqual(['5 web nginx'])
  clock.ms = 8000
  names[0] = { podUid: 'u1', namespace: 'shop', pod: 'web-2' }
  expect(await told()).toEqual(['5 web-2 -'])
})

test('between two looks the directories are left alone', async () => {
  const { clock, told, looks } = poll()
  for (const ms of [0, 10, 2000, 2999]) { clock.ms = ms; await told() }
  expect(looks()).toBe(1)
  clock.ms = 3001
  await told()
  expect(looks()).toBe(2)
})
