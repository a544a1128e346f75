/** Names, limits and an engine's last word through Docker's API, with a real dockerd and a real podman of the test's own. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, type TestContext } from 'vitest'
import { CLI } from '../helpers/cli.ts'
import { toldBy, type Told } from '../helpers/cri/check.ts'
import type { EngineName } from '../helpers/engines/engine.ts'
import { engineMissing } from '../helpers/engines/launch.ts'
import { factOf, IMAGE, LIMIT, prove, REQUEST, RESTARTS, SMALL_LIMIT, type EngineFacts, type EngineProof, type Made } from '../helpers/engines/proof.ts'
import type { CaseJson } from '../helpers/lab/recorder.ts'
import { tracesOf, type RuntimePlace } from '../helpers/leftovers.ts'
import { skip } from '../helpers/skip.ts'
import { hostLab } from './host-lab.ts'

const ENGINES: readonly { readonly name: EngineName; readonly runtime: RegExp }[] = [{ name: 'docker', runtime: /^Docker\/\d/ }, { name: 'podman', runtime: /^Libpod\/\d/ }]

let proof: EngineProof, told: Told, scratch = ''
/** Why one cannot be had here. */
const missing = new Map<EngineName, string>()
const placeOf = (name: EngineName): RuntimePlace => ({ directory: join(scratch, name), cgroupRoot: `/oomscope-${name}-${process.pid}` })

beforeAll(async () => {
  const host = await hostLab()
  if (!('reason' in host)) host.close()
  for (const { name } of ENGINES) {
    const why = 'reason' in host ? host.reason : engineMissing(name)
    if (why !== undefined) missing.set(name, why)
  }
  const isThere = ENGINES.map(({ name }) => name).filter((name) => !missing.has(name))
  if ('reason' in host || isThere.length === 0) return
  scratch = mkdtempSync(join(tmpdir(), 'oomscope-engines-'))
  proof = await prove(isThere, { main: CLI, scratch, programs: host.lab.options.programs, placeOf })
  told = await toldBy(CLI, proof.file)
})
afterAll(() => { if (scratch !== '') rmSync(scratch, { recursive: true, force: true }) })

describe.each(ENGINES)('$name', ({ name, runtime }) => {
  const factsOf = (context: TestContext): EngineFacts => {
    const why = missing.get(name)
    return why === undefined ? proof.of[name] : skip(context, why)
  }
  const casesOf = ({ path }: Pick<Made, 'path'>): readonly CaseJson[] => told.cases.filter(({ victims }) => victims.some((victim) => victim.path === path))
  const wordsOf = ({ evidence }: CaseJson): readonly string[] => evidence.filter(({ source }) => source === `${name} container status`).map(({ fact }) => fact)

  test('containers that were there before, and those made while it records, have their names, images, labels and limits', (context) => {
    const { early, late } = factsOf(context)
    for (const made of [early, late]) {
      expect(told.rows.of('workload').findLast(({ containerId, memoryLimitBytes }) => containerId === made.id && memoryLimitBytes !== undefined)).toMatchObject({
        from: name, container: made.name, owner: 'Compose/shop', image: IMAGE, labels: 'com.docker.compose.project=shop\ncom.docker.compose.service=db', runtime: expect.stringMatching(runtime) as string,
        memoryLimitBytes: LIMIT, memoryRequestBytes: REQUEST, restarts: 0, ...(made === early ? { pid: made.word.State.Pid } : {}),
      })
      expect(made.enforcedBytes).toBe(LIMIT)
    }
    expect(JSON.stringify(told.rows.events)).not.toContain('hunter2')
  })

  test('a container killed by its limit 20 ms after it began has its name in the case, and the engine\'s word as evidence', (context) => {
    const { greedy } = factsOf(context), [said, ...others] = casesOf(greedy)
    expect(others).toEqual([])
    expect(greedy.word.State.ExitCode).toBe(137)
    expect(said).toMatchObject({ cause: 'container-limit', limit: { path: greedy.path, limitBytes: SMALL_LIMIT } })
    expect(said?.victims[0]?.workload).toMatchObject({ containerId: greedy.id, container: greedy.name })
    expect(said?.sentence).toContain(`Container ${greedy.name}`)
    expect(said === undefined ? [] : wordsOf(said)).toEqual([factOf(greedy)])
    // The engine that missed it is contradicted.
    expect(said?.differences.filter((text) => text.startsWith(`${name} inspect says`))).toEqual(greedy.word.State.OOMKilled ? [] : [expect.stringContaining(`${name} inspect says Error, exit code 137`)])
  })

  test('one that the engine removes as soon as it is dead has its name in the case', (context) => {
    const { fleeting } = factsOf(context), cases = casesOf(fleeting)
    expect(cases).toHaveLength(1)
    expect(cases[0]?.victims[0]?.workload).toMatchObject({ containerId: fleeting.id, container: fleeting.name, image: IMAGE })
  })

  test('one that is started again under its id and killed again: each death is told of its own run, and none of one that runs on', (context) => {
    const { looping } = factsOf(context), cases = casesOf(looping)
    expect(cases).toHaveLength(RESTARTS + 1)
    for (const said of cases) {
      expect(said.victims[0]?.workload).toMatchObject({ containerId: looping.id, container: looping.name })
      expect(said.differences.filter((text) => text.includes('although it runs on'))).toEqual([])
      for (const word of wordsOf(said)) expect(word).toContain('exited, exit code 137')
    }
    expect(wordsOf(cases.at(-1) as CaseJson)).toEqual([factOf(looping)])
    const ends = told.rows.of('container_status').filter(({ containerId, state }) => containerId === looping.id && state === 'exited'), last = ends.at(-1)
    expect(last).toMatchObject({ from: name, exitCode: 137, startedMs: Date.parse(looping.word.State.StartedAt), finishedMs: Date.parse(looping.word.State.FinishedAt) })
    expect(told.rows.of('workload').findLast(({ containerId }) => containerId === looping.id)?.restarts).toBe(RESTARTS)
  })

  test('doctor says who answers', (context) => {
    factsOf(context)
    expect(JSON.parse(proof.doctor)).toMatchObject({ names: { sources: expect.arrayContaining([expect.objectContaining({ source: name, state: 'answering', detail: expect.stringMatching(runtime) as string })]) as unknown } })
  })

  test('nothing of the engine is left', (context) => {
    factsOf(context)
    expect(tracesOf(placeOf(name))).toEqual([])
  })
})
