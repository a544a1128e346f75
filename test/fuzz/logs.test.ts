/** Kernel logs cut anywhere, damaged, and mixed: nothing crashes, nothing hangs, and no case claims what its lines do not say. */
import { expect, test } from 'vitest'
import { jsonLine } from '../../src/view/json-line.ts'
import { killJson } from '../../src/view/kill-json.ts'
import { killText } from '../../src/view/kill-report.ts'
import { casesIn, explained, LOGS, logText } from '../helpers/logs.ts'
import { seeded } from '../helpers/stream.ts'

/** Everything that is printed of a log can be printed. */
function tell(text: string): void {
  for (const { model, clock } of explained(text)) for (const killCase of model.cases) {
    expect(killText(killCase, model, clock)).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/)
    JSON.parse(jsonLine(killJson(killCase, model, clock)))
  }
}

/** Every place to cut a log at. A line of JSON says nothing before its last character: between two such places a few are enough. */
function cutsOf(text: string): number[] {
  const all = Array.from({ length: text.length + 1 }, (_, end) => end)
  return text.startsWith('{') ? all.filter((end) => end % 17 === 0 || text.slice(Math.max(0, end - 3), end + 3).includes('\n')) : all
}

test.each(LOGS)('every prefix of %s can be told, and names no victim that the whole log does not name', (name) => {
  const text = logText(name), dead = new Set(casesIn(text).flatMap((kill) => kill.victims.map((victim) => victim.pid))), invented: string[] = []
  for (const [i, end] of cutsOf(text).entries()) {
    for (const { model } of explained(text.slice(0, end))) for (const { victims } of model.cases) for (const { pid } of victims) if (!dead.has(pid)) invented.push(`cut at ${end}: pid ${pid}`)
    if (i % 97 === 0) tell(text.slice(0, end))
  }
  expect(invented).toEqual([])
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
