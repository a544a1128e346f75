/** Rooms import downwards only, own their packages, and stay small enough to read: the table of src/README.md, enforced. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const SRC = fileURLToPath(new URL('../../src', import.meta.url))

/** The table of src/README.md, read from it: a room that is not listed may not exist. */
const MAY_IMPORT = new Map(
  [...readFileSync(join(SRC, 'README.md'), 'utf8').matchAll(/^\| `(\w+)` \|.*\| ([^|]+) \|$/gm)].map(([, room, imports]) =>
    [room as string, (imports as string).trim() === '–' ? [] : (imports as string).split(',').map((s) => s.trim())] as const))

/** Packages and Node modules that only the named rooms may touch. */
const OWNED_BY: Record<string, readonly string[]> = {
  blessed: ['tui'], 'blessed-contrib': ['tui'], msgpackr: ['wire'], 'node-pty': ['cli'],
  'node:http2': ['identity'], 'node:net': ['identity'],
  'node:child_process': ['source', 'cli'], 'node:fs': ['recording', 'source', 'identity', 'tui', 'cli'], 'node:fs/promises': ['recording', 'source', 'identity', 'cli'],
}
/** Rooms that are pure: time, chance and the environment come in as arguments or events. */
const PURE = ['base', 'event', 'model', 'verdict', 'view']
const MAX_LINES = 400

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((f) => f.endsWith('.ts'))
const text = (file: string): string => readFileSync(join(SRC, file), 'utf8')
const importsOf = (file: string): string[] => [...text(file).matchAll(/^(?:import|export)\b[^'"\n]*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm)].map((m) => (m[1] ?? m[2]) as string)
const roomOf = (file: string): string => file.split('/')[0] as string

test('the table in src/README.md names every room', () => {
  expect([...MAY_IMPORT.keys()].sort()).toEqual([...new Set(files.map(roomOf))].sort())
})

test.each(files)('%s imports only downwards', (file) => {
  const room = roomOf(file), allowed = MAY_IMPORT.get(room) ?? []
  for (const spec of importsOf(file)) {
    if (spec.startsWith('.')) {
      const target = roomOf(relative(SRC, normalize(join(SRC, dirname(file), spec))))
      if (target !== room && allowed[0] !== 'all') expect(allowed, `${file} -> ${spec}`).toContain(target)
    } else if (OWNED_BY[spec]) expect(OWNED_BY[spec], `${file} -> ${spec}`).toContain(room)
  }
})

test.each(files)('%s is short enough to read in one sitting and says what it is for', (file) => {
  const source = text(file).replace(/^#!.*\n/, '')
  expect(source.split('\n').length).toBeLessThanOrEqual(MAX_LINES)
  expect(source, 'first line is a doc comment').toMatch(/^\/\*\*/)
})

test.each(files.filter((f) => PURE.includes(roomOf(f))))('%s reads no clock, no chance, no environment', (file) => {
  const code = text(file).replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
  expect(code).not.toMatch(/\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bprocess\./)
})

test('every probe has a header that is its manual', () => {
  const probes = fileURLToPath(new URL('../../probes', import.meta.url))
  const scripts = readdirSync(probes).filter((f) => f.endsWith('.bt'))
  expect(scripts.length).toBeGreaterThan(0)
  for (const script of scripts) {
    const header = readFileSync(join(probes, script), 'utf8').split(/^\w+:/m)[0] as string
    for (const key of ['Why:', 'Question:', 'Rung:', 'Emits:', 'Needs:', 'Overhead:', 'Caveats:', 'Example:']) expect(header, `${script} header`).toContain(key)
  }
})
