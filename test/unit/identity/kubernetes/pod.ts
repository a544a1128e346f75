/** A pod with every kind of container, for tests. */

const UID = '26ab26cd-6409-443f-a13c-fd6c231207c8', [A, B, C, D, E] = ['a', 'b', 'c', 'd', 'e'].map((c) => c.repeat(64)) as [string, string, string, string, string]

/** As kubectl get pod -o json shows it, with what is not read left out. */
export const pod = (over: { metadata?: object; spec?: object; status?: object } = {}): object => ({
  metadata: { name: 'web-7d9f8c6b5-x2x4z', namespace: 'shop', uid: UID, labels: { app: 'web', 'pod-template-hash': '7d9f8c6b5', secret: 'hunter2' }, ownerReferences: [{ kind: 'ReplicaSet', name: 'web-7d9f8c6b5', controller: true }], ...over.metadata },
  spec: { nodeName: 'worker-3', priority: 1000, containers: [{ name: 'nginx', image: 'nginx:1.27', resources: { requests: { memory: '128Mi' }, limits: { memory: '256Mi' } } }, { name: 'idle', image: 'idle' }],
    initContainers: [{ name: 'setup', image: 's', resources: { limits: { memory: '1G' } } }, { name: 'mesh', image: 'm', restartPolicy: 'Always', resources: { requests: { memory: '20M' } } }], ephemeralContainers: [{ name: 'debug', image: 'd' }], ...over.spec },
  status: { qosClass: 'Burstable', containerStatuses: [
    { name: 'nginx', containerID: `containerd://${A}`, restartCount: 3, lastState: { terminated: { containerID: `containerd://${B}`, exitCode: 137, reason: 'OOMKilled', message: 'password=hunter2', startedAt: '2026-11-20T12:00:00Z', finishedAt: '2026-11-20T12:00:07Z' } } },
    { name: 'idle', containerID: '', restartCount: 0 } ],
  initContainerStatuses: [{ name: 'setup', containerID: `cri-o://${C}`, restartCount: 0 }, { name: 'mesh', containerID: `docker://${D}`, restartCount: 0 }], ephemeralContainerStatuses: [{ name: 'debug', containerID: `containerd://${E}`, restartCount: 0 }], ...over.status },
})
