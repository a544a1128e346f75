/** Where the probes are written, and what is left of them. */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ScriptFile } from '../../../src/source/script-file.ts'

let directory: string, script: ScriptFile

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'oomscope-test-'))
  script = new ScriptFile()
})
afterEach(() => {
  script.remove()
  vi.unstubAllEnvs()
  rmSync(directory, { recursive: true })
})

test('the script lies in a directory of its own that nobody else may enter, and leaves nothing', () => {
  vi.stubEnv('TMPDIR', directory)
  const path = script.write('BEGIN { }')
  expect(dirname(dirname(path))).toBe(directory)
  expect([dirname(path), path].map((name) => statSync(name).mode & 0o777)).toEqual([0o700, 0o600])
  expect([script.write('END { }'), readFileSync(path, 'utf8')]).toEqual([path, 'END { }'])
  script.remove()
  expect(existsSync(dirname(path))).toBe(false)
})

test('where TMPDIR takes nothing, shared memory does', () => {
  vi.stubEnv('TMPDIR', join(directory, 'missing'))
  const path = script.write('BEGIN { }')
  expect(dirname(dirname(path))).toBe('/dev/shm')
  expect(statSync(dirname(path)).mode & 0o777).toBe(0o700)
  expect(script.write('END { }')).not.toBe('')
  script.remove()
  expect(existsSync(dirname(path))).toBe(false)
})
