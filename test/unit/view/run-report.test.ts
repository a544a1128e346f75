/** The summary of a run: what is known, what is not, and why. */
import { expect, test } from 'vitest'
import { COUNTERS } from '../../../src/event/kinds.ts'
import { createRunWatch, watchRun } from '../../../src/model/run-watch.ts'
import { accountsOf, createLedger, endLedger, keepAccount } from '../../../src/model/usage-ledger.ts'
import { runPanel } from '../../../src/view/run-panel.ts'
import { runText } from '../../../src/view/run-report.ts'
import { runJson, runSummary } from '../../../src/view/run-summary.ts'
import type { RunFacts } from '../../../src/view/run-summary.ts'
import { applyEvent, createModel } from '../../../src/model/apply.ts'
import { birth, decision, event, hello, limits, T0, usage } from '../model/build.ts'

const MIB = 2 ** 20, LIMIT = 64 * MIB
const FACTS: RunFacts = { argv: ['./load', 'a b\u001b[2J'], code: 0, ns: 40e9, peakBytes: 60 * MIB, leftBehind: 0 }

/** A run whose usage stands at each of these MiB for a second. */
function ranAt(mib: readonly number[], { limited = true } = {}) {
  const model = createModel(), watch = createRunWatch(9)
  for (const e of [hello(), birth(1, '/', 0), birth(9, '/oomscope-run-1', 1), ...(limited ? [limits(9, LIMIT)] : [])]) applyEvent(model, e)
  mib.forEach((each, i) => { applyEvent(model, usage(9, each * MIB, T0 + i * 1e9)); watchRun(watch, model) })
  return { model, watch }
}

const summaryOf = (run: ReturnType<typeof ranAt>, facts: Partial<RunFacts> = {}) => runSummary({ ...FACTS, ...facts }, run.model, { watch: run.watch, path: '/oomscope-run-1', cases: run.model.cases })

test('time near the limit is weighted by time, each look standing until the next', () => {
  // 50 of 64 MiB are 78 %, 52 are 81 %, 58 are 90.6 %.
  const summary = summaryOf(ranAt([50, 52, 58, 60, 10, 10]))
  expect(summary).toMatchObject({ over80Ns: 3e9, over90Ns: 2e9, limitBytes: LIMIT, limitPath: undefined, isPeakExact: true })
})

test('beside the command it says that nobody waits where a probe counts waits, and that it is not known where none does', () => {
  const { model, watch } = ranAt([50, 52]), waiting = (): string | undefined => runPanel(model, { watch, path: '/oomscope-run-1', cases: [] }).lines.find(({ label }) => label === 'waiting')?.text
  const rung = (question: string, state: string): void => applyEvent(model, event('rung', T0, { question, rung: 'x', state }))
  rung('memcg-reclaim', 'absent')
  expect(waiting()).toBe('not known')
  rung('memcg-reclaim', 'proven')
  expect(waiting()).toBe('0 ms/s')
  applyEvent(model, event('clock', T0 - 20e9, { wallMs: 1, bootNs: 1 }))
  applyEvent(model, event('counter', T0 + 1.5e9, { counter: COUNTERS.indexOf('memcg_reclaim_ns'), key: 9, value: 3e8 }))
  applyEvent(model, event('clock', T0 + 2.1e9, { wallMs: 1, bootNs: 1 }))
  expect(waiting()).toBe('300 ms/s')
})

test('without a mark of the kernel the peak is what was sampled, and is said to be', () => {
  const run = ranAt([10, 58, 20]), summary = summaryOf(run, { peakBytes: undefined })
  expect(summary).toMatchObject({ peakBytes: 58 * MIB, isPeakExact: false })
  expect(runText(summary, run.model).join('\n')).toMatch(/peak +at least 58 MiB, 90\.6 % of 64 MiB · sampled/)
  expect(runJson(summary, run.model)).toMatchObject({ peakBytes: 58 * MIB, peakExact: false })
  // It ended before the first look, on a kernel without the mark.
  expect(runText(summaryOf(ranAt([]), { peakBytes: undefined }), run.model).join('\n')).toContain('not known: it ended before the first look')
})

test('the nearest limit above counts where it has none of its own, and is named', () => {
  const model = createModel(), watch = createRunWatch(9)
  for (const e of [hello(), birth(1, '/', 0), birth(5, '/user.slice', 1), birth(9, '/user.slice/run', 5), limits(5, LIMIT), usage(9, 60 * MIB, T0)]) applyEvent(model, e)
  watchRun(watch, model)
  const summary = runSummary(FACTS, model, { watch, path: '/user.slice/run', cases: [] })
  expect(runText(summary, model).join('\n')).toContain('(the limit of /user.slice)')
  expect(runJson(summary, model)).toMatchObject({ limitBytes: LIMIT, limitPath: '/user.slice' })
})

test('kills in it, and by its limit, are its own; others are not', () => {
  const run = ranAt([50])
  for (const e of [birth(7, '/other', 1), ...decision({ tid: 40, tsNs: T0 + 1e9, memcgId: 9, victims: [{ pid: 40, memcgId: 9 }] }), ...decision({ tid: 70, tsNs: T0 + 2e9, memcgId: 7, victims: [{ pid: 70, memcgId: 7 }] })]) applyEvent(run.model, e)
  const summary = summaryOf(run, { code: 137, signal: 'SIGKILL' }), text = runText(summary, run.model).join('\n')
  expect(summary.kills.map(({ victims }) => victims.map(({ pid }) => pid))).toEqual([[40]])
  expect(text).toContain('ended by SIGKILL (exit 137) after 40 s')
  expect(text).toContain('kills       1 kill')
})

test('a decision that kills nobody is no kill, and is told as what it is', () => {
  const run = ranAt([50])
  for (const second of [1, 2, 3]) for (const e of decision({ tid: 40, tsNs: T0 + second * 1e9, memcgId: 9, victims: [] })) applyEvent(run.model, e)
  const summary = summaryOf(run), text = runText(summary, run.model).join('\n')
  expect(summary).toMatchObject({ kills: [], oomsWithoutKill: 3 })
  expect(runJson(summary, run.model)).toMatchObject({ kills: [], oomsWithoutKill: 3 })
  expect(text).toMatch(/kills +none\n +the OOM killer also ran 3 times and killed nobody/)
  expect(runText(summaryOf(ranAt([50])), run.model).join('\n')).not.toContain('killed nobody')
})

test('stalls: none where a probe would have told, not known where none could; failures and losses are said', () => {
  const run = ranAt([50]), rung = (state: string) => applyEvent(run.model, event('rung', T0, { question: 'memcg-reclaim', rung: 'tracepoint', state }))
  rung('dead')
  expect(runText(summaryOf(run), run.model).join('\n')).toContain('stalls      not known')
  rung('proven')
  const text = runText(summaryOf(run, { failure: 'the bridge died' }), run.model).join('\n')
  expect(text).toContain('stalls      none')
  expect(text).toContain('not watched to its end: the bridge died')
})

test('a request and a limit follow from it, by the kernel\'s own mark of the peak, and its shortness is said', () => {
  const run = ranAt([]), ledger = createLedger()
  for (const mib of [20, 40, 58]) {
    const row = usage(9, mib * MIB, T0 + mib * 1e8)
    applyEvent(run.model, row)
    keepAccount(ledger, run.model, row)
  }
  endLedger(ledger, run.model)
  const of = (peakBytes: number | undefined) => runSummary({ ...FACTS, peakBytes }, run.model, { watch: run.watch, path: '/oomscope-run-1', cases: [], account: accountsOf(ledger)[0] })
  expect(of(60 * MIB).recommendation).toMatchObject({ limitBytes: 80 * MIB, headroomPercent: 30 })
  expect(of(undefined).recommendation).toMatchObject({ limitBytes: 84 * MIB, headroomPercent: 40 })
  const text = runText(of(60 * MIB), run.model).join('\n')
  expect(text).toContain('recommended request 58Mi, limit 80Mi')
  expect(text).toMatch(/but +only .* are recorded/)
  expect(runJson(of(60 * MIB), run.model).recommendation?.warnings.map(({ code }) => code)).toContain('too-short')
  expect(runText(summaryOf(run), run.model).join('\n')).not.toContain('recommended')
})

test('no line is wider than 80 columns or holds a control character', () => {
  const run = ranAt([50, 60])
  for (const line of runText(summaryOf(run, { leftBehind: 2, failure: 'x'.repeat(200) }), run.model)) {
    expect(line.length).toBeLessThanOrEqual(80)
    expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/)
  }
})
