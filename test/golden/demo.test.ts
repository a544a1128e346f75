/** The bundled recording (a real containerd on kernel 6.12, test/vm/demo-story.ts) shows what a new user is promised: each death, by name, with its evidence. */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import type { CaseJson, SignalCaseJson } from '../helpers/lab/recorder.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const json = <T>(...args: string[]): T[] => execFileSync(process.execPath, ['dist/cli/main.js', ...args, 'docs/demo.oom', '--json'], { cwd: ROOT, encoding: 'utf8' }).trim().split('\n').map((line) => JSON.parse(line) as T)
const text = (...args: string[]): string => execFileSync(process.execPath, ['dist/cli/main.js', ...args, 'docs/demo.oom'], { cwd: ROOT, encoding: 'utf8' })
const kills = json<CaseJson>('kills'), by = (cause: string): readonly CaseJson[] => kills.filter((kill) => kill.cause === cause)

test('four deaths: a container\'s limit twice, a pod\'s limit, and one that was no OOM kill', () => {
  expect(kills.map(({ cause }) => cause).sort()).toEqual(['container-limit', 'container-limit', 'pod-limit', 'runtime-stop'])
  for (const kill of by('container-limit')) {
    expect(kill).toMatchObject({ confidence: 'certain', limit: { level: 'container', limitBytes: 96 << 20 }, victims: [{ comm: 'checkout', oomScoreAdj: 937, workload: { namespace: 'shop', pod: 'checkout-7d9c5b7f6d-x2x4z', container: 'api', owner: 'Deployment/checkout' } }] })
  }
})
test('of the pod\'s limit the one who filled it last is not the one who died', () => {
  const [kill] = by('pod-limit')
  expect(kill).toMatchObject({ confidence: 'certain', limit: { level: 'pod', limitBytes: 112 << 20 }, invoker: { comm: 'load' }, victims: [{ comm: 'extract', workload: { pod: 'etl-28870412-k9x7p', container: 'extract', owner: 'Job/etl-28870412' } }] })
  expect(kill?.candidates.filter(({ eligible }) => eligible).map(({ comm }) => comm)).toEqual(expect.arrayContaining(['extract', 'load']))
})
test('every OOM kill has the kernel\'s own points, three witnesses, and what reclaim tried', () => {
  for (const kill of [...by('container-limit'), ...by('pod-limit')]) {
    expect(kill.candidatesFrom).toBe('oom_badness')
    expect(kill.witnesses).toEqual(expect.arrayContaining(['probe', 'kmsg', 'memory.events']))
    expect(kill.candidates.filter(({ chosen }) => chosen).map(({ pid }) => pid)).toEqual([kill.victims[0]?.pid])
    expect(kill.sentence).toMatch(/\d+ reclaim attempts freed/)
    expect(kill.evidence.some(({ fact }) => /exit code 137, OOMKilled/.test(fact))).toBe(true)
  }
})
test('exit code 137 without an OOM kill: the runtime, after the grace period', () => {
  const [kill] = by('runtime-stop') as readonly SignalCaseJson[]
  expect(kill).toMatchObject({ victims: [{ comm: 'orders' }], signal: { signal: 'SIGKILL' } })
  expect(kill?.signal.graceMs).toBeGreaterThanOrEqual(3000)
})
test('spikes that kubectl top never showed, a leak with its time to the limit, and tasks put to sleep above memory.high', () => {
  const hidden = json<{ path: string; workload: { container?: string }; missedByKubectlTop?: boolean; peakBytes: number; baseBytes: number }>('spikes').filter((spike) => spike.workload.container === 'api' && spike.missedByKubectlTop === true && spike.peakBytes - spike.baseBytes > 30 << 20)
  expect(hidden.length).toBeGreaterThanOrEqual(3)
  // What the killed ones waited in reclaim at the end, once each: all their spikes that ended with them have it.
  expect(text('spikes').match(/checkout.*:api.*(?:35|20) ms$/gm)).toHaveLength(2)
  expect(text('spikes').match(/no +(?:35|20)ms$/gm)).toHaveLength(3)
  const screen = text('replay', '--at', '+1h')
  expect(screen).toMatch(/data\/redis-0:redis.*~\d+/)
})
