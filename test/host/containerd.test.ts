/** Names, limits and a runtime's last word through CRI, with a real containerd and a real runc of the test's own. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, type TestContext } from 'vitest'
import { CLI } from '../helpers/cli.ts'
import { expectBereft, expectCase, expectNamed, toldBy, type Told } from '../helpers/cri/check.ts'
import { Containerd, containerdMissing, IMAGE } from '../helpers/cri/containerd.ts'
import { prove, type Made, type PodFacts, type Proof } from '../helpers/cri/proof.ts'
import { tracesOf } from '../helpers/leftovers.ts'
import { skip } from '../helpers/skip.ts'
import { hostLab } from './host-lab.ts'

let reason: string | undefined, proof: Proof, told: Told, late: Told, scratch = '', programs = ''
const cgroupRoot = `/oomscope-cri-${process.pid}`

beforeAll(async () => {
  const host = await hostLab()
  reason = 'reason' in host ? host.reason : containerdMissing()
  if (!('reason' in host)) host.close()
  if (reason !== undefined || 'reason' in host) return
  scratch = mkdtempSync(join(tmpdir(), 'oomscope-cri-'))
  programs = host.lab.options.programs
  proof = await prove({ main: CLI, scratch, containerd: { directory: join(scratch, 'c'), programs, cgroupRoot } })
  told = await toldBy(CLI, proof.file)
  late = await toldBy(CLI, proof.unansweredFile)
})
afterAll(() => { if (scratch !== '') rmSync(scratch, { recursive: true, force: true }) })

const needed = (context: TestContext): void => { if (reason !== undefined) skip(context, reason) }
const last = ({ containers }: PodFacts): Made => containers.at(-1) as Made

test('pods that were there before have their names, images, limits and owners', (context) => {
  needed(context)
  expectNamed(told, proof.early)
})

test('a pod that is made while it records has them, too', (context) => {
  needed(context)
  expectNamed(told, proof.late)
})

test('a container killed by its limit 20 ms after it began has its name in the case, and its runtime\'s word as evidence', (context) => {
  needed(context)
  expect(last(proof.late).word).toMatchObject({ exitCode: 137, reason: 'OOMKilled' })
  expectCase(told, proof.late, last(proof.late))
})

test('a container whose child was killed is not dead, whatever its runtime calls it', (context) => {
  needed(context)
  expectBereft(told, proof.late.containers[1] as Made)
})

test('one whose runtime answered only after its death has both', (context) => {
  needed(context)
  const dead = last(proof.unanswered), named = late.rows.of('workload').find(({ containerId }) => containerId === dead.id)
  expect(named?.tsNs).toBeGreaterThan(late.rows.of('memcg_death').find(({ path }) => path === dead.path)?.tsNs ?? Number.NaN)
  expectCase(late, proof.unanswered, dead)
})

test('nothing of the containerd is left, also when it was killed with its pods running', async (context) => {
  needed(context)
  expect(tracesOf({ directory: join(scratch, 'c'), cgroupRoot })).toEqual([])
  const options = { directory: join(scratch, 'k'), programs, cgroupRoot }, runtime = await Containerd.start(options)
  const pod = await runtime.runPod({ name: 'web-0', namespace: 'shop', uid: '26ab26cd-6409-443f-a13c-fd6c231207c8' })
  await runtime.kubelet.startContainer(await runtime.kubelet.createContainer(pod, { name: 'app', image: IMAGE, command: ['/eater', '--mib', '1'] }))
  runtime.crash()
  await runtime.close()
  expect(tracesOf(options)).toEqual([])
})
