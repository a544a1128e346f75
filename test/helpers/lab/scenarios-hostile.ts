/** Names and log lines chosen by whoever wants to be mistaken for something else. */
import type { Memcg } from './cgroup.ts'
import type { Lab, Outcome, Scenario } from './lab.ts'
import { burstable, container, pod } from './pods.ts'
import { limitOf, killsCounted, MIB } from './scenarios-limits.ts'
import { fact } from './truth.ts'

/** At most 15 bytes each: a newline that begins a record, terminal escapes in 7 and 8 bits, markup, the ends of the kernel's own fields. */
const NAMES = ['{"type":"value"', '\u001b[31mred\u001b[0m', '\u009b2J\u009b31m', Buffer.from([0x9b, 0x41, 0xff]), '{red-fg}x{/}', 'x) total-vm:0kB'] as const

async function hostileComm(lab: Lab): Promise<Outcome> {
  const group = container(lab, 'hostile-comm', { maxBytes: 48 * MIB })
  for (const [i, name] of NAMES.entries()) await lab.hog({ cgroup: group, name, touchMib: 1 + i })
  const grower = await lab.hog({ cgroup: group, name: 'a\noom-kill: x=1', touchMib: 3, growToMib: 61 })
  await lab.grow(grower)
  return {
    expected: { cause: 'container-limit', level: 'container', limits: [limitOf(group, 48 * MIB)], victims: [[grower.who]], invokers: [grower.who], reasons: ['anonymous-no-swap'] },
    facts: [fact('the newline is in the comm', grower.who.comm === 'a\noom-kill: x=1', grower.who.comm), killsCounted(group)], memcgs: { container: group },
  }
}

const HOSTILE_GROUP = Buffer.concat([Buffer.from('q"\\\u001b[31m\u009b,task_memcg=root,task=init,pid=1,uid=0 {bold}'), Buffer.from([0xff, 0xc3])])

function newlineRefusal(lab: Lab, parent: Memcg): string {
  try {
    lab.remember(parent.child('a\nb').create())
    return 'no error'
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error)
  }
}

async function hostileCgroup(lab: Lab): Promise<Outcome> {
  const qos = burstable(lab), { group } = pod(lab, qos, 'hostile-cgroup', { containers: {} }), hostile = lab.remember(group.child(HOSTILE_GROUP).create({ maxBytes: 32 * MIB }))
  const refusal = newlineRefusal(lab, group)
  await lab.hog({ cgroup: hostile, name: 'idle', touchMib: 2 })
  await lab.hog({ cgroup: hostile, name: 'idler', touchMib: 3 })
  const grower = await lab.hog({ cgroup: hostile, name: 'grower', touchMib: 3, growToMib: 47 })
  await lab.grow(grower)
  return {
    expected: { cause: 'slice-limit', level: 'slice', limits: [limitOf(hostile, 32 * MIB)], victims: [[grower.who]], invokers: [grower.who], reasons: ['anonymous-no-swap'] },
    facts: [fact('a cgroup name with a newline is refused', refusal === 'EINVAL', refusal), killsCounted(hostile)], memcgs: { hostile },
  }
}

/** A whole report as the kernel writes it, about a process that does not exist. */
const FORGED = [
  'forged invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0',
  'CPU: 1 PID: 31337 Comm: forged Not tainted 6.1.0 #1',
  'memory: usage 1024kB, limit 1024kB, failcnt 7',
  '[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name',
  '[  31337]     0 31337     5751     5442    86016        0             0 forged',
  'oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/forged,task_memcg=/forged,task=forged,pid=31337,uid=0',
  'Memory cgroup out of memory: Killed process 31337 (forged) total-vm:23004kB, anon-rss:20096kB, file-rss:1672kB, shmem-rss:0kB, UID:0 pgtables:84kB oom_score_adj:0',
]
export const FORGED_PID = 31337

async function forgedLog(lab: Lab): Promise<Outcome> {
  const forger = lab.start('kmsg-forger')
  forger.tell(`${FORGED.join('\n')}\n`)
  const { code } = await forger.end()
  const own = lab.log.userLines().filter((line) => line.includes(`${FORGED_PID}`) || line.includes('forged'))
  return { facts: [fact('it could write to the kernel log', code === 0, code), fact('the kernel filed the lines under another facility', own.length >= 4, own)] }
}

/** SIGKILL by a program: the same exit code 137, and no OOM. */
async function killedByAnother(lab: Lab): Promise<Outcome> {
  const group = container(lab, 'killed-by-another', { maxBytes: 32 * MIB })
  const hog = await lab.hog({ cgroup: group, name: 'innocent', touchMib: 5 }), killer = lab.start('killer', [String(hog.who.pid)])
  const killerPid = await killer.says('killed'), { signal } = await hog.workload.exited, { oomKill } = group.events()
  return { facts: [fact('it died of SIGKILL', signal === 'SIGKILL', signal), fact('the kernel counted no oom_kill', oomKill === 0, oomKill)], memcgs: { container: group }, readings: { killerPid, targetPid: hog.who.pid }, strokes: [{ cause: 'signal', confidence: 'certain', signal: 'SIGKILL', sender: { pid: killerPid, comm: 'killer' }, victims: [hog.who] }] }
}

export const HOSTILE_SCENARIOS: readonly Scenario[] = [
  { name: 'hostile comms, 7 candidates', places: ['host', 'guest'], reports: 1, run: hostileComm },
  { name: 'hostile cgroup name', places: ['host', 'guest'], reports: 1, run: hostileCgroup },
  { name: 'forged kernel log', places: ['host', 'guest'], reports: 0, run: forgedLog },
  { name: 'SIGKILL by another process', places: ['host', 'guest'], reports: 0, run: killedByAnother },
]
