import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { UserError } from '../../../src/base/errors.ts'
import { bridgeArguments } from '../../../src/source/bridge-arguments.ts'
import { DEFAULTS } from '../../../src/source/live-options.ts'
import { memcgMount } from '../../../src/source/node-facts.ts'
import type { NodeFacts } from '../../../src/source/node-facts.ts'
import { detectFeatures, prepareFor, shortageOf } from '../../../src/source/prepare-probes.ts'
import { loadProbeScripts } from '../../../src/source/probe-script.ts'
import { isolateRefusals } from '../../../src/source/probe-trial.ts'
import { insteadOf } from '../../../src/source/remaining.ts'
import { freshDirectories } from '../../helpers/files.ts'
import { bpftrace023, kernel, kernel72 } from './probe-kernels.ts'

const fresh = freshDirectories()
const scripts = await loadProbeScripts()
const features = { kernel: kernel72, bpftrace: bpftrace023, scripts }
const NODE: NodeFacts = { memcg: { version: 'v2', path: '/sys/fs/cgroup' }, psi: true, kmsg: true, bridge: '' }
const BARE: NodeFacts = { psi: true, kmsg: false, kmsgReason: 'operation not permitted', bridge: '' }
const errorOf = (work: () => unknown): UserError => { try { work() } catch (error) { if (error instanceof UserError) return error; throw error } throw new Error('was not refused') }
const { tracefs: _, ...without } = kernel({})

describe('when no probe can be had', () => {
  test.each<[string, object, string, RegExp, RegExp]>([
    ['no bpftrace', { bpftrace: { missing: 'bpftrace is not on PATH' } }, 'no-bpftrace', /bpftrace is not on PATH/, /install bpftrace/],
    ['not root', { kernel: kernel({ unprivileged: 'not root (uid 1000); bpftrace needs root' }) }, 'not-root', /not root \(uid 1000\)/, /run as root/],
    ['no tracefs', { kernel: { ...without, tracefsMountable: true } }, 'no-tracefs', /tracefs is not mounted/, /mount -t tracefs/],
    ['lockdown', { kernel: kernel({ lockdown: 'confidentiality' }) }, 'no-probes', /lockdown/, /oomscope doctor/],
    ['neither root nor bpftrace', { kernel: kernel({ unprivileged: 'not root (uid 1000), and bpftrace needs root' }), bpftrace: { missing: 'bpftrace is not on PATH' } }, 'not-root', /not root \(uid 1000\).*; bpftrace is not on PATH/, /run as root.*install bpftrace/],
  ])('%s: it runs on what is left, and says why and how to get more', (_name, changes, code, message, hint) => {
    const { shortage, text, rungs } = prepareFor({ ...features, ...changes }, DEFAULTS, NODE)
    expect(shortage).toMatchObject({ code, message: expect.stringMatching(message) as string, hint: expect.stringMatching(hint) as string })
    expect(shortage?.message).toMatch(/^no probes: .*; running on kernel log, cgroup files and pressure \(PSI\)$/)
    expect([text, rungs.every(({ state }) => state === 'absent')]).toEqual(['', true])
    const error = errorOf(() => prepareFor({ ...features, ...changes }, { ...DEFAULTS, requireProbes: true }, NODE))
    expect(error).toMatchObject({ code, exitCode: 3, message: expect.stringMatching(message) as string, hint: expect.stringContaining('--require-probes') as string })
  })
  test('what is left is said as it is: without the kernel log it is not promised', () => {
    const { shortage } = prepareFor({ ...features, bpftrace: { missing: 'bpftrace is not on PATH' } }, DEFAULTS, { ...NODE, kmsg: false, kmsgReason: 'operation not permitted', psi: false })
    expect(shortage?.message).toBe('no probes: bpftrace is not on PATH; no kernel log: operation not permitted; running on cgroup files')
  })
  test('exit 3 when nothing is left, with or without a wish for probes', () => {
    const without = { ...features, bpftrace: { missing: 'bpftrace is not on PATH' } }
    expect(errorOf(() => prepareFor(without, DEFAULTS, BARE))).toMatchObject({ code: 'nothing-to-watch', exitCode: 3, message: 'cannot watch this node: no probes: bpftrace is not on PATH; no kernel log: operation not permitted; no memory controller is mounted' })
    expect(errorOf(() => prepareFor(features, { ...DEFAULTS, noProbes: true }, BARE))).toMatchObject({ code: 'nothing-to-watch', exitCode: 3 })
    expect(prepareFor(features, DEFAULTS, BARE)).not.toHaveProperty('shortage')
  })
  test.each<[string, string, Partial<Record<string, string>>, string]>([
    ['the same words for every script', 'unrecognized option -B', {}, "bpftrace refused every one: unrecognized option -B"],
    ['different words', 'no memory', { 'kswapd.bt': 'no such tracepoint' }, 'bpftrace refused every one, the first with: no memory'],
  ])('a bpftrace that refuses every script is told in its own words: %s', async (_name, usual, others, reason) => {
    const { rungs } = await isolateRefusals(features, {}, async (_bpftrace, text) => others[/^\/\/ (\S+\.bt)/.exec(text)?.[1] ?? ''] ?? usual)
    expect(shortageOf({ features, node: NODE }, rungs)).toMatchObject({ reason, hint: expect.stringMatching(/bpftrace \(0\.23\.2\).*doctor --self-test/) as string })
  })
  test('a node that lacks something for each of them', () => {
    const bare = { ...features, kernel: kernel({ kprobes: false, tracepoints: new Set(), functions: new Set() }) }
    expect(prepareFor(bare, DEFAULTS, NODE).shortage).toMatchObject({ code: 'no-probes', reason: expect.stringContaining('this node lacks') as string, hint: 'see `oomscope doctor`' })
  })
  test('without a bridge nothing is prepared', () => {
    expect(errorOf(() => prepareFor(features, DEFAULTS, { ...NODE, bridge: '/b', bridgeReason: 'no such file or directory' }))).toMatchObject({ code: 'bridge-start', exitCode: 3, message: 'cannot start the bridge, /b: no such file or directory', hint: expect.stringContaining('make build') as string })
  })
  test('with --no-probes bpftrace is not even asked what it can do', async () => {
    const directory = fresh(), bpftrace = join(directory, 'bpftrace'), isAsked = (): boolean => existsSync(join(directory, 'asked'))
    writeFileSync(bpftrace, '#!/bin/sh\n: > "${0%/*}/asked"\n', { mode: 0o755 })
    expect((await detectFeatures(bpftrace, { noProbes: true })).bpftrace).toEqual({ missing: 'not asked for' })
    expect(isAsked()).toBe(false)
    await detectFeatures(bpftrace)
    expect(isAsked()).toBe(true)
  })
  test('--no-probes starts all the same, every question absent', () => {
    const preparation = prepareFor({ ...features, bpftrace: { missing: 'x' } }, { ...DEFAULTS, noProbes: true }, NODE)
    expect(preparation).not.toHaveProperty('shortage')
    expect(preparation.text).toBe('')
    expect(preparation.rungs.every(({ state }) => state === 'absent')).toBe(true)
    expect(bridgeArguments(DEFAULTS, preparation, undefined)).toEqual(['--sample-ms', '100', '--budget-centi', '200', '--stall-ns', '10000000'])
    expect(bridgeArguments({ ...DEFAULTS, numa: true }, preparation, undefined).at(-1)).toBe('--numa')
  })
})

test('a kill of our own is provoked only when asked for', () => {
  expect(prepareFor(features, DEFAULTS, NODE).selftests).not.toContain('oom')
  expect(prepareFor(features, DEFAULTS, NODE).selftests).toContain('signal')
  expect(prepareFor(features, { ...DEFAULTS, oomTest: true }, NODE).selftests).toContain('oom')
})

describe('the memory controller is found', () => {
  const v1 = '31 25 0:28 / /sys/fs/cgroup/memory rw,nosuid - cgroup cgroup rw,memory', v2 = '30 25 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw', other = '33 25 0:30 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu'
  test.each<[string, string[], string, object | undefined]>([
    ['on v1, also when v2 is mounted for names', [v2, other, v1], '', { version: 'v1', path: '/sys/fs/cgroup/memory' }], ['on v2', [v2], 'cpu memory pids', { version: 'v2', path: '/sys/fs/cgroup/unified' }],
    ['nowhere when v2 has not got it', [v2, other], 'cpu pids', undefined], ['under a path with blanks', [v2.replace('unified', 'a\\040b')], 'memory', { version: 'v2', path: '/sys/fs/cgroup/a b' }], ['in no mounts', [], '', undefined], ['in damaged lines', ['x', ' - ', 'a b c d e - cgroup2'], '', undefined],
  ])('%s', (_name, lines, controllers, expected) => expect(memcgMount(lines.join('\n'), () => controllers)).toEqual(expected))
})

describe('who answers when no probe does', () => {
  const V1: NodeFacts = { ...NODE, memcg: { version: 'v1', path: '/sys/fs/cgroup/memory' } }
  test.each<[string, string, NodeFacts, string]>([
    ['oom-decision', 'everything', NODE, 'the kernel log and memory.events'], ['oom-decision', 'cgroup v1', V1, 'the kernel log and memory.oom_control'], ['oom-decision', 'nothing', BARE, 'nothing'],
    ['memcg-reclaim', 'cgroup v2', NODE, 'memory.pressure'], ['memcg-reclaim', 'cgroup v1, which has no such file', V1, 'nothing'], ['over-high', 'cgroup v1, which has no memory.high', V1, 'nothing'],
    ['direct-reclaim', 'PSI', BARE, '/proc/pressure/memory'], ['fatal-signal', 'everything', NODE, 'nothing'], ['a question of another version', 'everything', NODE, 'nothing'],
    ['memcg-life', 'a tree not to be read', { ...NODE, memcgReason: 'permission denied' }, 'nothing'],
  ])('%s, with %s', (question, _, node, words) => expect(insteadOf(question, node)).toBe(words))
})
