/**
 * Pods through a real containerd while oomscope records: what was asked of the runtime, what it said, and what the recording must tell.
 * Plain node: runs on the machine at hand and in a guest; the comparison is `check.ts`.
 */
import { randomUUID } from 'node:crypto'
import { readFileSync, symlinkSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { recorded, untilTold } from '../lab/recorder.ts'
import { memcgMount } from '../lab/cgroup.ts'
import { Containerd, containerPath, IMAGE, type ContainerdOptions } from './containerd.ts'
import { EXITED, type ContainerWord, type MadePod } from './kubelet.ts'

export const LIMIT = 48 << 20, SMALL_LIMIT = 24 << 20, RESTARTS = 3

export type Made = { readonly id: string; readonly name: string; readonly limitBytes: number; readonly path: string; /** memory.max or memory.limit_in_bytes, while it ran. */ readonly enforcedBytes?: number; readonly word?: ContainerFacts }
export type ContainerFacts = { readonly exitCode: number; readonly reason: string; readonly startedMs: number; readonly finishedMs: number }
export type PodFacts = { readonly uid: string; readonly name: string; readonly namespace: string; readonly sandboxId: string; readonly containers: readonly Made[] }
export type Proof = {
  /** Made before the recording began; after; and one whose runtime answered only after its death. */
  readonly early: PodFacts; readonly late: PodFacts; readonly unanswered: PodFacts
  readonly file: string; readonly unansweredFile: string
}

export type Bench = { readonly main: string; readonly scratch: string; readonly containerd: ContainerdOptions }

const factsOf = (word: ContainerWord): ContainerFacts => ({ exitCode: word.exitCode, reason: word.reason, startedMs: Number(word.startedNs / 1_000_000n), finishedMs: Number(word.finishedNs / 1_000_000n) })

class Stage {
  readonly runtime: Containerd
  private readonly options: ContainerdOptions

  constructor(runtime: Containerd, options: ContainerdOptions) {
    this.runtime = runtime
    this.options = options
  }

  pod(name: string): Promise<MadePod> {
    return this.runtime.runPod({ name, namespace: 'shop', uid: randomUUID(), labels: { app: 'web', 'pod-template-hash': '6d4cf56db6', password: 'hunter2' } })
  }

  private async start(pod: MadePod, name: string, limitBytes: number, command: readonly string[]): Promise<Made> {
    const id = await this.runtime.kubelet.createContainer(pod, { name, image: IMAGE, command, limitBytes, restarts: RESTARTS })
    await this.runtime.kubelet.startContainer(id)
    return { id, name, limitBytes, path: containerPath(this.options, pod.spec.uid, id) }
  }

  /** Lives on with a little memory. */
  async quiet(pod: MadePod, name: string): Promise<Made> {
    const made = await this.start(pod, name, LIMIT, ['/eater', '--mib', '4']), mount = memcgMount()
    return { ...made, enforcedBytes: Number(readFileSync(`${mount?.directory}${made.path}/${mount?.version === 'v2' ? 'memory.max' : 'memory.limit_in_bytes'}`, 'utf8')) }
  }

  /** Dies at its limit, 20 ms after its program began. */
  async dying(pod: MadePod, name: string): Promise<Made> {
    const made = await this.start(pod, name, SMALL_LIMIT, ['/eater', '--mib', '100', '--after-ms', '20'])
    return { ...made, word: factsOf(await this.runtime.kubelet.exited(made.id)) }
  }

  /** Its first process lives on when a child was killed at the limit; asks until the runtime has noticed. */
  async bereft(pod: MadePod, name: string): Promise<Made> {
    const made = await this.start(pod, name, SMALL_LIMIT, ['/eater', '--mib', '100', '--child'])
    for (let word = await this.runtime.kubelet.containerWord(made.id); word.reason === '' && word.state !== EXITED; word = await this.runtime.kubelet.containerWord(made.id)) await wait(20)
    return made
  }
}

const podFacts = ({ spec, sandboxId }: MadePod, containers: readonly Made[]): PodFacts => ({ uid: spec.uid, name: spec.name, namespace: spec.namespace, sandboxId, containers })

/** As evidence says it. */
export const statusText = ({ word }: Made): string => `exited, exit code ${word?.exitCode}, ${word?.reason}`

/** Makes the pods and the recordings; everything of containerd's is gone afterwards. */
export async function prove(bench: Bench): Promise<Proof> {
  const runtime = await Containerd.start(bench.containerd), stage = new Stage(runtime, bench.containerd)
  const file = `${bench.scratch}/cri.oom`, unansweredFile = `${bench.scratch}/cri-late.oom`, lateSocket = `${bench.scratch}/late.sock`
  try {
    const first = await stage.pod('web-6d4cf56db6-x2x4z'), early = podFacts(first, [await stage.quiet(first, 'app'), await stage.quiet(first, 'sidecar')])
    const late = await recorded(bench.main, { file, options: ['--cri', runtime.socket] }, async () => {
      const pod = await stage.pod('web-6d4cf56db6-late0'), quiet = await stage.quiet(pod, 'app'), bereft = await stage.bereft(pod, 'parent'), dead = await stage.dying(pod, 'greedy')
      await untilTold(bench.main, file, (text) => text.includes(statusText(dead)) && text.includes('although it runs on'))
      return podFacts(pod, [quiet, bereft, dead])
    })
    // The socket appears only when the container is dead.
    const unanswered = await recorded(bench.main, { file: unansweredFile, options: ['--cri', lateSocket] }, async () => {
      const pod = await stage.pod('web-6d4cf56db6-late1'), dead = await stage.dying(pod, 'greedy')
      await untilTold(bench.main, unansweredFile, (text) => text.includes(dead.id))
      symlinkSync(runtime.socket, lateSocket)
      await untilTold(bench.main, unansweredFile, (text) => text.includes(pod.spec.name) && text.includes(statusText(dead)))
      return podFacts(pod, [dead])
    })
    return { early, late, unanswered, file, unansweredFile }
  } finally {
    await runtime.close()
  }
}
