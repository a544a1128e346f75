/** Does the recording tell of the pods what was asked of their runtime, and what it said? */
import { expect } from 'vitest'
import { killsOf, type CaseJson } from '../lab/recorder.ts'
import { rowsOf, type Rows } from '../lab/recording-rows.ts'
import { LIMIT, RESTARTS, SMALL_LIMIT, statusText, type Made, type PodFacts } from './proof.ts'

export type Told = { readonly rows: Rows; readonly cases: readonly CaseJson[] }

export const toldBy = async (main: string, file: string): Promise<Told> => ({ rows: await rowsOf(file), cases: (await killsOf(main, file)).cases })

/** Names, image, restarts and limit of each container, as asked for and as the kernel enforces it; the pod's owner; nothing of its secrets. */
export function expectNamed({ rows }: Told, pod: PodFacts): void {
  const named = rows.of('workload').filter(({ from }) => from === 'cri')
  expect(named.find(({ podUid, containerId }) => podUid === pod.uid && containerId === undefined)).toMatchObject({ namespace: pod.namespace, pod: pod.name, owner: 'Deployment/web', labels: 'app=web\npod-template-hash=6d4cf56db6', runtime: expect.stringMatching(/^containerd /) as string })
  expect(named.find(({ containerId }) => containerId === pod.sandboxId)).toMatchObject({ podUid: pod.uid, role: 'sandbox' })
  for (const { id, name, limitBytes, enforcedBytes } of pod.containers) {
    expect(named.findLast(({ containerId }) => containerId === id)).toMatchObject({ podUid: pod.uid, namespace: pod.namespace, pod: pod.name, container: name, role: 'container', restarts: RESTARTS, memoryLimitBytes: limitBytes, image: expect.stringContaining('oomscope/lab') as string })
    if (enforcedBytes !== undefined) expect(enforcedBytes).toBe(limitBytes)
  }
  expect(JSON.stringify(rows.events)).not.toContain('hunter2')
  expect([LIMIT, SMALL_LIMIT]).toContain(pod.containers[0]?.limitBytes)
}

/** The case of a container's death has its names, the limit it hit, and its runtime's word. */
export function expectCase({ cases, rows }: Told, pod: PodFacts, dead: Made): void {
  const said = cases.filter(({ victims }) => victims.some(({ path }) => path === dead.path))
  expect(said).toHaveLength(1)
  expect(said[0]).toMatchObject({ cause: 'container-limit', limit: { path: dead.path, limitBytes: dead.limitBytes } })
  expect(said[0]?.victims[0]?.workload).toMatchObject({ podUid: pod.uid, containerId: dead.id, namespace: pod.namespace, pod: pod.name, container: dead.name })
  expect(said[0]?.sentence).toContain(`Container ${dead.name} of pod ${pod.namespace}/${pod.name}`)
  expect(said[0]?.evidence.filter(({ source }) => source === 'cri container status').map(({ fact }) => fact)).toEqual([`its runtime says of container ${dead.name} of pod ${pod.namespace}/${pod.name}: ${statusText(dead)}`])
  expect(rows.of('container_status').findLast(({ containerId }) => containerId === dead.id)).toMatchObject({ from: 'cri', state: 'exited', ...dead.word })
}

/** A child died at the limit, the container lives on: the kernel killed, and the runtime's label of the container is contradicted. */
export function expectBereft({ cases, rows }: Told, dead: Made): void {
  const said = cases.filter(({ victims }) => victims.some(({ path }) => path === dead.path))
  expect(said).toHaveLength(1)
  expect(said[0]).toMatchObject({ cause: 'container-limit', limit: { path: dead.path, limitBytes: dead.limitBytes } })
  expect(rows.of('container_status').findLast(({ containerId }) => containerId === dead.id)).toMatchObject({ state: 'running', reason: 'OOMKilled' })
  expect(said[0]?.differences.filter((text) => text.includes('although it runs on'))).toHaveLength(1)
}
