/** A container engine of a test's own behind a socket that speaks Docker's API: started, asked, and gone with everything that it made. */
import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { request } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import { sweep, type RuntimePlace } from '../leftovers.ts'

/** Faults must end before the level's patience does. */
const START_MS = 120_000, ANSWER_MS = 120_000

export type EngineName = 'docker' | 'podman'
/** How it is started; its containers' cgroups are `parent/PREFIX<id>`. */
export type Launch = { readonly name: EngineName; readonly file: string; readonly args: readonly string[]; readonly env: NodeJS.ProcessEnv; readonly parent: string; readonly prefix: string }
export type ContainerSpec = { readonly name: string; readonly image: string; readonly command: readonly string[]; readonly limitBytes: number; readonly requestBytes?: number; readonly labels?: Readonly<Record<string, string>>; readonly restarts?: number; readonly isRemoved?: boolean }
/** What `inspect` says; only what is compared. */
export type Inspected = { readonly RestartCount: number; readonly State: { readonly Status: string; readonly OOMKilled: boolean; readonly ExitCode: number; readonly Pid: number; readonly StartedAt: string; readonly FinishedAt: string } }
type Answer = { readonly status: number; readonly text: string }

export class Engine {
  readonly name: EngineName
  readonly socket: string
  private readonly place: RuntimePlace
  private readonly launch: Launch
  private readonly child: ReturnType<typeof spawn>
  private readonly made: string[] = []

  private constructor(place: RuntimePlace, launch: Launch) {
    const log = openSync(`${place.directory}/log`, 'w')
    this.name = launch.name
    this.socket = `${place.directory}/e.sock`
    this.place = place
    this.launch = launch
    // conmon 2.1.6 leaves a file `oom` where it was started.
    this.child = spawn(launch.file, launch.args, { stdio: ['ignore', log, log], env: launch.env, cwd: place.directory })
    this.child.on('error', () => undefined)
    closeSync(log)
  }

  /** `imageFile`: as `docker save` writes it. */
  static async start(place: RuntimePlace, launch: Launch, imageFile: string): Promise<Engine> {
    mkdirSync(place.directory, { recursive: true })
    const engine = new Engine(place, launch)
    try {
      await engine.listening()
      const { status, text } = await engine.call('POST', '/images/load', readFileSync(imageFile))
      if (status !== 200 || !text.includes('Loaded image')) throw new Error(`the image is not loaded: ${status} ${text}`)
      return engine
    } catch (error) {
      const said = readFileSync(`${place.directory}/log`, 'utf8').slice(-2000)
      await engine.close()
      throw new Error(`${launch.name} does not start: ${String(error)}\n${said}`)
    }
  }

  private async listening(): Promise<void> {
    for (const endMs = performance.now() + START_MS; performance.now() < endMs; await wait(20)) {
      if (this.child.exitCode !== null || this.child.pid === undefined) throw new Error(`it ended with ${this.child.exitCode}`)
      if ((await this.call('GET', '/_ping').catch(() => undefined))?.status === 200) return
    }
    throw new Error('no answer after two minutes')
  }

  /** Resolves with any answer. */
  private call(method: string, path: string, body?: Buffer | object): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const bytes = body === undefined || Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body))
      const headers = { 'content-type': Buffer.isBuffer(body) ? 'application/x-tar' : 'application/json', ...(bytes === undefined ? {} : { 'content-length': bytes.length }) }
      const asked = request({ socketPath: this.socket, host: 'localhost', method, path, headers, timeout: ANSWER_MS }, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', reject)
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }))
      })
      asked.on('timeout', () => asked.destroy(new Error(`${path}: no answer within two minutes`))).on('error', reject).end(bytes)
    })
  }

  private async done(method: string, path: string, body?: object): Promise<unknown> {
    const { status, text } = await this.call(method, path, body)
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${text}`)
    return text === '' ? undefined : JSON.parse(text) as unknown
  }

  /** Makes and starts one; resolves with its id. */
  async run({ name, image, command: [program, ...args], limitBytes, requestBytes, labels, restarts, isRemoved }: ContainerSpec): Promise<string> {
    const made = await this.done('POST', `/containers/create?name=${name}`, {
      Image: image, Entrypoint: [program], Cmd: args, Labels: labels,
      HostConfig: { NetworkMode: 'none', CgroupParent: this.launch.parent, Memory: limitBytes, MemoryReservation: requestBytes, AutoRemove: isRemoved, RestartPolicy: restarts === undefined ? undefined : { Name: 'on-failure', MaximumRetryCount: restarts } },
    }) as { readonly Id: string }
    this.made.push(made.Id)
    await this.done('POST', `/containers/${made.Id}/start`)
    return made.Id
  }

  /** Of a container that was made here. */
  pathOf(id: string): string { return `${this.launch.parent}/${this.launch.prefix}${id}` }

  async inspect(id: string): Promise<Inspected> { return await this.done('GET', `/containers/${id}/json`) as Inspected }

  /** Asks until it has exited and is not to be started again. */
  async exited(id: string, restarts = 0): Promise<Inspected> {
    for (;; await wait(20)) {
      const said = await this.inspect(id)
      if (said.State.Status === 'exited' && said.RestartCount >= restarts) return said
    }
  }

  /** First as a person would; then by force, whatever is left. */
  async close(): Promise<void> {
    for (const id of this.made) await this.call('DELETE', `/containers/${id}?force=1&v=1`).catch(() => undefined)
    this.child.kill('SIGTERM')
    await Promise.race([new Promise((resolve) => { if (this.child.exitCode !== null || this.child.signalCode !== null || this.child.pid === undefined) resolve(undefined); else this.child.once('close', resolve) }), wait(10_000, undefined, { ref: false })])
    await sweep(this.place)
  }
}
