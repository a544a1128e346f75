/** The screen over an invented node, driven by a test: what happens to the node is chosen by OOMSCOPE_TEST_* variables and signals. */
import { UserError } from '../../src/base/errors.ts'
import { runTui } from '../../src/tui/app.ts'
import type { Playback, TuiOptions } from '../../src/tui/app.ts'
import { demoNode, liveOn } from '../helpers/demo-node.ts'
import { addPod, emptyNode, M, tell, TEST_LENS, WALL_MS } from '../helpers/node-model.ts'
import type { NodeModel } from '../../src/model/node.ts'

const env = process.env, want = new Set((env['OOMSCOPE_TEST'] ?? '').split(','))

function build(): NodeModel {
  if (want.has('empty')) return emptyNode()
  const model = demoNode({ stalls: want.has('stalls'), facts: want.has('facts') })
  if (want.has('hostile')) {
    addPod(model, 'evil/\u001b]0;owned\u0007\u001b[2J\u009b31mred{bold}tag{/bold}', { used: 200 * M, max: 210 * M, inactiveFile: 0, some: 90, full: 80 })
    addPod(model, 'evil/漢字\u{1f600}e\u0301\u202egpj', { used: 199 * M, max: 210 * M, inactiveFile: 0, some: 89, full: 79 })
    const first = model.cases[0]?.victims[0]
    if (first !== undefined) first.comm = '\u001b[31mx\u009b2J'
  }
  if (want.has('loss')) {
    model.health.losses.set('bpftrace', { count: 1234, detail: 'perf buffer full' })
    model.rungs.set('kill-decision', { kind: 'rung', tsNs: 0, question: 'kill-decision', rung: 'kmsg', state: 'refused', reason: 'lockdown' })
  }
  return model
}

const model = build()
let playback: Playback = { speed: 1, paused: false, ended: false }
const control = { setPaused: (paused: boolean) => { playback = { ...playback, paused } }, setSpeed: (speed: number) => { playback = { ...playback, speed } }, seek: (tsNs: number) => { model.nowNs = tsNs }, playback: () => playback }
const wall = (): number => WALL_MS + (model.nowNs - 7200e9) / 1e6

// A live node moves on its own; SIGUSR2 moves it by hand, one second a signal.
if (want.has('moving')) setInterval(() => liveOn(model), 50)
function vanish(pod: string): void {
  const uid = [...model.names].find(([key, name]) => key.startsWith('pod:') && name.pod === pod)?.[0].replace('pod:', '') ?? 'none'
  for (const { id, path } of [...model.memcgs.values()]) if (path.includes(uid)) tell(model, 'memcg_death', model.nowNs, { memcgId: id, path, by: 'probe' })
  liveOn(model)
}

let replaced = 0
/** The first time the pod vanishes, the second time its heir is born. */
function replace(pod: string, heir: string): void {
  replaced += 1
  if (replaced === 1) { vanish(pod); return }
  const before = new Set(model.memcgs.keys())
  addPod(model, heir, { used: 20 * M, max: 100 * M })
  for (const memcg of model.memcgs.values()) if (!before.has(memcg.id)) memcg.bornNs = model.nowNs
  liveOn(model)
}

process.on('SIGUSR2', () => {
  if (want.has('throw')) setImmediate(() => { throw new Error('a bug of the test') })
  else if (want.has('reject')) void Promise.reject(new Error('a rejection of the test'))
  else if (want.has('vanish')) vanish(env['OOMSCOPE_TEST_POD'] ?? '')
  else if (want.has('replace')) replace(env['OOMSCOPE_TEST_POD'] ?? '', env['OOMSCOPE_TEST_HEIR'] ?? '')
  else liveOn(model)
})

const options: TuiOptions = {
  model: () => model, mode: want.has('replay') ? 'replay' : 'live', lens: TEST_LENS, wallNow: wall,
  ascii: want.has('ascii'), mouse: want.has('mouse'), theme: (env['NO_COLOR'] ?? '') !== '' ? 'mono' : 'dark', onQuit: () => { if (want.has('say-quit')) process.stderr.write('quit called\n') },
  ...(want.has('replay') ? { control } : {}), ...(want.has('fault') ? { fault: () => 'The bridge ended with exit code 1; the picture is of 14:03:27.' } : {}),
}

try {
  process.exit(await runTui(options))
} catch (error) {
  process.stderr.write(error instanceof UserError ? `${error.message}\nhint: ${error.hint}\n` : `bug: ${String(error)}\n`)
  process.exit(error instanceof UserError ? error.exitCode : 70)
}
