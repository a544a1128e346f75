/** Names, limits and a runtime's last word on cgroup v2: the same pods as on the host, in a guest. */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, type TestContext } from 'vitest'
import { CLI } from '../helpers/cli.ts'
import { expectBereft, expectCase, expectNamed, toldBy, type Told } from '../helpers/cri/check.ts'
import { containerdMissing } from '../helpers/cri/containerd.ts'
import type { Made, PodFacts, Proof } from '../helpers/cri/proof.ts'
import { skip } from '../helpers/skip.ts'
import { forget, GUESTS, isAsked, runGuest, type NotRun, type Ran } from './guests.ts'

/** One kernel by default: what differs between kernels is not the runtime's. */
const SOME = isAsked ? GUESTS : GUESTS.slice(-1)

describe.each(SOME)('kernel $kernel with bpftrace $bpftrace', (guest) => {
  let ran: Ran | NotRun = { skipped: 'not run' }, told: Told, late: Told

  beforeAll(async () => {
    const missing = containerdMissing()
    ran = missing === undefined ? await runGuest(guest, 'cri-guest') : { skipped: missing }
    if ('skipped' in ran || !ran.results.has('proof')) return
    told = await toldBy(CLI, join(ran.share, 'cri.oom'))
    late = await toldBy(CLI, join(ran.share, 'cri-late.oom'))
  })
  afterAll(() => forget(ran))

  function proofOf(context: TestContext): Proof {
    if ('skipped' in ran) return skip(context, ran.skipped)
    if (!ran.results.has('proof')) throw new Error(`the guest proved nothing; its last words:\n${ran.console}`)
    return ran.results.get('proof') as Proof
  }
  const last = ({ containers }: PodFacts): Made => containers.at(-1) as Made

  test('it is cgroup v2', (context) => {
    proofOf(context)
    expect(told.rows.of('hello')[0]).toMatchObject({ memcgVersion: 'v2' })
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
    proofOf(context)
    expect((ran as Ran).results.get('traces')).toEqual([])
  })
})
