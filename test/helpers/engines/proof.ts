/** Containers through real engines while oomscope records: what was asked of them, what they said, and what the recording must tell. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { memcgMount } from '../lab/cgroup.ts'
import { recorded, untilTold } from '../lab/recorder.ts'
import { writeImage } from '../cri/image.ts'
import type { RuntimePlace } from '../leftovers.ts'
import { Engine, type ContainerSpec, type EngineName, type Inspected } from './engine.ts'
import { launchOf } from './launch.ts'

export const IMAGE = 'localhost/oomscope/lab:1', LIMIT = 48 << 20, REQUEST = 24 << 20, SMALL_LIMIT = 24 << 20, RESTARTS = 1
const LABELS = { 'com.docker.compose.project': 'shop', 'com.docker.compose.service': 'db', password: 'hunter2' }

export type Made = { readonly id: string; readonly name: string; readonly limitBytes: number; readonly path: string; readonly word: Inspected; /** By the kernel, while it ran. */ readonly enforcedBytes?: number }
/** Made before the recording began, and after; one killed once, one started again and killed again, one removed when it was dead. */
export type EngineFacts = { readonly early: Made; readonly late: Made; readonly greedy: Made; readonly looping: Made; readonly fleeting: Pick<Made, 'id' | 'name' | 'path'> }
export type EngineProof = { readonly of: Readonly<Record<EngineName, EngineFacts>>; readonly file: string; readonly doctor: string }
export type EngineBench = { readonly main: string; readonly scratch: string; readonly programs: string; readonly placeOf: (name: EngineName) => RuntimePlace }

/** The evidence of its end. */
export const factOf = ({ name, word: { State: { ExitCode, OOMKilled } } }: Made): string => `its runtime says of container ${name}: exited, exit code ${ExitCode}, ${OOMKilled ? 'OOMKilled' : 'Error'}`

async function quiet(engine: Engine, name: string): Promise<Made> {
  const id = await engine.run({ name, image: IMAGE, command: ['/eater', '--mib', '4'], limitBytes: LIMIT, requestBytes: REQUEST, labels: LABELS }), path = engine.pathOf(id), mount = memcgMount()
  const enforcedBytes = Number(readFileSync(`${mount?.directory}${path}/${mount?.version === 'v2' ? 'memory.max' : 'memory.limit_in_bytes'}`, 'utf8'))
  return { id, name, limitBytes: LIMIT, path, enforcedBytes, word: await engine.inspect(id) }
}

/** Dies at its limit, each time it is started. */
const greedy = (name: string, afterMs = 20): ContainerSpec => ({ name, image: IMAGE, command: ['/eater', '--mib', '100', '--after-ms', String(afterMs)], limitBytes: SMALL_LIMIT, labels: LABELS })

async function dying(engine: Engine, name: string, { afterMs, restarts }: { readonly afterMs?: number; readonly restarts?: number } = {}): Promise<Made> {
  const id = await engine.run({ ...greedy(name, afterMs), ...(restarts === undefined ? {} : { restarts }) })
  return { id, name, limitBytes: SMALL_LIMIT, path: engine.pathOf(id), word: await engine.exited(id, restarts) }
}

/** Lives so long that its engine can be asked while it does. */
async function fleeting(engine: Engine, name: string): Promise<EngineFacts['fleeting']> {
  const id = await engine.run({ ...greedy(name, 2000), isRemoved: true })
  return { id, name, path: engine.pathOf(id) }
}

/** Makes the containers of each engine and one recording; everything of the engines' is gone afterwards. */
export async function prove(names: readonly EngineName[], { main, scratch, programs, placeOf }: EngineBench): Promise<EngineProof> {
  const image = `${scratch}/image.tar`, file = `${scratch}/engines.oom`, engines: Engine[] = []
  writeImage(image, { reference: IMAGE, programs: { eater: `${programs}/eater` }, entrypoint: '/eater' })
  const each = async <T>(run: (engine: Engine) => Promise<T>): Promise<T[]> => await Promise.all(engines.map(run))
  try {
    for (const name of names) engines.push(await Engine.start(placeOf(name), launchOf(name, placeOf(name)), image))
    const early = await each((engine) => quiet(engine, 'early')), options = engines.flatMap(({ name, socket }) => [`--${name}`, socket])
    const doctor = execFileSync(process.execPath, [main, 'doctor', '--json', ...options], { encoding: 'utf8' })
    const rest = await recorded(main, { file, options }, async () => {
      const made = await each(async (engine) => {
        const late = await quiet(engine, 'late'), removed = await fleeting(engine, `${engine.name}-fleeting`)
        return { late, fleeting: removed, greedy: await dying(engine, `${engine.name}-greedy`), looping: await dying(engine, `${engine.name}-looping`, { afterMs: 300, restarts: RESTARTS }) }
      })
      await untilTold(main, file, (text) => made.every((of) => [of.greedy, of.looping].every((dead) => text.includes(`"${factOf(dead)}"`)) && text.includes(`"container":"${of.fleeting.name}"`)))
      return made
    })
    return { file, doctor, of: Object.fromEntries(names.map((name, at) => [name, { early: early[at], ...rest[at] }])) as EngineProof['of'] }
  } finally {
    await each((engine) => engine.close())
  }
}
