/** Which container to ask about next: rates, repeats, bounds; the clock is the test's. */
import { describe, expect, test } from 'vitest'
import { Asks, MAX_ASKS } from '../../../src/identity/asks.ts'

const ids = (asks: readonly { readonly containerId: string }[]): string[] => asks.map(({ containerId }) => containerId)

describe('questions', () => {
  test('are asked once at a time, and again later and later until it is enough', () => {
    const asks = new Asks()
    asks.add({ containerId: 'a', why: 'birth' }, 0)
    asks.add({ containerId: 'a', why: 'birth' }, 0)
    expect(ids(asks.due(0, 10))).toEqual(['a'])
    expect(asks.due(0, 10)).toEqual([])
    const times: number[] = []
    for (let now = 0; asks.size > 0; now = times.at(-1) ?? 0) {
      asks.again('a', now)
      const wait = asks.waitMs(now)
      if (wait === undefined) break
      expect(asks.due(now + wait - 1, 10)).toEqual([])
      expect(ids(asks.due(now + wait, 10))).toEqual(['a'])
      times.push(now + wait)
    }
    expect(times).toEqual([50, 150, 350, 850, 1850, 3850, 8850])
  })

  test('about a victim go before its birth, and a name does not answer them', () => {
    const asks = new Asks()
    asks.add({ containerId: 'a', why: 'birth' }, 0)
    asks.add({ containerId: 'b', why: 'birth' }, 0)
    asks.add({ containerId: 'a', why: 'victim' }, 0)
    asks.named('a')
    asks.named('b')
    expect(asks.due(0, 10)).toMatchObject([{ containerId: 'a', why: 'victim' }])
  })

  test('about one that was killed again begin anew: Docker and podman start it under its id', () => {
    const asks = new Asks()
    asks.add({ containerId: 'a', why: 'victim' }, 0)
    asks.due(0, 10)
    asks.become('a', 'exited')
    asks.again('a', 0)
    asks.add({ containerId: 'a', why: 'victim' }, 100)
    expect(asks.due(100, 10)).toMatchObject([{ containerId: 'a', why: 'victim' }])
  })

  test('are no more than 50 a second, after a burst', () => {
    const asks = new Asks()
    for (let i = 0; i < 1000; i++) asks.add({ containerId: String(i), why: 'birth' }, 0)
    let asked = 0
    for (let now = 0; now <= 4000; now += 100) {
      const due = asks.due(now, 1000)
      asked += due.length
      for (const { containerId } of due) asks.done(containerId)
    }
    expect(asked).toBe(100 + 4 * 50)
  })

  test('are bounded in number', () => {
    const asks = new Asks()
    for (let i = 0; i < 2 * MAX_ASKS; i++) asks.add({ containerId: String(i), why: 'birth' }, 0)
    expect(asks.size).toBe(MAX_ASKS)
  })

  test('that a broken connection cut short were not asked', () => {
    const asks = new Asks()
    asks.add({ containerId: 'a', why: 'victim' }, 0)
    asks.due(0, 10)
    asks.release('a')
    expect(ids(asks.due(20, 10))).toEqual(['a'])
  })
})
