/** What happens in the bundled recording: the pods of a small node, what each container does (test/workloads/actor.c), and when. */

export type Role = {
  readonly container: string
  /** The program's name. */
  readonly comm: string
  readonly limitMib?: number
  /** As the kubelet's MemoryQoS sets it (pkg/kubelet/cm/qos). */
  readonly highMib?: number
  readonly oomScoreAdj: number
  /** One for each time it is started; the last one lives. */
  readonly acts: readonly string[]
  /** The kubelet stops it: this long after its start, with this grace. */
  readonly stopAfterMs?: number
  readonly graceSeconds?: number
}
export type Scene = { readonly namespace: string; readonly pod: string; readonly labels: Readonly<Record<string, string>>; readonly podLimitMib?: number; readonly atMs: number; readonly roles: readonly Role[] }

/** There before the recording begins. */
export const BEFORE: readonly Scene[] = [
  { namespace: 'kube-system', pod: 'coredns-668d6bf9bc-7kq2d', labels: { 'k8s-app': 'kube-dns', 'pod-template-hash': '668d6bf9bc' }, atMs: 0, roles: [{ container: 'coredns', comm: 'coredns', limitMib: 170, oomScoreAdj: 952, acts: ['grow:16:200'] }] },
  { namespace: 'monitoring', pod: 'node-exporter-x8v4n', labels: { app: 'node-exporter' }, atMs: 0, roles: [{ container: 'node-exporter', comm: 'node_exporter', limitMib: 64, oomScoreAdj: 979, acts: ['grow:11:200'] }] },
]

export const SCENES: readonly Scene[] = [
  {
    // Spikes that no dashboard shows, then the limit, twice.
    namespace: 'shop', pod: 'checkout-7d9c5b7f6d-x2x4z', labels: { app: 'checkout', 'pod-template-hash': '7d9c5b7f6d' }, atMs: 0,
    roles: [
      {
        container: 'api', comm: 'checkout', limitMib: 96, oomScoreAdj: 937,
        acts: ['grow:28:1500 rest:4000 spike:42:120 rest:5000 spike:46:170 rest:5000 spike:38:90 rest:4500 grow:6:1500 rest:2500 grow:90:1800', 'grow:28:900 rest:4500 spike:44:130 rest:4000 grow:90:1600', 'grow:28:900'],
      },
      { container: 'istio-proxy', comm: 'envoy', limitMib: 64, oomScoreAdj: 937, acts: ['grow:14:600'] },
    ],
  },
  // A leak that has not got there yet.
  { namespace: 'data', pod: 'redis-0', labels: { app: 'redis', 'statefulset.kubernetes.io/pod-name': 'redis-0' }, atMs: 1000, roles: [{ container: 'redis', comm: 'redis-server', limitMib: 160, oomScoreAdj: 875, acts: ['grow:40:2000 grow:84:60000'] }] },
  // Slowed down by memory.high, and alive.
  { namespace: 'media', pod: 'thumbs-5c9d8f7b64-q9w2m', labels: { app: 'thumbs', 'pod-template-hash': '5c9d8f7b64' }, atMs: 2000, roles: [{ container: 'worker', comm: 'python3', limitMib: 128, highMib: 48, oomScoreAdj: 968, acts: ['grow:30:2000 rest:3000 grow:22:9000'] }] },
  {
    // The pod's own limit: who fills it is not who dies.
    namespace: 'batch', pod: 'etl-28870412-k9x7p', labels: { 'job-name': 'etl-28870412', 'batch.kubernetes.io/job-name': 'etl-28870412' }, podLimitMib: 112, atMs: 6000,
    roles: [{ container: 'extract', comm: 'extract', oomScoreAdj: 969, acts: ['grow:64:2500'] }, { container: 'load', comm: 'load', oomScoreAdj: 969, acts: ['grow:8:500 rest:5000 grow:52:2500'] }],
  },
  // Exit code 137, and no OOM: it does not hear SIGTERM.
  { namespace: 'shop', pod: 'orders-6b8f9d5c47-t5r8k', labels: { app: 'orders', 'pod-template-hash': '6b8f9d5c47' }, atMs: 9000, roles: [{ container: 'api', comm: 'orders', limitMib: 128, oomScoreAdj: 937, acts: ['grow:26:1200'], stopAfterMs: 22_000, graceSeconds: 3 }] },
]

/** The last death is over by then, and some more can be seen to be well. */
export const LENGTH_MS = 62_000
/** Between a death and the next start, as the kubelet waits (here less). */
export const BACK_OFF_MS = 2500
export const QUIET_MS = 4000
