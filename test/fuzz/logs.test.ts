/** Kernel logs cut anywhere, damaged, and mixed: nothing crashes, nothing hangs, and no case claims what its lines do not say. */
import { expect, test } from 'vitest'
import { jsonLine } from '../../src/view/json-line.ts'
import { killJson } from '../../src/view/kill-json.ts'
import { killText } from '../../src/view/kill-report.ts'
import { casesIn, explained, LOGS, logText } from '../helpers/logs.ts'

function seeded(seed: number): () => number {
  let state = seed * 2_654_435_761 % 2 ** 32
  return () => { state = (state + 0x6d2b79f5) | 0; let t = Math.imul(state ^ (state >>> 15), 1 | state); t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t; return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32 }
}

/** Everything that is printed of a log can be printed. */
function tell(text: string): void {
  for (const { model, clock } of explained(text)) for (const killCase of model.cases) {
    expect(killText(killCase, model, clock)).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/)
    JSON.parse(jsonLine(killJson(killCase, model, clock)))
  }
}

test.each(LOGS)('every prefix of %s can be told, and names no victim that the whole log does not name', (name) => {
  const text = logText(name), dead = new Set(casesIn(text).flatMap((kill) => kill.victims.map((victim) => victim.pid)))
  for (let end = 0; end <= text.length; end += 1) {
    for (const { model } of explained(text.slice(0, end))) for (const { victims } of model.cases) for (const { pid } of victims) expect(dead.has(pid), `cut at ${end}: pid ${pid}`).toBe(true)
    if (end % 97 === 0) tell(text.slice(0, end))
  }
})

const PIECES = ['\n', '\u0000', '\\x0a', ' invoked oom-killer: gfp_mask=0x0(), order=-1, oom_score_adj=1000', ',oom_memcg=/', ',task_memcg=/', 'Killed process 1 (', ')', ' kernel: ', '[', '9'.repeat(400), '{"MESSAGE":[300,-1,"x"]}', '<0>', '\ud800', '#012', 'Tasks in / are going to be killed due to memory.oom.group set', '6,1,1,-;', '-- Reboot --', 'Linux version 4.0']

function mutated(text: string, random: () => number): string {
  const lines = text.split('\n'), at = (): number => Math.floor(random() * lines.length)
  for (let i = 0; i < 1 + Math.floor(random() * 6); i += 1) {
    const line = at(), cut = Math.floor(random() * (lines[line]?.length ?? 0)), piece = PIECES[Math.floor(random() * PIECES.length)] ?? ''
    switch (Math.floor(random() * 6)) {
      case 0: lines.splice(line, 1 + Math.floor(random() * 5)); break
      case 1: lines.splice(at(), 0, lines[line] ?? ''); break
      case 2: lines[line] = `${lines[line]?.slice(0, cut)}${piece}${lines[line]?.slice(cut)}`; break
      case 3: lines[line] = lines[line]?.slice(cut) ?? ''; break
      case 4: [lines[line], lines[0]] = [lines[0] ?? '', lines[line] ?? '']; break
      default: lines[line] = String.fromCharCode(...Array.from({ length: 20 }, () => Math.floor(random() * 0x300)))
    }
  }
  return lines.join('\n')
}

test('damaged logs, and logs of two formats in one file, can be told', () => {
  for (let seed = 1; seed <= 1500; seed += 1) {
    const random = seeded(seed), pick = (): string => logText(LOGS[Math.floor(random() * LOGS.length)] ?? '')
    const text = mutated(pick(), random), whole = seed % 5 === 0 ? `${text}\n${mutated(pick(), random)}` : text
    try { tell(whole) } catch (error) { throw new Error(`seed ${seed}`, { cause: error }) }
  }
})

test('a long log of nothing but openings is read in a moment', () => {
  const started = performance.now()
  for (const piece of [' invoked oom-killer: gfp_mask=0x1(G), order=0, oom_score_adj=0', 'Memory cgroup stats for /a: ', 'oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=,oom_memcg=/a,task_memcg=/a,task=a,pid=1,uid=1', 'Killed process 7 (a) total-vm:1kB, anon-rss:1kB, file-rss:1kB', '6,1,1,-;', '[    1.000000] ', '{']) tell(`${piece}\n`.repeat(5000))
  // A quadratic reader takes minutes.
  expect(performance.now() - started).toBeLessThan(30_000)
})
