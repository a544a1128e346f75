/** Who would be killed next: foretold from /proc while everybody lives, then compared with whom the kernel takes and with the sizes in its log. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { applyEvent, createModel } from '../../src/model/apply.ts'
import type { NodeModel } from '../../src/model/node.ts'
import { nextVictimOf, type NextVictim } from '../../src/verdict/next-victim.ts'
import { Decoder } from '../../src/wire/decode.ts'
import { FrameReader } from '../../src/wire/frame.ts'
import type { Memcg } from '../helpers/lab/cgroup.ts'
import { badnessOf, oomReports, type OomReport } from '../helpers/lab/kernel-log.ts'
import type { Hog, Lab } from '../helpers/lab/lab.ts'
import { MIB } from '../helpers/lab/scenarios-limits.ts'
import { inLab } from './host-lab.ts'

const BRIDGE = fileURLToPath(new URL('../../dist/native/oomscope-bridge', import.meta.url))

/** The node as the bridge alone tells it: no probe, no log. */
class Watched implements Disposable {
  readonly model: NodeModel = createModel()
  private readonly bridge = spawn(BRIDGE, ['--lines', '-', '--no-kmsg', '--no-psi'], { stdio: ['pipe', 'pipe', 'inherit'] })
  private readonly reader = new FrameReader()
  private readonly decoder = new Decoder()

  constructor() {
    // Always listening: what nobody reads while a stream flows is gone.
    this.bridge.stdout.on('data', (chunk: Buffer) => { for (const frame of this.reader.push(chunk)) for (const event of this.decoder.decode(frame)) applyEvent(this.model, event) })
  }

  async until(holds: (model: NodeModel) => boolean): Promise<void> {
    while (!holds(this.model)) await once(this.bridge.stdout, 'data')
  }

  [Symbol.dispose](): void { this.bridge.kill('SIGKILL') }
}

type Member = { readonly name: string; readonly touchMib: number; readonly oomScoreAdj?: number; readonly growToMib?: number; readonly in?: string }
type Round = { readonly what: string; readonly limitMib: number; readonly members: readonly Member[]; readonly victim: string }

const ROUNDS: readonly Round[] = [
  { what: 'the largest', limitMib: 96, members: [{ name: 'small', touchMib: 7 }, { name: 'large', touchMib: 41 }, { name: 'middle', touchMib: 19 }, { name: 'grower', touchMib: 3, growToMib: 37 }], victim: 'large' },
  { what: 'a small one with a high oom_score_adj', limitMib: 96, members: [{ name: 'large', touchMib: 41 }, { name: 'batch', touchMib: 5, oomScoreAdj: 700 }, { name: 'other', touchMib: 11, oomScoreAdj: 300 }, { name: 'grower', touchMib: 3, growToMib: 61 }], victim: 'batch' },
  { what: 'one of another child of the limit’s group', limitMib: 96, members: [{ name: 'here', touchMib: 13, in: '/a' }, { name: 'there', touchMib: 53, in: '/b' }, { name: 'grower', touchMib: 3, growToMib: 47, in: '/a' }], victim: 'there' },
]

async function populate(lab: Lab, { what, limitMib, members }: Round): Promise<{ readonly holder: Memcg; readonly hogs: ReadonlyMap<string, Hog> }> {
  lab.memcg('')
  const name = `/next-${what.replaceAll(/\W/g, '-')}`, holder = lab.memcg(name, { maxBytes: limitMib * MIB }), groups = new Map<string, Memcg>([['', holder]]), hogs = new Map<string, Hog>()
  for (const { in: place = '', ...member } of members) {
    const cgroup = groups.get(place) ?? lab.memcg(`${name}${place}`)
    groups.set(place, cgroup)
    hogs.set(member.name, await lab.hog({ cgroup, ...member }))
  }
  return { holder, hogs }
}

const pointsByPid = ({ judged }: NextVictim): ReadonlyMap<number, number | undefined> => new Map(judged.map(({ task, points }) => [task.pid, points]))

type Outcome = { readonly foretold: NextVictim; readonly report: OomReport | undefined; readonly hogs: ReadonlyMap<string, Hog> }

/** Foretells, then lets it happen. */
async function play(lab: Lab, round: Round): Promise<Outcome> {
  using watched = new Watched()
  const { holder, hogs } = await populate(lab, round), pidOf = (name: string): number => hogs.get(name)!.who.pid
  // Every hog stands still at its size; its program and libraries are counted, too.
  await watched.until((model) => round.members.every(({ name, touchMib }) => (model.processes.living.get(pidOf(name))?.memory?.anonBytes ?? 0) >= touchMib * MIB && model.processes.living.get(pidOf(name))?.command !== undefined) && model.memcgs.get(holder.inode)?.limits?.maxBytes !== undefined)
  const foretold = nextVictimOf(watched.model, holder.inode)!
  lab.log.lines()
  await lab.grow(hogs.get('grower')!)
  await hogs.get(round.victim)!.workload.exited
  const report = oomReports(lab.log.lines()).find(({ killedTids }) => killedTids.includes(pidOf(round.victim)))
  await lab.clear()
  await watched.until((model) => [...hogs.values()].every(({ who }) => !model.processes.living.has(who.pid)))
  return { foretold, report, hogs }
}

/** Since 6.2 each of the counters anon, file, shmem and swap may be off by a batch a CPU, whoever reads it (lib/percpu_counter.c). */
const CPUS = availableParallelism(), INEXACT_PAGES = 4 * Math.max(32, 2 * CPUS) * CPUS

/** dump_header() is rate-limited for the whole machine: a kill without its table says nothing of sizes, so another one is made. */
const ATTEMPTS = 4

test('whom the kernel takes was foretold, and the sizes in its log are those of the readings', async (context) => inLab(context, async ({ lab }) => {
  for (const round of ROUNDS) {
    let outcome = await play(lab, round)
    for (let attempt = 1; outcome.report === undefined && attempt < ATTEMPTS; attempt++) outcome = await play(lab, round)
    const { foretold, report, hogs } = outcome, pidOf = (name: string): number => hogs.get(name)!.who.pid, totalPages = Number(report?.limitKb) / 4
    expect([foretold.chosen?.task.pid, foretold.unread, foretold.judged.length]).toEqual([pidOf(round.victim), 0, round.members.length])
    expect([report?.killedTids, foretold.totalBytes / 4096]).toEqual([[pidOf(round.victim)], totalPages])
    for (const { task } of foretold.judged) expect(task.command?.commandLine).toMatch(/^\S*\/hog --adj /)
    const points = pointsByPid(foretold), still = (report?.tasks ?? []).filter(({ pid }) => pid !== pidOf('grower'))
    expect(still.map(({ pid }) => pid).toSorted()).toEqual([...hogs.values()].map(({ who }) => who.pid).filter((pid) => pid !== pidOf('grower')).toSorted())
    for (const row of still) expect(Math.abs(points.get(row.pid)! - badnessOf(row, totalPages)!), `pid ${row.pid}`).toBeLessThanOrEqual(INEXACT_PAGES)
  }
}))
