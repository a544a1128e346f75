/** Single lines of the kernel log: every shape we know, and every forgery we could think of. */
import { expect, test } from 'vitest'
import { chooseSplit } from '../../../src/model/kernel-log-names.ts'
import { parseTaskRow } from '../../../src/model/kernel-log-tasks.ts'
import { parseKernelLine } from '../../../src/model/kernel-log.ts'
import { isComm, unescapeKmsg } from '../../../src/model/kmsg-text.ts'
import { fixture } from './build.ts'

const TAIL = 'total-vm:34056kB, anon-rss:24064kB, file-rss:1764kB, shmem-rss:0kB, UID:0 pgtables:108kB oom_score_adj:-997'

test('the killed line of 5.x to 7.x', () => {
  expect(parseKernelLine(`Memory cgroup out of memory: Killed process 375 (hog) ${TAIL}`)).toEqual({
    is: 'killed', memcg: true, tid: 375, comm: 'hog', totalVmKb: 34056, anonKb: 24064, fileKb: 1764, shmemKb: 0, uid: 0, pgtablesKb: 108, oomScoreAdj: -997,
  })
  expect(parseKernelLine(`Out of memory: Killed process 375 (hog) ${TAIL}`)).toMatchObject({ is: 'killed', memcg: false })
})

test('the killed line of 4.x has less', () => {
  expect(parseKernelLine('Killed process 99190 (apache2) total-vm:11451920kB, anon-rss:1968776kB, file-rss:0kB, shmem-rss:16356kB')).toEqual({
    is: 'killed', memcg: undefined, tid: 99190, comm: 'apache2', totalVmKb: 11451920, anonKb: 1968776, fileKb: 0, shmemKb: 16356,
  })
})

test('a name cannot forge the numbers behind it', () => {
  for (const comm of ['x (y),pid=1)', ') total-vm:9kB,', '(1) (2) (3)', ', UID:7 pgt', '', ' ']) {
    expect(parseKernelLine(`Memory cgroup out of memory: Killed process 375 (${comm}) ${TAIL}`), comm).toMatchObject({ is: 'killed', tid: 375, comm, anonKb: 24064 })
  }
  // What is too long for a name is no killed line at all: a module or a driver wrote it.
  expect(parseKernelLine(`Memory cgroup out of memory: Killed process 1 (init) total-vm:1kB, x) ${TAIL}`)).toBeUndefined()
  expect(parseKernelLine(`Memory cgroup out of memory: Killed process 375 (hog) ${TAIL} and more`)).toBeUndefined()
  expect(parseKernelLine(`x Memory cgroup out of memory: Killed process 375 (hog) ${TAIL}`)).toBeUndefined()
})

test('a name in front of "invoked oom-killer" cannot make the line something else', () => {
  const invoked = (comm: string): string => `${comm} invoked oom-killer: gfp_mask=0x140dca(GFP_HIGHUSER_MOVABLE|__GFP_ZERO|__GFP_COMP), order=-1, oom_score_adj=-999`
  for (const comm of ['hog', 'memory: usage 1', '[ 1] 2', 'anon 5', 'Out of memory: ', 'oom-kill:constr']) expect(parseKernelLine(invoked(comm)), comm).toMatchObject({ is: 'invoked', comm, gfp: 0x140dca, order: -1, oomScoreAdj: -999 })
  expect(parseKernelLine(invoked('sixteen letters!'))).toBeUndefined()
})

test('escapes of /dev/kmsg are undone before a name is measured', () => {
  expect(unescapeKmsg('a\\x0ab\\x5cx41')).toBe('a\nb\\x41')
  expect(unescapeKmsg('\\xc3\\xa9\\xff')).toBe('é\ufffd')
  expect(isComm('é'.repeat(7))).toBe(true)
  expect(isComm('é'.repeat(8))).toBe(false)
  expect(isComm('\ufffd'.repeat(15))).toBe(true)
  expect(parseKernelLine(`Memory cgroup out of memory: Killed process 7 (${'\\x0a'.repeat(15)}) ${TAIL}`)).toMatchObject({ comm: '\n'.repeat(15) })
})

const DECISION = 'oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0'

test('the decision line: one reading when the names are harmless', () => {
  expect(parseKernelLine(`${DECISION},oom_memcg=/pod,task_memcg=/pod/c1,task=hog,pid=381,uid=1000`)).toEqual({
    is: 'decision', constraint: 3, tid: 381, uid: 1000, splits: [{ limitPath: '/pod', taskPath: '/pod/c1', comm: 'hog' }],
  })
  expect(parseKernelLine('oom-kill:constraint=CONSTRAINT_MEMORY_POLICY,nodemask=0,cpuset=/,mems_allowed=0-1,global_oom,task_memcg=/a,task=hog,pid=1,uid=0')).toMatchObject({ constraint: 2, splits: [{ taskPath: '/a', comm: 'hog' }] })
})

test('a forged decision line has several readings, of which only agreement with other witnesses leaves one', () => {
  const line = parseKernelLine(`${DECISION},oom_memcg=/pod,task_memcg=/pod/a,task_memcg=/pod/a,task=x,task=y,pid=7,uid=0`)
  if (line?.is !== 'decision') throw new Error('not read')
  expect(line.splits.length).toBeGreaterThan(1)
  expect(chooseSplit(line.splits, {})).toBeUndefined()
  expect(chooseSplit(line.splits, { comm: 'x,task=y', limitPath: '/pod', paths: new Set(['/pod', '/pod/a,task_memcg=/pod/a']) })).toEqual({ limitPath: '/pod', taskPath: '/pod/a,task_memcg=/pod/a', comm: 'x,task=y' })
})

test('a reading in which the task is outside the limit is impossible', () => {
  const line = parseKernelLine(`${DECISION},oom_memcg=/other,task_memcg=/x,oom_memcg=/pod,task_memcg=/pod/c,task=y,pid=7,uid=0`)
  expect(line).toMatchObject({ splits: [{ limitPath: '/pod', taskPath: '/pod/c', comm: 'y' }] })
})

test('thousands of forged separators are left unread instead of multiplied', () => {
  const line = parseKernelLine(`${DECISION}${',oom_memcg=/a,task_memcg=/a,task='.repeat(2000)},pid=7,uid=0`)
  expect(line).toMatchObject({ is: 'decision', splits: [] })
})

test('limits: v2, v1, and "unlimited" of either', () => {
  expect(parseKernelLine('memory: usage 24576kB, limit 24576kB, failcnt 85220')).toEqual({ is: 'usage', of: 'memory', usageKb: 24576, limitKb: 24576 })
  expect(parseKernelLine('memory+swap: usage 24576kB, limit 9007199254740988kB, failcnt 0')).toEqual({ is: 'usage', of: 'memory+swap', usageKb: 24576, limitKb: undefined })
  expect(parseKernelLine('swap: usage 0kB, limit 18014398509481984kB, failcnt 0')).toMatchObject({ of: 'swap', limitKb: undefined })
  expect(parseKernelLine('swap: usage 0kB, limit 0kB, failcnt 0')).toMatchObject({ limitKb: 0 })
})

const columnsOf = (header: string): readonly string[] => {
  const line = parseKernelLine(header)
  if (line?.is !== 'table') throw new Error(`no header: ${header}`)
  return line.columns
}

test('the task table is read by its own header', () => {
  const old = columnsOf('[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name')
  expect(parseTaskRow('[    381]     0   380    11312    10620    73728        7           936  spaced name', old)).toEqual({
    tid: 381, pid: 380, uid: 0, totalVmPages: 11312, rssPages: 10620, pgtablesBytes: 73728, swapPages: 7, oomScoreAdj: 936, comm: ' spaced name',
  })
  const now = columnsOf('[  pid  ]   uid  tgid total_vm      rss rss_anon rss_file rss_shmem pgtables_bytes swapents oom_score_adj name')
  expect(parseTaskRow('[  18507]     0 18507     8514     6457     6016      441         0   110592        0         -1000 x 1 2 3', now)).toMatchObject({
    rssPages: 6457, anonPages: 6016, filePages: 441, shmemPages: 0, oomScoreAdj: -1000, comm: 'x 1 2 3',
  })
  expect(parseTaskRow('[  18507]     0 18507 garbage', now)).toBeUndefined()
  const v4 = columnsOf('[ pid ]   uid  tgid total_vm      rss nr_ptes nr_pmds swapents oom_score_adj name')
  expect(parseTaskRow('[ 7093]     0  7093  2862980   496283    1297      14        0           916 java', v4)).toMatchObject({ rssPages: 496283, oomScoreAdj: 916, comm: 'java' })
})

test('memory.stat as one record of many lines (until 6.3), as lines, and on one line (until 5.1)', () => {
  expect(parseKernelLine('anon 65961984\\x0afile 4096\\x0akernel 10936')).toEqual({ is: 'stats', stats: { anon: 65961984, file: 4096 } })
  expect(parseKernelLine('anon 65961984\\x0afile 4096\\x0a')).toEqual({ is: 'stats', stats: { anon: 65961984, file: 4096 } })
  expect(parseKernelLine('anon 65961984')).toEqual({ is: 'stats', stats: { anon: 65961984 } })
  expect(parseKernelLine('Memory cgroup stats for /a: b: cache:4KB rss:8KB ')).toEqual({ is: 'stats-of', path: '/a: b', stats: { cache: 4096, rss: 8192 } })
  expect(parseKernelLine('active_anon:32 inactive_anon:7 isolated_anon:0\\x0a active_file:1 inactive_file:2')).toEqual({ is: 'node-pages', pages: { active_anon: 32, inactive_anon: 7, isolated_anon: 0, active_file: 1, inactive_file: 2 } })
})

test('what 4.x says instead of the "oom-kill:" line', () => {
  expect(parseKernelLine('Task in /a/b killed as a result of limit of /a')).toEqual({ is: 'limit-of', splits: [{ taskPath: '/a/b', limitPath: '/a', comm: '' }] })
  // A forged path leaves every reading in which the task is inside the limit.
  expect(parseKernelLine('Task in /a killed as a result of limit of /b killed as a result of limit of /a')).toEqual({ is: 'limit-of', splits: [] })
  expect(parseKernelLine('Memory cgroup out of memory: Kill process 7 (x (y)) score 12 or sacrifice child')).toEqual({ is: 'choice', tid: 7, comm: 'x (y)', memcg: true, score: 12 })
  expect(parseKernelLine('java invoked oom-killer: gfp_mask=0x14000c0(GFP_KERNEL), nodemask=(null),  order=0, oom_score_adj=968')).toMatchObject({ is: 'invoked', comm: 'java', order: 0 })
  expect(parseKernelLine('java invoked oom-killer: gfp_mask=0xd0, order=0, oom_score_adj=968')).toMatchObject({ is: 'invoked', gfp: 0xd0, gfpText: '' })
})

test('the other lines of a report', () => {
  expect(parseKernelLine('Tasks in /a,b/c are going to be killed due to memory.oom.group set')).toEqual({ is: 'group', path: '/a,b/c' })
  expect(parseKernelLine('Out of memory and no killable processes...')).toEqual({ is: 'no-killable' })
  expect(parseKernelLine('Memory cgroup out of memory: OOM victim 9 (x (y)) is already exiting. Skip killing the task')).toEqual({ is: 'exiting', tid: 9 })
  expect(parseKernelLine('oom_reaper: reaped process 9 (x), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB')).toEqual({ is: 'reaped', tid: 9 })
  expect(parseKernelLine('sysrq: Manual OOM execution')).toEqual({ is: 'sysrq' })
  expect(parseKernelLine('CPU: 1 UID: 0 PID: 18507 Comm: PID: 1 Comm: x Not tainted')).toEqual({ is: 'invoker', tid: 18507, rest: 'PID: 1 Comm: x Not tainted' })
  expect(parseKernelLine('Memory cgroup stats for /a: b:')).toEqual({ is: 'stats-of', path: '/a: b' })
})

test('no line of any length takes long or throws', () => {
  const started = performance.now()
  for (const piece of ['(', ')', ',', '[ 1] ', ' invoked oom-killer: ', ',task_memcg=/', 'Killed process 1 (', '\\x', 'total-vm:1kB, ', 'a']) {
    for (const head of ['', 'oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=', 'Memory cgroup out of memory: Killed process 1 (', '[ 1] ', 'CPU: 1 PID: ']) parseKernelLine(head + piece.repeat(4000))
  }
  for (const line of fixture('6.18-v1-hostile').split('\n')) for (let end = 0; end <= line.length; end++) parseKernelLine(line.slice(0, end))
  expect(performance.now() - started).toBeLessThan(5000)
})
