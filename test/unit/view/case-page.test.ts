/** The page of a kill: what stands on it, what does not, and that a ticket made of it is harmless. */
import { describe, expect, it } from 'vitest'
import { casePage } from '../../../src/view/case-page.ts'
import type { CasePage } from '../../../src/view/case-page.ts'
import { caseMarkdown } from '../../../src/view/case-markdown.ts'
import { Story } from '../../../src/view/story.ts'
import type { KillCase } from '../../../src/model/case.ts'
import type { NodeModel } from '../../../src/model/node.ts'
import { addKill, addMemcg, addPod, emptyNode, G, M, tell, TEST_LENS } from '../../helpers/node-model.ts'

function pageOf(model: NodeModel, killCase: KillCase): CasePage {
  const story = new Story(model)
  return casePage({ lens: TEST_LENS, model, killCase, moment: story.moments.of(killCase) })
}

/** A pod whose container rose from 400 MiB to its limit of 1 GiB in 40 s and died 2 s ago. */
function killed(): { readonly model: NodeModel; readonly page: CasePage; readonly killCase: KillCase } {
  const model = emptyNode(), thenNs = model.nowNs - 2e9
  tell(model, 'node_memory', thenNs, { totalBytes: 24 * G, availableBytes: 18 * G })
  addMemcg(model, '/kubepods', { used: 6 * G, max: 20 * G })
  const container = addPod(model, 'batch/etl-0', { used: 100 * M, max: G, high: 900 * M, container: 'etl', some: 40, full: 30, maxPerS: 9, usage: (ago) => (ago < 2 ? 100 * M : Math.max(400 * M, G - (ago - 2) * 16 * M)) })
  // Only the two newest samples of a cgroup are kept: the older ones of these stand before the decision, the newer after it.
  for (const memcg of model.memcgs.values()) {
    const before = memcg.path === '/kubepods' ? 6 * G : memcg === container ? G : G + M
    for (const [tsNs, currentBytes] of [[thenNs - 1e8, before], [thenNs + 1e8, 50 * M]] as const) tell(model, 'memcg_usage', tsNs, { memcgId: memcg.id, currentBytes, swapBytes: 0 })
  }
  const killCase = addKill(model, container, { secondsAgo: 2, pid: 4711 })
  return { model, killCase, page: pageOf(model, killCase) }
}

describe('the page of a kill', () => {
  it('leads with the verdict, then what a dashboard showed, who asked, who died, and why it is not surer', () => {
    const { page } = killed()
    expect(page.verdict.map(({ text }) => text)).toEqual([
      expect.stringMatching(/^CONTAINER LIMIT\. Container etl of pod batch\/etl-0 reached its memory limit of 1 GiB: the kernel killed python3 \(pid 4711/),
      expect.stringMatching(/dashboard/),
      'The victim itself asked for a page that could not be had.',
      expect.stringMatching(/^python3 \(pid 4711\): anon 97[0-9]M .*gone after 19 ms\.$/),
      'Not surer, because only a probe tells of it.',
    ])
    expect(page.verdictTitle).toBe('verdict · likely · seen by probes')
  })
  it("has the holder's numbers from the kernel and those around it from the samples before, never after, the decision", () => {
    const { page } = killed()
    expect(page.limits.map(({ label, used, max, share, isHolder }) => [label, used, max, share, isHolder])).toEqual([
      ['container "etl"', '1.00G', '1.00G', '100%', true], ['the pod', '1.00G', 'max', '-', false], ['kubepods', '6.00G', '20.0G', '30%', false], ['node', '6.00G', '24.0G', '25%', false],
    ])
    expect(page.limitsNote).toBe('other levels as sampled just before')
  })
  it('puts the killed first and scales the bars by the largest points', () => {
    const { page } = killed()
    expect(page.candidates.map(({ pid, fate, share }) => [pid, fate, share])).toEqual([[4711, 'killed', 1], [4712, '', 0.25]])
    expect(page.candidatesTitle).toBe("who was judged: 2 candidates, the kernel's own points")
  })
  it('shows the seconds up to the decision and leaves out what never rose', () => {
    const { page } = killed()
    expect(page.seconds).toBe(60)
    expect(page.plots.map(({ key, range }) => [key, range])).toEqual([['used', '400M -> 1.00G'], ['some', 'most 40.0'], ['full', 'most 30.0'], ['max', 'most 9']])
    expect(page.plots[0]?.full).toBe(G)
  })
  it('says who filled the limit when it was more than one', () => {
    const { model, killCase } = killed()
    expect(pageOf(model, killCase).contributors).toEqual([])
    killCase.contributors = [{ path: killCase.limit?.path ?? '', bytes: 700 * M }, { path: '/jobs/b', bytes: 300 * M }]
    expect(pageOf(model, killCase).contributors.map(({ label, bytes }) => [label, bytes / M])).toEqual([['etl', 700], ['b', 300]])
    expect(caseMarkdown(pageOf(model, killCase), { title: '', evidence: [] })).toContain('| etl | 700M |')
  })
  it('names who sent the signal when it was no OOM kill, and judges nobody', () => {
    const { model, killCase } = killed()
    Object.assign(killCase, { limit: undefined, invoker: undefined, candidates: [], candidatesFrom: undefined, sentSignal: { signo: 9, code: 0, sender: { pid: 77, comm: 'containerd-shim' }, oneByOne: false, graceNs: 30e9 } })
    const page = pageOf(model, killCase)
    expect(page.verdict.map(({ text }) => text)).toContain('containerd-shim (pid 77) sent the signal, 30 s after a SIGTERM.')
    expect(page.candidatesTitle).toBe('nobody was judged: a process sent the signal')
    expect(page.limits.some(({ isHolder }) => isHolder)).toBe(false)
  })
  it('shows nothing for what no witness told', () => {
    const model = emptyNode(), killCase = addKill(model, addMemcg(model, '/x', { max: G }), { secondsAgo: 1000 })
    Object.assign(killCase, { candidates: [], candidatesFrom: undefined, limit: undefined, invoker: undefined, composition: undefined, witnesses: [] })
    const page = casePage({ lens: TEST_LENS, model, killCase, moment: undefined })
    expect(page).toMatchObject({ parts: [], plots: [], candidates: [], candidatesTitle: 'who was judged: the list is not available', partsTitle: 'what it consisted of' })
    expect(page.verdictTitle).toContain('seen by no witness')
  })
})

it('a ticket made of it cannot be marked up by names: no link, no table cell, no tag', () => {
  const { model, killCase } = killed(), hostile = '[x](http://e)|<img src=y>`*\u001b[2J'
  const candidate = killCase.candidates[0]
  if (candidate !== undefined) candidate.comm = hostile
  const text = caseMarkdown(pageOf(model, killCase), { title: `OOM kill of ${hostile}`, evidence: [{ fact: hostile, source: 'test' }] })
  expect(text).not.toMatch(/(?<!\\)[[<`|]x|(?<!\\)<img|\u001b/)
  expect(text.split('\n').filter((line) => line.startsWith('| 4711')).every((line) => line.match(/(?<!\\)\|/g)?.length === 10)).toBe(true)
})
