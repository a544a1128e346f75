import { describe, expect, test } from 'vitest'
import { UserError } from '../../../src/base/errors.ts'
import { bridgeArguments } from '../../../src/source/bridge-arguments.ts'
import { DEFAULTS } from '../../../src/source/live-options.ts'
import { memcgMount } from '../../../src/source/node-facts.ts'
import { prepareFor } from '../../../src/source/prepare-probes.ts'
import { loadProbeScripts } from '../../../src/source/probe-script.ts'
import { bpftrace023, kernel, kernel72 } from './probe-kernels.ts'

const scripts = await loadProbeScripts()
const features = { kernel: kernel72, bpftrace: bpftrace023, scripts }
const refusal = (changes: Partial<typeof features> | object): UserError => { try { prepareFor({ ...features, ...changes }, DEFAULTS) } catch (error) { if (error instanceof UserError) return error; throw error } throw new Error('was not refused') }
const { tracefs: _, ...without } = kernel({})

describe('when no probe can be had', () => {
  test.each<[string, object, string, RegExp, RegExp]>([
    ['no bpftrace', { bpftrace: { missing: 'bpftrace is not on PATH' } }, 'no-bpftrace', /bpftrace is not on PATH/, /install bpftrace/],
    ['not root', { kernel: kernel({ unprivileged: 'not root (uid 1000); bpftrace needs root' }) }, 'not-root', /not root \(uid 1000\)/, /run as root/],
    ['no tracefs', { kernel: { ...without, tracefsMountable: true } }, 'no-tracefs', /tracefs is not mounted/, /mount -t tracefs/],
    ['lockdown', { kernel: kernel({ lockdown: 'confidentiality' }) }, 'no-probes', /lockdown/, /oomscope doctor/],
  ])('%s: exit 3, the way out, and the way without', (_name, changes, code, message, hint) => {
    const error = refusal(changes)
    expect(error).toMatchObject({ code, exitCode: 3 })
    expect(error.message).toMatch(message)
    expect(error.hint).toMatch(hint)
    expect(error.hint).toContain('--no-probes')
  })
  test('--no-probes starts all the same, every question absent', () => {
    const preparation = prepareFor({ ...features, bpftrace: { missing: 'x' } }, { ...DEFAULTS, noProbes: true })
    expect(preparation.text).toBe('')
    expect(preparation.rungs.every(({ state }) => state === 'absent')).toBe(true)
    expect(bridgeArguments(DEFAULTS, preparation, undefined)).toEqual(['--sample-ms', '100', '--stall-ns', '10000000'])
  })
})

test('a kill of our own is provoked only when asked for', () => {
  expect(prepareFor(features, DEFAULTS).selftests).not.toContain('oom')
  expect(prepareFor(features, DEFAULTS).selftests).toContain('signal')
  expect(prepareFor(features, { ...DEFAULTS, oomTest: true }).selftests).toContain('oom')
})

describe('the memory controller is found', () => {
  const v1 = '31 25 0:28 / /sys/fs/cgroup/memory rw,nosuid - cgroup cgroup rw,memory', v2 = '30 25 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw', other = '33 25 0:30 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu'
  test.each<[string, string[], string, object | undefined]>([
    ['on v1, also when v2 is mounted for names', [v2, other, v1], '', { version: 'v1', path: '/sys/fs/cgroup/memory' }], ['on v2', [v2], 'cpu memory pids', { version: 'v2', path: '/sys/fs/cgroup/unified' }],
    ['nowhere when v2 has not got it', [v2, other], 'cpu pids', undefined], ['under a path with blanks', [v2.replace('unified', 'a\\040b')], 'memory', { version: 'v2', path: '/sys/fs/cgroup/a b' }], ['in no mounts', [], '', undefined], ['in damaged lines', ['x', ' - ', 'a b c d e - cgroup2'], '', undefined],
  ])('%s', (_name, lines, controllers, expected) => expect(memcgMount(lines.join('\n'), () => controllers)).toEqual(expected))
})
