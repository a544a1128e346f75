/** Expectations that guest and host share: the lab did what it meant to, and the program told exactly that. */
import { expect } from 'vitest'
import type { CaseJson } from './recorder.ts'
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
