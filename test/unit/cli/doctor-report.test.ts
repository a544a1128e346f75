import { describe, expect, test } from 'vitest'
import { doctorReport } from '../../../src/cli/doctor-report.ts'
import type { Findings } from '../../../src/cli/doctor-report.ts'
import { doctorText } from '../../../src/cli/doctor-text.ts'
import type { NodeFacts } from '../../../src/source/node-facts.ts'
import { loadProbeScripts } from '../../../src/source/probe-script.ts'
import { chooseProbes } from '../../../src/source/probe-set.ts'
import type { ProbeFeatures } from '../../../src/source/probe-set.ts'
import { bpftrace017, bpftrace023, kernel, kernel72, kernelWithoutKprobes } from '../source/probe-kernels.ts'

const scripts = await loadProbeScripts()
const NODE: NodeFacts = { memcg: { version: 'v2', path: '/sys/fs/cgroup' }, psi: true, kmsg: true, bridge: '/opt/oomscope/bridge' }
const findings = (features: Omit<ProbeFeatures, 'scripts'>, more: Partial<Findings> = {}): Findings => ({ features: { ...features, scripts }, rungs: chooseProbes({ ...features, scripts }).rungs, node: NODE, ...more })

describe('a node that allows everything', () => {
  const report = doctorReport(findings({ kernel: kernel72, bpftrace: bpftrace023 }))
  test('every question is chosen and there is nothing to advise', () => {
    expect(report.questions.map(({ state }) => state)).toEqual(report.questions.map(() => 'chosen'))
    expect(report).toMatchObject({ kernel: '7.2.13', memcgVersion: 'v2', memcgMount: '/sys/fs/cgroup', btf: true, kprobes: true, bpftraceVersion: '0.23.2', advice: [] })
    expect(doctorText(report)).not.toContain('to get more')
  })
  test('a missing fact is absent, not null', () => expect(JSON.stringify(report)).not.toContain('null'))
})

describe('a node that allows less', () => {
  test('each question that is not answered by a probe says why, who answers instead, and what would help', () => {
    const report = doctorReport(findings({ kernel: kernelWithoutKprobes, bpftrace: bpftrace017 }))
    const decision = report.questions.find(({ question }) => question === 'oom-decision')
    expect(decision).toMatchObject({ state: 'absent', reason: expect.stringContaining('no kprobes') as string, otherwise: expect.stringContaining('kernel log') as string, advice: expect.stringContaining('CONFIG_KPROBES') as string })
    expect(report.advice).toContain(decision?.advice)
    expect(new Set(report.advice).size).toBe(report.advice.length)
    expect(doctorText(report)).toMatch(/^absent +the OOM killer's decision: by the kernel log/m)
  })
  test('what is missing beside probes is advised too', () => {
    const report = doctorReport(findings({ kernel: kernel72, bpftrace: { missing: 'bpftrace is not on PATH' } }, { node: { psi: false, psiReason: 'no such file or directory', kmsg: false, kmsgReason: 'permission denied', bridge: '/b', bridgeReason: 'no such file or directory' } }))
    for (const word of ['make build', 'mount cgroup v2', 'psi=1', '/dev/kmsg', 'install bpftrace']) expect(report.advice.join('\n')).toContain(word)
    expect(doctorText(report)).toContain('PSI         no (no such file or directory)')
    expect(report).not.toHaveProperty('memcgVersion')
  })
})

test('what is not seen of processes is told, with what would help', () => {
  const partial = 'this is a PID namespace of its own: processes outside it are not seen', report = doctorReport(findings({ kernel: kernel72, bpftrace: bpftrace023 }, { node: { ...NODE, processesPartial: partial, slabReason: 'permission denied' } }))
  expect(report).toMatchObject({ processesPartial: partial, slabReason: 'permission denied', advice: [expect.stringContaining('PID namespace')] })
  expect(doctorText(report)).toMatch(/^processes +this is a PID namespace[^\n]*\nslab caches no \(permission denied\)$/m)
  expect(doctorText(doctorReport(findings({ kernel: kernel72, bpftrace: bpftrace023 })))).toMatch(/^processes +all\nslab caches yes$/m)
})

test('the self-test has the last word on a rung', () => {
  const more = { selfTest: {
    rungs: [{ kind: 'rung', tsNs: 1, question: 'fatal-signal', rung: 'tracepoint', state: 'proven', reason: undefined }, { kind: 'rung', tsNs: 1, question: 'task-exit', rung: 'group-dead', state: 'dead', reason: 'self-test exit failed: \u001b[31mno row' }] as const,
    tests: [{ kind: 'selftest', tsNs: 1, test: 'exit', passed: false, detail: 'no row' }, { kind: 'selftest', tsNs: 1, test: 'signal', passed: true, detail: undefined }] as const, isComplete: true } }
  const report = doctorReport(findings({ kernel: kernel72, bpftrace: bpftrace023 }, more)), text = doctorText(report)
  expect(report.questions.filter(({ state }) => state !== 'chosen').map(({ question, state }) => `${question} ${state}`)).toEqual(['task-exit dead', 'fatal-signal proven'])
  expect(report.selfTests).toEqual([{ test: 'exit', passed: false, detail: 'no row' }, { test: 'signal', passed: true }])
  expect(text).toMatch(/^self-test +exit: failed \(no row\)$/m)
  expect(text).not.toContain('\u001b')
})

describe('for somebody who is woken by it', () => {
  const { tracefs: _, ...untraced } = kernel({ tracefsMountable: true })
  const summaryFor = (features: Omit<ProbeFeatures, 'scripts'>, node: NodeFacts = NODE): string => doctorText(doctorReport(findings(features, { node }))).split('\n')[0]!

  test.each<[string, Omit<ProbeFeatures, 'scripts'>, NodeFacts, RegExp]>([
    ['everything', { kernel: kernel72, bpftrace: bpftrace023 }, NODE, /^probes answer 13 of 13 questions about this node \(not proven yet\)$/],
    ['no kprobes', { kernel: kernelWithoutKprobes, bpftrace: bpftrace017 }, NODE, /^probes answer \d+ of 13 questions about this node \(not proven yet\), the kernel log and files of the kernel \d/],
    ['no bpftrace', { kernel: kernel72, bpftrace: { missing: 'bpftrace is not on PATH' } }, NODE, /^probes answer none of 13 questions about this node, the kernel log and files of the kernel 11, nothing 2$/],
    ['no bridge', { kernel: kernel72, bpftrace: bpftrace023 }, { ...NODE, bridgeReason: 'no such file or directory' }, /^nothing can be watched here: the bridge cannot be run, \/opt\/oomscope\/bridge: no such file or directory$/],
    ['nothing at all', { kernel: kernel72, bpftrace: { missing: 'bpftrace is not on PATH' } }, { psi: true, kmsg: false, kmsgReason: 'operation not permitted', bridge: '/b' }, /^nothing can be watched here: no probes: bpftrace is not on PATH; no kernel log: operation not permitted; no memory controller is mounted$/],
  ])('the first line tells what will be seen: %s', (_name, features, node, line) => expect(summaryFor(features, node)).toMatch(line))
  test('the first line tells what is proven', () => {
    const rungs = [{ kind: 'rung', tsNs: 1, question: 'fatal-signal', rung: 'tracepoint', state: 'proven', reason: undefined }] as const
    const text = doctorText(doctorReport(findings({ kernel: kernel72, bpftrace: bpftrace023 }, { selfTest: { rungs, tests: [], isComplete: false } })))
    expect(text).toMatch(/^probes answer 13 of 13 questions about this node \(1 proven\)\n/)
    expect(text).toMatch(/^chosen +this probe is attached; .* the first real one will prove it$/m)
    expect(text).toMatch(/^self-test +not complete/m)
  })
  test('a rung in use names its script, a better one that was not taken says why in bpftrace\'s own words, and each advice for what it is', () => {
    const text = doctorText(doctorReport(findings({ kernel: kernelWithoutKprobes, bpftrace: bpftrace017 })))
    expect(text).toMatch(/^chosen +stalls at memcg limits: by \S+ \(probes\/memcg-reclaim\S*\.bt\)\n.*\n +not by target-kprobe: the kernel has no kprobes/m)
    expect(text).toMatch(/^ +not by rawtracepoint: no raw tracepoints: Invalid probe type/m)
    expect(text).toMatch(/^to get more run a kernel with CONFIG_KPROBES=y.*\n +for: the OOM killer's decision, candidates and their points/m)
  })
  test('a reason common to all is told once, and what bpftrace says where it may not trace is not told', () => {
    for (const features of [{ kernel: kernel({ unprivileged: 'not root (uid 65534), and bpftrace needs root' }), bpftrace: bpftrace017 }, { kernel: untraced, bpftrace: bpftrace017 }]) {
      const text = doctorText(doctorReport(findings(features)))
      expect(text.match(/^no probe can be used: (not root \(uid 65534\)|tracefs is not mounted)/gm)).toHaveLength(1)
      expect(text).not.toContain('without ')
      expect(text).toMatch(/^ +for: every question$/m)
    }
  })
  test('facts that cannot be read are not told as good news', () => {
    const { lockdown: _no, ...unknown } = kernel72
    const node: NodeFacts = { ...NODE, memcgPartial: 'not the root of the tree' }
    const text = doctorText(doctorReport(findings({ kernel: unknown, bpftrace: bpftrace023 }, { node })))
    expect(text).toMatch(/^lockdown +not known/m)
    expect(text).toMatch(/^memcg +v2 at \/sys\/fs\/cgroup \(not the root of the tree\)$/m)
    expect(text).toMatch(/^to get more .*cgroup namespace/m)
  })
})
