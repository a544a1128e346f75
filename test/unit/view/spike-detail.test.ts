/** A spike in sentences: only what is known, and how surely. */
import { expect, it } from 'vitest'
import type { Spike } from '../../../src/model/spike.ts'
import { spikeSentences } from '../../../src/view/spike-detail.ts'
import type { SpikeRow } from '../../../src/view/spikes-list.ts'
import { M } from '../../helpers/node-model.ts'

const ROW: SpikeRow = {
  id: 'a', tsNs: 0, time: '14:03:04.000', place: 'web/front-1:app', baseBytes: 61 * M, peakBytes: 96 * M, heightBytes: 35 * M, exactness: 'exact-height', leastNs: 0, mostNs: 1e8, limitBytes: 128 * M, limitPercent: 75,
  kubectlTopBytes: 60 * M, isMissed: true, stallMs: 0, madeOf: 'anon', isTouched: false, spike: { ended: 'fell' } as Spike,
}
const texts = (row: Partial<SpikeRow>): string[] => spikeSentences({ ...ROW, ...row }).map(({ text }) => text)

it('says how high, how near the limit, and what kubectl top showed', () => {
  expect(texts({})).toEqual(['web/front-1:app rose from 61M to 96M (+35M) and fell again, within less than 100ms.', '75.0 % of the limit of 128M: 32M were left.', 'kubectl top showed nothing of it (computed): at most 60M of 96M.',
    'The height is known exactly (memory.peak is reset at each look).', 'Nobody waited for reclaim meanwhile.', 'It was made of anon.'])
})
it('says what is not known instead of leaving it out', () => {
  expect(texts({ isMissed: undefined, kubectlTopBytes: undefined, limitBytes: undefined, limitPercent: undefined, stallMs: undefined, madeOf: undefined, exactness: 'sampled', isTouched: true })).toEqual([
    expect.stringContaining('rose from 61M'), 'No limit above it: only the node could have stopped it.', 'What kubectl top showed is not known: no memory.stat was read.',
    'The height is known at least: it may have been higher between two looks.', 'Facts were lost while it lasted: it may have been higher, or been several.'])
})
it('says when it took all there was, what it cost, and that it was no fall that ended it', () => {
  const said = texts({ peakBytes: 128 * M, limitPercent: 100, stallMs: 812, isMissed: false, kubectlTopBytes: 120 * M, exactness: 'high-water', spike: { ended: 'died' } as Spike })
  expect(said).toContain('100 % of the limit of 128M: nothing was left.')
  expect(said).toContain('Its tasks waited 812ms for reclaim or throttling meanwhile.')
  expect(said).toContain('kubectl top showed it (computed): at most 120M of 128M.')
  expect(said[0]).toContain('was over when its cgroup was removed')
  expect(said.at(-1)).toBe('Only the second is known in which it was.')
})
