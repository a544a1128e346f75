/** Whoever may make cgroups gives them any name, also a real pod's: the pod's names, rows, stories and trust are not for them. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { identityOf } from '../../../src/identity/path.ts'
import { workloadIn, workloadOf } from '../../../src/identity/workload.ts'
import { verdictOf } from '../../../src/verdict/verdict.ts'
import { killJson } from '../../../src/view/kill-json.ts'
import { placeLabel } from '../../../src/view/lens.ts'
import { momentOf } from '../../../src/view/moment.ts'
import { overviewRows } from '../../../src/view/overview.ts'
import { addKill, addMemcg, addPod, emptyNode, M, tell, TEST_LENS } from '../../helpers/node-model.ts'

const UID = '26ab26cd-6409-443f-a13c-fd6c231207c8', SLICED = UID.replaceAll('-', '_'), ID = 'a'.repeat(64), THEIRS = 'b'.repeat(64)
const POD_FS = `kubepods/burstable/pod${UID}/${ID}`, POD_SYSTEMD = `kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${SLICED}.slice/cri-containerd-${ID}.scope`

/** Where this node's kubelet or its runtime makes cgroups, and nobody else. */
const OWN: readonly string[] = [
  `/${POD_FS}`, `/${POD_SYSTEMD}`, `/kubelet/${POD_FS}`, `/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod${SLICED}.slice/cri-containerd-${ID}.scope`, `/ecs/task/task-1/${POD_FS}`,
  ...['containerd', 'crio', 'k3s', 'k3s-agent', 'rke2-server', 'k0sworker', 'snap.microk8s.daemon-containerd'].map((unit) => `/system.slice/${unit}.service/kubepods-burstable-pod${SLICED}.slice:cri-containerd:${ID}`),
  `/podruntime.slice/containerd.service/kubepods-besteffort-pod${SLICED}.slice:cri-containerd:${ID}`, `/../../${POD_FS}`,
]

/** Who else could have made it. */
const FOREIGN: readonly (readonly [path: string, within: string])[] = [
  [`/docker/${THEIRS}/${POD_FS}`, THEIRS], [`/system.slice/docker-${THEIRS}.scope/${POD_FS}`, THEIRS], [`/system.slice/docker-${THEIRS}.scope/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod${SLICED}.slice/cri-containerd-${ID}.scope`, THEIRS],
  [`/machine.slice/libpod-${THEIRS}.scope/container/${POD_SYSTEMD}`, THEIRS], [`/system.slice/docker-${THEIRS}.scope/system.slice/containerd.service/kubepods-pod${SLICED}.slice:cri-containerd:${ID}`, THEIRS],
  [`/lxc/web/${POD_FS}`, 'web'], [`/lxc.payload.web/${POD_FS}`, 'lxc.payload.web'], [`/lxc/web/docker/${ID}`, 'web'],
  [`/user.slice/user-1000.slice/user@1000.service/${POD_FS}`, 'user-1000.slice'], [`/user.slice/user-1000.slice/user@1000.service/user.slice/docker-${ID}.scope`, 'user-1000.slice'],
  [`/user.slice/user-1000.slice/user@1000.service/containerd.service/kubepods-pod${SLICED}.slice:cri-containerd:${ID}`, 'user-1000.slice'],
  [`/system.slice/runner.service/${POD_FS}`, 'runner.service'], [`/system.slice/runner.service/kubepods-pod${SLICED}.slice:cri-containerd:${ID}`, 'runner.service'], [`/machine.slice/machine-c1.scope/payload/${POD_SYSTEMD}`, 'machine-c1.scope'],
]

test.each(OWN)('names of this node are for %s', (path) => {
  expect(identityOf(path)).toMatchObject({ podUid: UID, containerId: ID })
  expect(identityOf(path).within).toBeUndefined()
})

test.each(FOREIGN)('%s is somebody else\'s', (path, within) => {
  expect(identityOf(path)).toMatchObject({ containerId: ID, within })
  const model = emptyNode()
  tell(model, 'workload', 1, { from: 'cri', podUid: path.includes(UID) || path.includes(SLICED) ? UID : undefined, containerId: ID, namespace: 'bank', pod: 'vault-0', container: 'vault' })
  expect(workloadIn(model, path)).toEqual(workloadOf(path))
  expect(JSON.stringify([workloadIn(model, path), placeLabel(TEST_LENS, model, path)])).not.toMatch(/bank|vault/)
})

test('every vector with a node in it has it as its surroundings', () => {
  const vectors = JSON.parse(readFileSync(new URL('../../fixtures/identity-vectors.json', import.meta.url), 'utf8')) as { path: string; node?: string; podUid: string | null }[]
  const nested = vectors.filter(({ node }) => node !== undefined)
  expect(nested.length).toBeGreaterThanOrEqual(4)
  for (const { path, node } of nested) expect(identityOf(path).within, path).toBe(node)
  for (const { path, node, podUid } of vectors) if (podUid !== null && node === undefined) expect(identityOf(path).within, path).toBeUndefined()
})

test('a container that calls its own cgroup like a real pod gets no name, no row and no kill of that pod', () => {
  const model = emptyNode(), real = addPod(model, 'bank/vault-0', { used: 100 * M, max: 200 * M }), path = real.path
  const forged = addMemcg(model, `/docker/${THEIRS}${path}`, { used: 7 * M, max: 8 * M })
  addMemcg(model, `/docker/${THEIRS}${path.slice(0, path.lastIndexOf('/'))}`, { used: 7 * M })
  const killCase = addKill(model, forged, { secondsAgo: 5 })
  const rows = overviewRows(momentOf(TEST_LENS, model)), own = rows.find(({ name }) => name === 'bank/vault-0')
  expect(own).toMatchObject({ usedBytes: 100 * M, oomKills: 0 })
  expect(rows).toHaveLength(2)
  expect(rows.find((row) => row !== own)?.name).toMatch(/^pod 00000000-.* in b{12}$/)
  expect(verdictOf(model, killCase).sentence).toMatch(/^Container [0-9a-f]{12} of pod 00000000-\S+ in container b{12} reached its memory limit/)
  expect(JSON.stringify(killJson(killCase, model))).not.toMatch(/bank|vault/)
  expect(killJson(killCase, model).victims[0]?.workload).toMatchObject({ within: THEIRS })
})

test('what the kubelet says about a pod is not about a cgroup that only has its uid in the path', () => {
  const model = emptyNode(), real = addPod(model, 'bank/vault-0', {}), podUid = /pod([0-9a-f-]{36})/.exec(real.path)?.[1], forged = addMemcg(model, `/docker/${THEIRS}${real.path}`), nowNs = model.nowNs
  for (const [memcg, pid] of [[real, 71], [forged, 72]] as const) {
    tell(model, 'signal', nowNs, { signo: 9, code: 0, group: 1, result: 0, senderPid: 7, senderTid: 7, senderComm: 'containerd-shim', senderMemcgId: 1, targetTid: pid, targetComm: 'app' })
    tell(model, 'task_exit', nowNs + 1e6, { pid, comm: 'app', memcgId: memcg.id, exitCode: 9, maxRssPages: 3 })
  }
  tell(model, 'testimony', nowNs - 1e9, { from: 'kubelet', says: 'evicted', podUid })
  const causes = new Map(model.cases.map((one) => [one.victims[0]?.pid, verdictOf(model, one).cause]))
  expect(causes).toEqual(new Map([[71, 'eviction'], [72, 'runtime-stop']]))
})

test('a process in a tree that a container made is not trusted as a runtime, whatever it is called', () => {
  const model = emptyNode(), victim = addPod(model, 'bank/vault-0', {}), nested = addMemcg(model, `/docker/${THEIRS}/kubepods`), { nowNs } = model
  tell(model, 'signal', nowNs, { signo: 9, code: 0, group: 1, result: 0, senderPid: 7, senderTid: 7, senderComm: 'runc', senderMemcgId: nested.id, targetTid: 71, targetComm: 'app' })
  tell(model, 'task_exit', nowNs + 1e6, { pid: 71, comm: 'app', memcgId: victim.id, exitCode: 9, maxRssPages: 3 })
  expect(model.cases.map((one) => verdictOf(model, one).cause)).toEqual(['signal'])
})

test('a container\'s name that says another pod than the path is not believed', () => {
  const model = emptyNode(), path = `/${POD_FS}`
  tell(model, 'workload', 1, { from: 'docker', podUid: '1399d9c7-c86f-4371-8568-07b3d32258a4', containerId: ID, namespace: 'kube-system', pod: 'dns', container: 'coredns' })
  expect(workloadIn(model, path).pod).toBeUndefined()
  tell(model, 'workload', 2, { from: 'docker', podUid: UID, containerId: ID, namespace: 'web', pod: 'front', container: 'nginx' })
  expect(workloadIn(model, path)).toMatchObject({ namespace: 'web', pod: 'front', container: 'nginx' })
})
