/** The choice of probes: best rung first, the reason for every rung not taken, and what is put into the program. */
import { beforeAll, expect, test } from 'vitest'
import type { BpftraceFeatures, BpftraceMissing } from '../../../src/source/bpftrace.ts'
import type { KernelFeatures } from '../../../src/source/kernel-features.ts'
import { QUESTIONS } from '../../../src/source/probe-ladder.ts'
import { loadProbeScripts, type ProbeScript } from '../../../src/source/probe-script.ts'
import { chooseProbes, type ProbeOptions, type Rung } from '../../../src/source/probe-set.ts'
import { bpftrace017, bpftrace023, kernel, kernel510, kernel72, kernelWithoutKprobes } from './probe-kernels.ts'

let scripts: ProbeScript[]
beforeAll(async () => {
  scripts = await loadProbeScripts()
})

const choose = (on: KernelFeatures, by: BpftraceFeatures | BpftraceMissing, options?: ProbeOptions) => chooseProbes({ kernel: on, bpftrace: by, scripts }, options)
const chosen = (rungs: readonly Rung[]): Record<string, string> => Object.fromEntries(rungs.map((rung) => [rung.question, rung.script ?? rung.state]))

test('every question has exactly one rung, whatever the node', () => {
  for (const set of [choose(kernel72, bpftrace023), choose(kernel510, bpftrace017), choose(kernel72, { missing: 'none' })]) {
    expect(set.rungs.map((rung) => rung.question)).toEqual(QUESTIONS)
  }
})

test('a new kernel names the memcg reclaimed by tracepoint and needs no kprobe for it', () => {
  expect(chosen(choose(kernel72, bpftrace023).rungs)).toMatchObject({
    'oom-decision': 'oom-decision.bt', 'oom-candidates': 'oom-candidates.bt', 'mark-victim': 'mark-victim-tracepoint.bt', 'task-exit': 'task-exit.bt',
    'memcg-life': 'memcg-life.bt', 'memcg-reclaim': 'memcg-reclaim.bt', 'over-high': 'over-high.bt', 'throttled': 'throttled.bt',
  })
})

test('an older kernel with an old bpftrace takes the rungs that both know', () => {
  const { rungs, selftests } = choose(kernel(), bpftrace017)
  expect(chosen(rungs)).toMatchObject({ 'memcg-reclaim': 'memcg-reclaim-kprobe.bt', 'memcg-life': 'memcg-life-tracepoint.bt', 'task-exit': 'task-exit-live.bt', 'over-high': 'over-high-outer.bt' })
  expect(rungs.find((rung) => rung.question === 'memcg-life')?.reason).toBe('rawtracepoint: no raw tracepoints: Invalid probe type made it to attachpoint parser')
  expect(new Set(selftests)).toEqual(new Set(['oom', 'badness', 'exit', 'signal', 'memcg_birth', 'memcg_death', 'memcg_reclaim']))
})

test('a kernel whose oom_badness is split by gcc is probed at the part that is called', () => {
  const set = choose(kernel510, bpftrace023)
  expect(chosen(set.rungs)).toMatchObject({ 'oom-candidates': 'oom-candidates-part0.bt', 'mark-victim': 'mark-victim-pid.bt' })
  expect(set.rungs.find((rung) => rung.question === 'throttled')).toMatchObject({ state: 'absent', reason: 'tracepoint: no tracepoint vmscan:mm_vmscan_throttled' })
})

test('a kernel without kprobes keeps every tracepoint rung and says why the rest is absent', () => {
  const { rungs, text } = choose(kernelWithoutKprobes, { ...bpftrace017, refusals: { ...bpftrace017.refusals, fentry: 'not available' } })
  expect(rungs.filter((rung) => rung.state === 'absent').map((rung) => rung.question)).toEqual(['oom-decision', 'oom-candidates', 'over-high'])
  expect(rungs[0]).toEqual({ question: 'oom-decision', rung: 'none', state: 'absent', reason: 'kprobe: the kernel has no kprobes (CONFIG_KPROBES)', selftests: [] })
  expect(rungs.find((rung) => rung.question === 'memcg-reclaim')).toMatchObject({ rung: 'task-only', state: 'chosen' })
  expect(text).not.toMatch(/^k(ret)?(probe|func):/m)
})

test('a bpftrace that can read neither raw tracepoints nor dynamic strings leaves births to the bridge', () => {
  const set = choose(kernel(), { ...bpftrace023, refusals: { rawtracepoint: 'no', 'dynamic-strings': 'bpftrace reads them as ""' } })
  expect(set.rungs.find((rung) => rung.question === 'memcg-life')).toMatchObject({ state: 'absent', reason: 'rawtracepoint: no raw tracepoints: no; tracepoint: dynamic strings: bpftrace reads them as ""' })
  expect(set.selftests).not.toContain('memcg_birth')
})

test.each([
  ['no bpftrace', kernel(), { missing: 'bpftrace is not on PATH' }, 'bpftrace is not on PATH'],
  ['no root', kernel({ unprivileged: 'not root (uid 1000); bpftrace needs root' }), bpftrace023, 'not root (uid 1000); bpftrace needs root'],
  ['lockdown', kernel({ lockdown: 'confidentiality' }), bpftrace023, 'kernel lockdown=confidentiality forbids tracing'],
] as const)('with %s nothing is chosen and every rung says so', (_, on, by, reason) => {
  const set = choose(on, by)
  expect(set).toMatchObject({ text: '', selftests: [] })
  for (const rung of set.rungs) expect(rung).toMatchObject({ state: 'absent', reason })
})

test('an unmounted tracefs comes with the command that mounts it', () => {
  const { tracefs: _, ...unmounted } = kernel({ tracefsMountable: true })
  expect(choose(unmounted, bpftrace023).rungs[0]?.reason).toBe('tracefs is not mounted (mount -t tracefs tracefs /sys/kernel/tracing)')
})

test('a refused script falls to the next rung, and to refused when there is none', () => {
  const refused = new Map([['memcg-reclaim.bt', 'Error loading BPF program'], ['kswapd.bt', 'No matches']])
  const { rungs } = choose(kernel72, bpftrace023, { refused })
  expect(rungs.find((rung) => rung.question === 'memcg-reclaim')).toMatchObject({ script: 'memcg-reclaim-kprobe.bt', state: 'chosen', reason: 'target-field: bpftrace refused it: Error loading BPF program' })
  expect(rungs.find((rung) => rung.question === 'kswapd')).toMatchObject({ script: 'kswapd.bt', rung: 'none', state: 'refused', reason: 'tracepoint: bpftrace refused it: No matches' })
})

test('only the questions asked for are asked', () => {
  const set = choose(kernel72, bpftrace023, { only: ['kswapd'] })
  expect(set.rungs.filter((rung) => rung.state === 'chosen').map((rung) => rung.question)).toEqual(['kswapd'])
  expect(set.rungs[0]?.reason).toBe('not asked for')
})

test('the program carries the index and the hierarchy of this node, and no interpreter line', () => {
  const { text } = choose(kernel({ memoryCgrpId: 3, memcgHierarchyId: 7 }), bpftrace017)
  expect(text).toContain('subsys[3]')
  expect(text).not.toContain('subsys[4]')
  expect(text).toContain('/args->root == 7/')
  expect(text).not.toMatch(/^#!/m)
  expect(choose(kernel({ memcgHierarchyId: 7 }), bpftrace023).text).toContain('->root->hierarchy_id == 7/')
})
