/** One refused script never costs the others. */
import { expect, test } from 'vitest'
import { loadProbeScripts } from '../../../src/source/probe-script.ts'
import { isolateRefusals } from '../../../src/source/probe-trial.ts'
import { bpftrace023, kernel72 } from './probe-kernels.ts'

const features = async () => ({ kernel: kernel72, bpftrace: bpftrace023, scripts: await loadProbeScripts() })

test('what is refused falls rung by rung, each script is tried once, and the rest stays', async () => {
  const tried: string[] = []
  const set = await isolateRefusals(await features(), {}, async (_, text) => {
    const name = /^\/\/ (\S+\.bt)/.exec(text)?.[1] ?? ''
    tried.push(name)
    return name.startsWith('memcg-reclaim') && name !== 'memcg-reclaim-tracepoint.bt' ? `no ${name}` : name === 'kswapd.bt' ? 'no tracepoint' : undefined
  })
  const rung = (question: string) => set.rungs.find((one) => one.question === question)
  expect(rung('memcg-reclaim')).toMatchObject({ script: 'memcg-reclaim-tracepoint.bt', state: 'chosen',
    reason: 'target-field: bpftrace refused it: no memcg-reclaim.bt; target-kprobe: bpftrace refused it: no memcg-reclaim-kprobe.bt' })
  expect(rung('kswapd')?.state).toBe('refused')
  expect(set.rungs.filter((one) => one.state === 'chosen')).toHaveLength(12)
  expect(new Set(tried).size).toBe(tried.length)
  expect(set.text).not.toContain('@kswapd_wake_count')
})

test('when bpftrace refuses everything, everything is refused and the search ends', async () => {
  const set = await isolateRefusals(await features(), {}, async () => 'EPERM')
  expect(set.rungs.every((rung) => rung.state === 'refused')).toBe(true)
  expect(set).toMatchObject({ text: '', selftests: [] })
})
