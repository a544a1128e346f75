/** Expectations that guest and host share: the lab did what it meant to, and the program told exactly that. */
import { expect } from 'vitest'
import type { CaseJson, SignalCaseJson } from './recorder.ts'
import { casesOf, toldStory, trueStory } from './told.ts'
import type { Truth } from './truth.ts'

/** Everything in here the kernel's own files and log say; when it fails, the lab is wrong and not the program. */
export function expectSound(truth: Truth): void {
  expect(truth.facts.length).toBeGreaterThan(0)
  expect(truth.facts.filter(({ holds }) => !holds)).toEqual([])
}

export type JudgeOptions = { readonly candidatesFrom: 'oom_badness' | 'kmsg' }

/** One case for every kill, with everything right in it; none for anything else. */
export function expectTold(truth: Truth, cases: readonly CaseJson[], { candidatesFrom }: JudgeOptions): void {
  const own = casesOf(truth, cases), detail = { candidatePaths: candidatesFrom === 'oom_badness' }
  for (const kill of truth.kills) {
    const about = own.filter((said) => said.victims.some((victim) => victim.pid === kill.victims[0]?.pid))
    expect(about.map((said) => said.victims.map((victim) => victim.pid)), 'cases about this kill').toHaveLength(1)
    const [said] = about as [CaseJson]
    expect(toldStory(said, kill, detail)).toEqual(trueStory(kill, detail))
    expect(said.candidatesFrom).toBe(candidatesFrom)
    expect(said.witnesses).toEqual(expect.arrayContaining(['probe', 'kmsg']))
  }
  expect(own.map((said) => `${said.cause}: ${said.victims.map((victim) => victim.pid).join(' ')}`), 'cases that no kill is behind').toHaveLength(truth.kills.length)
}

const pidOf = ({ pid }: { readonly pid: number }): number => pid

/** One case for every death by a process's signal, with the right hand behind it; none for anybody else. */
export function expectStrokes({ strokes, kills, spared }: Truth, cases: readonly SignalCaseJson[]): void {
  const people = new Set([...spared, ...kills.flatMap(({ victims }) => victims)].map(pidOf)), own = cases.filter(({ victims }) => victims.some(({ pid }) => people.has(pid)))
  expect(own.map(({ cause, confidence, signal: { signal, sender, asker }, victims }) => ({
    cause, confidence, signal, sender: { pid: sender.pid, comm: sender.comm }, ...(asker === undefined ? {} : { asker }), victims: victims.map(({ pid, comm, path }) => ({ pid, comm, path })).toSorted((a, b) => a.pid - b.pid),
  }))).toEqual(strokes.map(({ cause, confidence, signal, sender, asker, victims }) => ({
    cause, confidence, signal, sender, ...(asker === undefined ? {} : { asker }), victims: victims.map(({ pid, comm, path }) => ({ pid, comm, path })).toSorted((a, b) => a.pid - b.pid),
  })))
  // The sender slept that long between the two.
  for (const [i, { cause }] of strokes.entries()) if (cause === 'oom-daemon') expect(own[i]?.because.join('\n')).toContain('oomd_ooms, oomd_kill')
  for (const [i, { graceMs }] of strokes.entries()) if (graceMs !== undefined) expect(own[i]?.signal.graceMs).toBeGreaterThanOrEqual(graceMs)
}

/** The OOM killer ran, and the one it found was dying: that is said, and nobody is called a victim. */
export function expectNoKills({ noKills }: Truth, cases: readonly CaseJson[]): void {
  for (const { limitPath, exitingPid } of noKills) {
    const own = cases.filter(({ limit }) => limit?.path === limitPath)
    expect(own.map(({ cause, confidence, victims }) => ({ cause, confidence, victims }))).toEqual([{ cause: 'invoked-no-kill', confidence: 'likely', victims: [] }])
    expect(own[0]?.sentence).toContain(`pid ${exitingPid} was exiting already`)
  }
}
