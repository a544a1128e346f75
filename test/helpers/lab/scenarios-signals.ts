/** Deaths that look like a kill for memory from outside (exit code 137) and are none: by a runtime, by a daemon, by a user. */
import { appendFileSync } from 'node:fs'
import { Memcg } from './cgroup.ts'
import type { Lab, Outcome, Scenario } from './lab.ts'
import { container, containerName, podUid } from './pods.ts'
import { fact } from './truth.ts'
import type { Person, TrueStroke } from './truth.ts'
import type { Workload } from './workload.ts'

const GRACE_MS = 300

/** A group below one that is there or is made. */
function unit(lab: Lab, parent: string, name: string): Memcg {
  const slice = new Memcg(lab.options.mount, parent)
  if (!slice.has('cgroup.procs')) lab.memcg(parent)
  return lab.memcg(`${parent}/${name}`)
}

type Stopping = { readonly shim: Workload; readonly who: Person; readonly group: Memcg }

async function underRuntime(lab: Lab, name: string): Promise<Stopping> {
  const group = container(lab, name, {}), service = unit(lab, '/system.slice', 'containerd.service'), shim = lab.start('shim', [service.directory.toString(), group.directory.toString(), 'web', String(GRACE_MS)])
  return { shim, group, who: lab.person(await shim.says('ready'), { cgroup: group }) }
}

async function stop({ shim, who, group }: Stopping, confidence: string): Promise<Outcome & { readonly strokes: readonly [TrueStroke] }> {
  shim.tell('s')
  const askerPid = await shim.says('asker'), killerPid = await shim.says('killer'), signal = await shim.says('stopped'), { oomKill } = group.events()
  return {
    strokes: [{ cause: 'runtime-stop', confidence, signal: 'SIGKILL', sender: { pid: killerPid, comm: 'runc' }, asker: { pid: askerPid, comm: 'runc' }, graceMs: GRACE_MS, victims: [who] }],
    facts: [fact('it died of SIGKILL after SIGTERM', signal === 9, signal), fact('the kernel counted no oom_kill', oomKill === 0, oomKill)], memcgs: { container: group },
  }
}

const runtimeStop = async (lab: Lab): Promise<Outcome> => stop(await underRuntime(lab, 'runtime-stop'), 'likely')

/** `I1121 07:40:48.123456    1 eviction_manager.go:1] …`: klog's head, in UTC as on most nodes. */
const klogHead = (file: string): string => {
  const [, month = '', day = '', time = ''] = /^\d+-(\d\d)-(\d\d)T(.*)Z$/.exec(new Date().toISOString()) ?? []
  return `I${month}${day} ${time}000    1021 ${file}:1]`
}

export const KUBELET_LOG = 'kubelet.log'
export const EVICTED = 'stopped because the kubelet evicted it', FAILED_PROBE = 'stopped because its liveness probe failed'

/** The signals are those of any stop; the kubelet's log tells the rest. */
async function evicted(lab: Lab): Promise<Outcome> {
  const outcome = await stop(await underRuntime(lab, 'evicted'), 'likely')
  appendFileSync(`${lab.options.scratch}/${KUBELET_LOG}`, `${klogHead('eviction_manager.go')} "Eviction manager: pod is evicted successfully" pod="default/evicted" podUID="${podUid('evicted')}"\n`)
  return outcome
}

async function failedProbe(lab: Lab): Promise<Outcome> {
  const container = containerName('failed-probe/main').replace(/^cri-containerd-|\.scope$/g, ''), stopping = await underRuntime(lab, 'failed-probe')
  appendFileSync(`${lab.options.scratch}/${KUBELET_LOG}`, `${klogHead('kuberuntime_manager.go')} "Message for Container of pod" containerName="main" containerStatusID={"Type":"containerd","ID":"${container}"} pod="default/failed-probe" podUID="${podUid('failed-probe')}" containerMessage="Container main failed liveness probe, will be restarted"\n`)
  return stop(stopping, 'likely')
}

/** systemd-oomd ends a whole cgroup, and writes it into the cgroup's attributes, which are read once its processes' ends are known. */
async function oomDaemon(lab: Lab): Promise<Outcome> {
  const group = unit(lab, '/system.slice', 'leaky.service'), service = unit(lab, '/system.slice', 'systemd-oomd.service'), victims = []
  for (const touchMib of [2, 3, 5]) victims.push(await lab.hog({ cgroup: group, name: `worker-${touchMib}`, touchMib }))
  lab.keep(group)
  const daemon = lab.start('oomd', [service.directory.toString(), group.directory.toString()]), pid = await daemon.says('killed')
  const signals = await Promise.all(victims.map(async ({ workload }) => (await workload.exited).signal)), { oomKill } = group.events()
  return {
    strokes: [{ cause: 'oom-daemon', confidence: 'certain', signal: 'SIGKILL', sender: { pid, comm: 'systemd-oomd' }, victims: victims.map(({ who }) => who) }],
    facts: [fact('all died of SIGKILL', signals.every((signal) => signal === 'SIGKILL'), signals), fact('the kernel counted no oom_kill', oomKill === 0, oomKill)], memcgs: { service: group },
  }
}

/** kill -9 from a login session. */
async function killedByUser(lab: Lab): Promise<Outcome> {
  const group = container(lab, 'killed-by-user', {}), users = lab.memcg('/user.slice'), session = unit(lab, `${users.path}/user-1000.slice`, 'session-3.scope'), hog = await lab.hog({ cgroup: group, name: 'innocent', touchMib: 5 })
  const killer = lab.start('killer', [String(hog.who.pid), session.directory.toString()]), pid = await killer.says('killed'), { signal } = await hog.workload.exited
  return { strokes: [{ cause: 'signal', confidence: 'certain', signal: 'SIGKILL', sender: { pid, comm: 'killer' }, victims: [hog.who] }], facts: [fact('it died of SIGKILL', signal === 'SIGKILL', signal)], memcgs: { container: group } }
}

export const SIGNAL_SCENARIOS: readonly Scenario[] = [
  { name: 'SIGTERM, grace period, SIGKILL by a container runtime', places: ['guest'], reports: 0, run: runtimeStop },
  { name: EVICTED, places: ['guest'], reports: 0, run: evicted },
  { name: FAILED_PROBE, places: ['guest'], reports: 0, run: failedProbe },
  { name: 'SIGKILL by systemd-oomd', places: ['guest'], reports: 0, run: oomDaemon },
  { name: 'SIGKILL by a user', places: ['guest'], reports: 0, run: killedByUser },
]
