/** Names learned from the kubelet's log directories, hostile entries included. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { parseContainerLink, parsePodDirectory, podLogReader } from '../../../src/identity/pod-logs.ts'

const UID = '26ab26cd-6409-443f-a13c-fd6c231207c8', ID = 'a'.repeat(64), OTHER_ID = 'b'.repeat(64)
let root = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'oomscope-logs-'))
  mkdirSync(join(root, 'pods'))
  mkdirSync(join(root, 'containers'))
})
afterEach(() => rmSync(root, { recursive: true }))
const reader = (maxEntries?: number) => podLogReader({ podsDirectory: join(root, 'pods'), containersDirectory: join(root, 'containers'), ...(maxEntries === undefined ? {} : { maxEntries }) })
const read = (maxEntries?: number) => reader(maxEntries)()

test('pods come from directory names, containers from links, joined by the link\'s target', async () => {
  mkdirSync(join(root, 'pods', `batch_etl-0_${UID}`))
  symlinkSync(`/var/log/pods/batch_etl-0_${UID}/etl/0.log`, join(root, 'containers', `etl-0_batch_etl-${ID}.log`))
  expect(await read()).toEqual({ skipped: 0, truncated: false, names: [
    { namespace: 'batch', pod: 'etl-0', podUid: UID },
    { namespace: 'batch', pod: 'etl-0', container: 'etl', containerId: ID, podUid: UID },
  ] })
})

test('a link that points into another pod gives no pod uid', async () => {
  symlinkSync(`/var/log/pods/kube-system_dns_${UID}/etl/0.log`, join(root, 'containers', `etl-0_batch_etl-${ID}.log`))
  writeFileSync(join(root, 'containers', `etl-0_batch_etl-${OTHER_ID}.log`), '')
  const { names } = await read()
  expect(names).toHaveLength(2)
  for (const name of names) expect(name.podUid).toBeUndefined()
})

test('hostile and foreign names are skipped and counted', async () => {
  for (const name of ['\u001b[2J', `a_b_c_${UID}`, `batch_etl_${UID}x`, `BATCH_etl_${UID}`, '..evil', `batch_${'x'.repeat(200)}\n_${UID.slice(0, 8)}`]) mkdirSync(join(root, 'pods', name))
  expect(await read()).toEqual({ names: [], skipped: 6, truncated: false })
})

test('only so many entries are read, and it says so', async () => {
  for (let i = 0; i < 5; i++) mkdirSync(join(root, 'pods', `ns${i}_pod_${UID}`))
  const found = await read(3)
  expect(found.names).toHaveLength(3)
  expect(found.truncated).toBe(true)
})

test('what did not change is not read again; what came within one tick of the clock, or went, is seen', async () => {
  const again = reader(), pods = join(root, 'pods'), make = (name: string): void => { mkdirSync(join(pods, `${name}_pod_${UID}`)); utimesSync(pods, 1000, 1000) }
  const namespaces = async (): Promise<readonly string[]> => (await again()).names.map(({ namespace }) => namespace).sort()
  make('a')
  symlinkSync(`/var/log/pods/batch_etl-0_${UID}/etl/0.log`, join(root, 'containers', `etl-0_batch_etl-${ID}.log`))
  utimesSync(join(root, 'containers'), 1000, 1000)
  expect(await namespaces()).toEqual(['a', 'batch'])
  make('b')
  expect(await namespaces()).toEqual(['a', 'b', 'batch'])
  expect(await again()).toBe(await again())
  rmSync(join(root, 'containers', `etl-0_batch_etl-${ID}.log`))
  mkdirSync(join(pods, `c_pod_${UID}`))
  expect(await namespaces()).toEqual(['a', 'b', 'c'])
})

test('a node without a kubelet has no names and no failure', async () => {
  expect(await podLogReader({ podsDirectory: join(root, 'none'), containersDirectory: join(root, 'none2') })()).toEqual({ names: [], skipped: 0, truncated: false })
})

test('a link name that lost its id to truncation is nobody\'s', () => {
  expect(parseContainerLink(`${'p'.repeat(200)}_batch_etl-${'a'.repeat(30)}.log`)).toBeUndefined()
  expect(parsePodDirectory(`kube-system_etcd-node_${'0'.repeat(32)}`)).toMatchObject({ pod: 'etcd-node', podUid: '0'.repeat(32) })
})
