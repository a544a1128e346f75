/** Runs inside the guest: plays the story of the bundled recording through a real containerd on a real kernel, and records it. */
import { copyFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Containerd, IMAGE } from '../helpers/cri/containerd.ts'
import type { MadePod } from '../helpers/cri/kubelet.ts'
import { Recorder } from '../helpers/lab/recorder.ts'
import { BACK_OFF_MS, BEFORE, LENGTH_MS, QUIET_MS, SCENES, type Role, type Scene } from './demo-story.ts'

/** Compiled to build/lab/vm/demo-guest.js. */
const repository = fileURLToPath(new URL('../../..', import.meta.url))
const MIB = 2 ** 20, CGROUP_ROOT = '/kubelet', NODE_NAME = 'worker-3'

const podDirectory = ({ spec }: MadePod): string => `/sys/fs/cgroup${CGROUP_ROOT}/kubepods/burstable/pod${spec.uid}`

async function act(runtime: Containerd, pod: MadePod, role: Role): Promise<void> {
  const { kubelet } = runtime
  for (const [restarts, acts] of role.acts.entries()) {
    if (restarts > 0) await wait(BACK_OFF_MS)
    const id = await kubelet.createContainer(pod, { name: role.container, image: IMAGE, command: [`/${role.comm}`], limitBytes: (role.limitMib ?? 0) * MIB, restarts, oomScoreAdj: role.oomScoreAdj, env: { ACTS: acts } })
    await kubelet.startContainer(id)
    if (role.highMib !== undefined) writeFileSync(`${podDirectory(pod)}/${id}/memory.high`, String(role.highMib * MIB))
    if (role.stopAfterMs !== undefined) {
      await wait(role.stopAfterMs)
      await kubelet.stopContainer(id, role.graceSeconds ?? 30)
    }
    if (restarts < role.acts.length - 1) await kubelet.exited(id)
  }
}

async function stage(runtime: Containerd, scene: Scene): Promise<void> {
  await wait(scene.atMs)
  const pod = await runtime.runPod({ name: scene.pod, namespace: scene.namespace, uid: randomUUID(), labels: scene.labels })
  // As the kubelet does for limits of the pod itself (pkg/kubelet/cm/pod_container_manager_linux.go).
  if (scene.podLimitMib !== undefined) writeFileSync(`${podDirectory(pod)}/memory.max`, String(scene.podLimitMib * MIB))
  await Promise.all(scene.roles.map((role) => act(runtime, pod, role)))
}

async function main(share: string): Promise<void> {
  writeFileSync('/proc/self/oom_score_adj', '-1000')
  writeFileSync('/proc/sys/kernel/hostname', NODE_NAME)
  const comms = [...BEFORE, ...SCENES].flatMap(({ roles }) => roles.map(({ comm }) => [comm, 'actor'] as const))
  const runtime = await Containerd.start({ directory: '/run/c', programs: `${repository}build/workloads`, cgroupRoot: CGROUP_ROOT, also: Object.fromEntries(comms) })
  for (const scene of BEFORE) await stage(runtime, scene)
  // No node has it: the pods that live on do for the kernel what it did (test/vm/guest.sh).
  rmdirSync('/sys/fs/cgroup/keeper')
  const recorder = new Recorder(`${repository}dist/cli/main.js`, '/run/demo.oom', ['--cri', runtime.socket, '--sample-budget', '50'])
  console.log(await recorder.ready())
  // Some of the quiet node first.
  await wait(QUIET_MS)
  await Promise.all([...SCENES.map((scene) => stage(runtime, scene)), wait(LENGTH_MS)])
  console.log(JSON.stringify(await recorder.end()))
  copyFileSync(recorder.file, `${share}/demo.oom`)
  // The containers live on, and their containerd with them, until the guest is switched off.
  process.exit(0)
}

await main(process.argv[2] ?? '/run/share')
