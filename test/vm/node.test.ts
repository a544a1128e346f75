/** A node as Kubernetes has it: cgroup v2 and systemd as init; its services, and the same pods as on the host, made with the systemd driver. */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, type TestContext } from 'vitest'
import { CLI } from '../helpers/cli.ts'
import { expectBereft, expectCase, expectNamed, toldBy, type Told } from '../helpers/cri/check.ts'
import { containerdMissing } from '../helpers/cri/containerd.ts'
import type { Made, PodFacts, Proof } from '../helpers/cri/proof.ts'
import type { CaseJson } from '../helpers/lab/recorder.ts'
import { descriptionOf, UNIT_LIMIT, UNITS } from '../helpers/lab/units.ts'
import { forget, GUESTS, isAsked, resultOf, runGuest, type NotRun, type Ran } from './guests.ts'

/** One kernel by default: what differs between kernels is not the runtime's. */
const SOME = isAsked ? GUESTS : GUESTS.slice(-1)

describe.each(SOME)('kernel $kernel with bpftrace $bpftrace', (guest) => {
  let ran: Ran | NotRun | undefined, told: Told, late: Told, units: Told

  beforeAll(async () => {
    const missing = containerdMissing()
    ran = missing === undefined ? await runGuest(guest, 'node-guest') : { skipped: missing }
    if ('skipped' in ran || !ran.results.has('proof')) return
    units = await toldBy(CLI, join(ran.share, 'units.oom'))
    told = await toldBy(CLI, join(ran.share, 'cri.oom'))
    late = await toldBy(CLI, join(ran.share, 'cri-late.oom'))
  })
  afterAll(() => forget(ran))

  const proofOf = (context: TestContext): Proof => resultOf(context, ran, 'proof')
  const last = ({ containers }: PodFacts): Made => containers.at(-1) as Made

  test('it is cgroup v2', (context) => {
    proofOf(context)
    expect(told.rows.of('hello')[0]).toMatchObject({ memcgVersion: 'v2' })
  })

  test('services have the descriptions, limits and restarts that systemd gives them', (context) => {
    proofOf(context)
    const named = units.rows.of('workload').filter(({ from }) => from === 'systemd')
    for (const [unit, restarts] of [[UNITS.quiet, 0], [UNITS.greedy, 0], [UNITS.again, 1]] as const) {
      expect(named.findLast((row) => row.unit === unit)).toMatchObject({ cgroupPath: `/system.slice/${unit}`, description: descriptionOf(unit), memoryLimitBytes: UNIT_LIMIT, restarts })
    }
    expect(units.rows.of('memcg_limits').findLast(({ memcgId }) => memcgId === units.rows.of('memcg_birth').find(({ path }) => path === `/system.slice/${UNITS.quiet}`)?.memcgId)).toMatchObject({ maxBytes: UNIT_LIMIT })
  })

  test('a service killed at its limit has systemd\'s word on it in its case, one that was started again its kill and its restart', (context) => {
    proofOf(context)
    const caseOf = (unit: string): readonly CaseJson[] => units.cases.filter(({ victims }) => victims.some(({ workload }) => workload?.['unit'] === unit))
    expect([UNITS.greedy, UNITS.again].map((unit) => caseOf(unit).length)).toEqual([1, 1])
    for (const unit of [UNITS.greedy, UNITS.again]) {
      expect(caseOf(unit)[0]).toMatchObject({ limit: { path: `/system.slice/${unit}`, limitBytes: UNIT_LIMIT } })
      expect(caseOf(unit)[0]?.victims[0]?.workload).toMatchObject({ description: descriptionOf(unit), memoryLimitBytes: UNIT_LIMIT })
    }
    expect(caseOf(UNITS.greedy)[0]?.evidence.filter(({ source }) => source === 'systemctl status').map(({ fact }) => fact)).toEqual([`systemd says of service ${UNITS.greedy}: exited, exit code 137, oom-kill`])
    expect(caseOf(UNITS.again)[0]?.victims[0]?.workload).toMatchObject({ restarts: 1 })
  })

  test('pods that were there before, and those made while it records, have their names, images, limits and owners', (context) => {
    const { early, late: made } = proofOf(context)
    expectNamed(told, early)
    expectNamed(told, made)
  })

  test('a container killed by its limit 20 ms after it began has its name in the case, and its runtime\'s word as evidence', (context) => {
    const { late: made } = proofOf(context)
    expect(last(made).word?.exitCode).toBe(137)
    expectCase(told, made, last(made))
  })

  test('a container whose child was killed is not dead, whatever its runtime calls it', (context) => {
    expectBereft(told, proofOf(context).late.containers[1] as Made)
  })

  test('one whose runtime answered only after its death has both', (context) => {
    const { unanswered } = proofOf(context)
    expectCase(late, unanswered, last(unanswered))
  })

  test('nothing of the containerd is left', (context) => {
    expect(resultOf(context, ran, 'traces')).toEqual([])
  })
})
