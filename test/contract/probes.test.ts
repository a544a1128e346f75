/** Probes and dictionary agree: headers say what the code does, the code prints what kinds.ts says, and this machine's bpftrace takes it. */
import { beforeAll, describe, expect, test } from 'vitest'
import { COUNTERS, HISTOGRAMS, KINDS, STALLS, type FieldType } from '../../src/event/kinds.ts'
import { detectBpftrace, tryScript } from '../../src/source/bpftrace.ts'
import { detectKernelFeatures } from '../../src/source/kernel-features.ts'
import { LADDER, QUESTIONS } from '../../src/source/probe-ladder.ts'
import { isKnownNeed } from '../../src/source/probe-needs.ts'
import { headerOf, loadProbeScripts, type ProbeScript } from '../../src/source/probe-script.ts'
import { assemble, chooseProbes, type ProbeFeatures } from '../../src/source/probe-set.ts'
import { isolateRefusals } from '../../src/source/probe-trial.ts'
import { skip } from '../helpers/skip.ts'

const scripts = await loadProbeScripts()
const KEYS = ['Why', 'Question', 'Rung', 'Emits', 'Needs', 'Selftest', 'Overhead', 'Caveats', 'Example']
const SELFTESTS = ['memcg_birth', 'memcg_death', 'memcg_reclaim', 'signal', 'exit', 'badness', 'oom']
const MAPS: readonly string[] = [...COUNTERS, ...HISTOGRAMS]

const kinds = new Map(Object.entries(KINDS).map(([name, kind]) => [kind.number as number, { name, types: Object.values(kind.fields) as FieldType[] }]))

/** The code without comments, and without strings that could hold a bracket (there are none with escapes). */
const codeOf = ({ text }: ProbeScript): string => text.replace(/^\s*(\/\/|#!).*$/gm, '').replace(/ \/\/ .*$/gm, '')

/** The elements of every `print((…))`: split at commas that are inside no bracket. */
function tuplesOf(script: ProbeScript): string[][] {
  return [...codeOf(script).matchAll(/print\(\(/g)].map((start) => {
    const code = codeOf(script), elements = ['']
    let depth = 1
    for (let i = start.index + start[0].length; depth > 0; i++) {
      const c = code[i] as string
      depth += c === '(' || c === '[' ? 1 : c === ')' || c === ']' ? -1 : 0
      if (depth === 1 && c === ',') elements.push('')
      else if (depth > 0) elements[elements.length - 1] += c
    }
    return elements.map((element) => element.trim())
  })
}

const isText = (element: string): boolean => /^(comm|"\w*"|str\(.*\)|.*->comm)$/.test(element)
/** Names of maps in the code, in the order of use; `only` picks the calls they stand in. */
const mapsIn = (script: ProbeScript, only = /@(\w+)/g): string[] => [...new Set([...codeOf(script).matchAll(only)].map((m) => m[1] as string))]
const printedMaps = (script: ProbeScript): string[] => mapsIn(script, /print\(@(\w+)\)/g)

test('the ladder and the folder hold the same scripts, each under the question of its header', () => {
  expect(Object.values(LADDER).flat().toSorted()).toEqual(scripts.map((script) => script.file))
  for (const question of QUESTIONS) for (const file of LADDER[question]) expect(scripts.find((script) => script.file === file)?.question, file).toBe(question)
  for (const question of QUESTIONS) {
    const rungs = scripts.filter((script) => script.question === question).map((script) => script.rung)
    expect(new Set(rungs).size, `rungs of ${question} have different names`).toBe(rungs.length)
  }
})

test('a counter or histogram is kept by one question only, and every one is kept by some', () => {
  const keepers = new Map(MAPS.map((map) => [map, new Set(scripts.filter((script) => script.maps.includes(map)).map((script) => script.question))]))
  for (const [map, questions] of keepers) expect([...questions], map).toHaveLength(1)
})

describe.each(scripts.map((script) => [script.file, script] as const))('%s', (_, script) => {
  test('has a header of which every line can be read', () => {
    const header = headerOf(script.text)
    expect([...header.keys()]).toEqual(KEYS)
    for (const [key, value] of header) if (key !== 'Selftest') expect(value.trim(), key).not.toBe('')
    expect(script.needs.filter((need) => !isKnownNeed(need))).toEqual([])
    expect(script.selftests.filter((selftest) => !SELFTESTS.includes(selftest))).toEqual([])
    for (const line of script.text.split('\n')) expect(line.length, line).toBeLessThanOrEqual(120)
  })

  test('prints exactly the kinds, counters and histograms that its header says', () => {
    expect([...new Set(tuplesOf(script).map((tuple) => Number(tuple[0])))].toSorted()).toEqual(script.emits.map((kind) => kind.number).toSorted())
    for (const { number, name } of script.emits) expect(kinds.get(number)?.name).toBe(name)
    expect(printedMaps(script).toSorted()).toEqual(script.maps.toSorted())
    expect(script.maps.filter((map) => !MAPS.includes(map))).toEqual([])
  })

  test('prints each kind with its fields: all that must be there, none that is not, texts where texts belong', () => {
    for (const [number, time, ...fields] of tuplesOf(script)) {
      const kind = kinds.get(Number(number)), types = kind?.types ?? []
      expect(time).toBe('nsecs')
      expect(fields.length, `${kind?.name}`).toBeLessThanOrEqual(types.length)
      expect(types.slice(fields.length).filter((type) => !type.endsWith('?')), `${kind?.name} lacks fields`).toEqual([])
      expect(fields.map(isText), `${kind?.name}: ${fields.join(' | ')}`).toEqual(types.slice(0, fields.length).map((type) => type.startsWith('s')))
      if (kind?.name === 'stall') expect(STALLS[Number(fields[0])]?.replaceAll('_', '-')).toBe(script.question)
    }
  })

  test('has examples that are what it prints', () => {
    const examples = (headerOf(script.text).get('Example') ?? '').split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as { type: string; data: unknown })
    expect(examples.length).toBeGreaterThan(0)
    for (const { type, data } of examples) {
      if (type === 'value') {
        const row = data as number[]
        expect(tuplesOf(script).map((tuple) => `${tuple[0]} of ${tuple.length}`)).toContain(`${row[0]} of ${row.length}`)
      } else expect(script.maps).toContain(Object.keys(data as object)[0]?.slice(1))
    }
  })

  test('shares no scratch map with another question, and cannot fill its own for ever', () => {
    const prefix = script.question.replaceAll('-', '_')
    for (const map of mapsIn(script).filter((name) => !script.maps.includes(name))) expect(map.startsWith(`${prefix}_`), map).toBe(true)
    const byMemcg = mapsIn(script, /@(\w+)\[(?!tid\]|args->nid\])/g)
    expect(byMemcg.filter((map) => !mapsIn(script, /clear\(@(\w+)\)/g).includes(map)), 'kept by memcg, never cleared').toEqual([])
    const byThread = mapsIn(script, /@(\w+)\[tid\]/g)
    expect(byThread.filter((map) => !mapsIn(script, /delete\(@(\w+)\[tid\]\)/g).includes(map)), 'kept by thread, never deleted').toEqual([])
  })

  test('leaves start and end to the program it becomes part of', () => {
    expect(codeOf(script)).not.toMatch(/\b(BEGIN|END|exit|printf|system|cat)\b/)
  })
})

describe('on this machine', () => {
  let features: ProbeFeatures, obstacle: string | undefined
  beforeAll(async () => {
    features = { kernel: await detectKernelFeatures(), bpftrace: await detectBpftrace(), scripts }
    const set = chooseProbes(features)
    obstacle = set.rungs.some((rung) => rung.state === 'chosen') ? undefined : set.rungs[0]?.reason
  })

  test('bpftrace takes every chosen script alone, and all of them as one program', async (context) => {
    const { bpftrace, kernel } = features
    if (obstacle !== undefined || 'missing' in bpftrace) return skip(context, `no probe can run here: ${obstacle}`)
    const { rungs, text } = chooseProbes(features)
    for (const rung of rungs) {
      if (rung.state === 'chosen') expect(await tryScript(bpftrace, assemble(scripts.filter((script) => script.file === rung.script), kernel)), rung.script).toBeUndefined()
    }
    expect(text.match(/^BEGIN \{ .*print\(\(0, nsecs, .*\}$/gm)).toHaveLength(1)
    expect(await tryScript(bpftrace, text)).toBeUndefined()
  })

  test('a script that bpftrace refuses costs no other script', async (context) => {
    if (obstacle !== undefined) return skip(context, `no probe can run here: ${obstacle}`)
    const broken = { ...features, scripts: scripts.map((script) => script.file === 'kswapd.bt' ? { ...script, text: 'tracepoint:oom:no_such_event { print((1, nsecs)); }\n' } : script) }
    const { rungs } = await isolateRefusals(broken, { only: ['kswapd', 'oom-reaper', 'fatal-signal'] })
    expect(rungs.find((rung) => rung.question === 'kswapd')).toMatchObject({ state: 'refused', reason: expect.stringContaining('no_such_event') as string })
    expect(rungs.filter((rung) => rung.state === 'chosen').map((rung) => rung.question)).toEqual(['oom-reaper', 'fatal-signal'])
  })
})
