/** 50,000 events at once while somebody on their way is stopped: what was caused was seen, or is counted as lost. */
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { CLI } from '../helpers/cli.ts'
import { Recorder } from '../helpers/lab/recorder.ts'
import { rowsOf } from '../helpers/lab/recording-rows.ts'
import { inLab, type OpenLab } from './host-lab.ts'

const CAUSED = 50_000

/** bpftrace has a buffer for each CPU; so many that a sender who is moved between all of them still fills each. */
const MORE_THAN_ALL_BUFFERS = CAUSED * availableParallelism()

/** The bridge's child; a missing tracer means that there is nothing to be tested. */
const tracerOf = (recorder: Recorder): number => recorder.family().find(({ comm }) => comm === 'bpftrace')?.pid ?? Number.NaN

type Burst = { readonly seen: number; readonly lost: number; readonly losses: Readonly<Record<string, number>> }

/** Records a volley of signals that the process they go to ignores, while `stopped` gets no time: meanwhile, and `forMs` longer. */
async function burst({ lab, directory }: OpenLab, { stopped, forMs, caused }: { readonly stopped: (recorder: Recorder) => number; readonly forMs: number; readonly caused: number }): Promise<Burst> {
  const recorder = new Recorder(CLI, join(directory, 'recording.oom'))
  try {
    await recorder.ready()
    const volley = lab.start('volley', [String(caused)]), target = await volley.says('ready'), pid = stopped(recorder)
    process.kill(pid, 'SIGSTOP')
    try {
      volley.tell('g')
      expect(await volley.says('sent')).toBe(caused)
      await pause(forMs)
    } finally {
      process.kill(pid, 'SIGCONT')
    }
    await volley.end()
    // At once: what is still on its way is not lost by ending.
    expect((await recorder.end()).code).toBe(130)
    const rows = await rowsOf(recorder.file), losses = Object.fromEntries(rows.of('loss').map(({ where, count }) => [where, count]))
    const seen = rows.of('signal').filter(({ signo, targetTid, senderPid }) => signo === 15 && targetTid === target && senderPid === target).length
    return { seen, losses, lost: Object.values(losses).reduce((sum, count) => sum + count, 0) }
  } finally {
    await recorder.end('SIGKILL')
  }
}

test('a reader that is stopped for five seconds loses nothing in silence', (context) => inLab(context, async (host) => {
  const { seen, lost, losses } = await burst(host, { stopped: (recorder) => recorder.pid, forMs: 5000, caused: CAUSED })
  expect(seen).toBeLessThanOrEqual(CAUSED)
  expect(seen + lost).toBeGreaterThanOrEqual(CAUSED)
  // The ring of 16 MiB holds all of them: what was lost was lost before, in the buffers of bpftrace, which may have had no CPU either.
  expect(losses['ring'] ?? 0).toBe(0)
  expect(seen).toBeGreaterThan(0)
}))

test('what bpftrace could not take while it was stopped is counted, once, also when the recording ends at once', (context) => inLab(context, async (host) => {
  const { seen, lost, losses } = await burst(host, { stopped: tracerOf, forMs: 0, caused: MORE_THAN_ALL_BUFFERS }), missing = MORE_THAN_ALL_BUFFERS - seen
  expect(missing).toBeGreaterThan(0)
  expect(losses['bpftrace']).toBeGreaterThanOrEqual(missing)
  // Rows of others fall into the same gap, but not as many again.
  expect(lost).toBeLessThan(2 * missing)
}))
