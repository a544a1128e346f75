import { describe, expect, test } from 'vitest'
import { heirOf, ownerOf } from '../../../src/view/follow.ts'
import type { OverviewRow } from '../../../src/view/overview.ts'
import { matcher } from '../../../src/view/select.ts'

const row = (key: string, name: string, kind: OverviewRow['kind'] = 'pod'): OverviewRow => ({ key, name, kind } as OverviewRow)
const born = (births: Readonly<Record<string, number>>) => (of: OverviewRow): number => births[of.key] ?? 0

describe('whom a workload belongs to', () => {
  test.each([
    ['payments/api-7d9f8b6c5-x2lqp', 'payments/api'], ['payments/api-7d9f8b6c5-x2lqp:sidecar', 'payments/api'], ['kube-system/cilium-n6q8d', 'kube-system/cilium'], ['batch/etl-28391820-4h8sk', 'batch/etl-28391820'],
    ['kafka/broker-1', 'kafka/broker-1'], ['default/redis-0', 'default/redis-0'], ['web/front-end-abcde', 'web/front-end-abcde'], ['system.slice/cron.service', 'system.slice/cron.service'], ['pod 1f0c2a3e-5b7d-4c1e-9a63-0d2f4b6c8e10', 'pod 1f0c2a3e-5b7d-4c1e-9a63-0d2f4b6c8e10'],
  ])('%s is of %s', (name, owner) => { expect(ownerOf(name)).toBe(owner) })
})

describe('following', () => {
  const followed = { key: 'pod:a', name: 'payments/api-7d9f8b6c5-x2lqp', bornNs: 10 }
  test('stays with it while it lives, whatever else there is', () => {
    expect(heirOf(followed, [row('pod:b', 'payments/api-7d9f8b6c5-zzzzz'), row('pod:a', followed.name)], born({ 'pod:b': 99 }))).toBe(followed)
  })
  test('goes to the youngest pod of the same owner, never to one that was there before it or is of another namespace', () => {
    const rows = [row('pod:old', 'payments/api-7d9f8b6c5-bbbbb'), row('pod:c', 'payments/api-5c7b9d4f6b-ccccc'), row('pod:d', 'payments/api-5c7b9d4f6b-ddddd'), row('pod:e', 'search/api-5c7b9d4f6b-fffff'), row('pod:f', 'payments/apis-5c7b9d4f6b-ggggg')]
    expect(heirOf(followed, rows, born({ 'pod:old': 5, 'pod:c': 20, 'pod:d': 30, 'pod:e': 40, 'pod:f': 50 }))).toEqual({ key: 'pod:d', name: 'payments/api-5c7b9d4f6b-ddddd', bornNs: 30 })
  })
  test('waits while there is none', () => { expect(heirOf(followed, [row('pod:old', 'payments/api-7d9f8b6c5-bbbbb')], born({ 'pod:old': 5 }))).toBeUndefined() })
  test('goes to the same name: the next pod of a StatefulSet, a service that was started again', () => {
    expect(heirOf({ key: 'pod:x', name: 'kafka/broker-1', bornNs: 1 }, [row('pod:z', 'kafka/broker-2'), row('pod:y', 'kafka/broker-1')], born({ 'pod:y': 2, 'pod:z': 3 }))?.key).toBe('pod:y')
    expect(heirOf({ key: 'memcg:7', name: 'system.slice/cron.service', bornNs: 1 }, [row('memcg:9', 'system.slice/cron.service', 'unit')], born({ 'memcg:9': 2 }))?.key).toBe('memcg:9')
  })
})

describe('the filter by namespace', () => {
  const names = ['payments/api-1', 'web/payments-2', 'system.slice/payments.service', 'pod 1f0c']
  test.each([['ns:pay', ['payments/api-1']], ['!ns:pay', ['web/payments-2', 'system.slice/payments.service', 'pod 1f0c']], ['ns:', names]] as const)('%s', (filter, shown) => {
    expect(names.filter(matcher(filter))).toEqual(shown)
  })
})
