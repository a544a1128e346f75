import { describe, expect, test } from 'vitest'
import { doctorReport, doctorText } from '../../../src/cli/doctor-report.ts'
import type { Findings } from '../../../src/cli/doctor-report.ts'
import type { NodeFacts } from '../../../src/source/node-facts.ts'
import { loadProbeScripts } from '../../../src/source/probe-script.ts'
import { chooseProbes } from '../../../src/source/probe-set.ts'
import type { ProbeFeatures } from '../../../src/source/probe-set.ts'
import { bpftrace017, bpftrace023, kernel72, kernelWithoutKprobes } from '../source/probe-kernels.ts'

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
