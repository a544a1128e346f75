import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { unstartable } from '../../../src/source/run-command.ts'
import { freshDirectories } from '../../helpers/files.ts'

const fresh = freshDirectories()

test('a command is looked for as a shell looks for it: whatever is in PATH, the answer is 126 or 127', () => {
  const directory = fresh(), bin = join(directory, 'bin'), plain = join(directory, 'plain')
  mkdirSync(join(bin, 'folder'), { recursive: true })
  writeFileSync(join(bin, 'tool'), '#!/bin/sh\n', { mode: 0o755 })
  writeFileSync(plain, '', { mode: 0o644 })
  // A file among the directories of PATH, one that is not there, a name that no file system takes.
  const path = [plain, join(directory, 'gone'), join(directory, 'x'.repeat(300)), bin].join(':'), notFound = { code: 127, why: 'not found in PATH' }
  expect(unstartable('tool', path)).toBeUndefined()
  expect(unstartable('other', path)).toEqual(notFound)
  expect(unstartable('folder', path)).toEqual(notFound)
  expect(unstartable('x'.repeat(300), path)).toEqual(notFound)
  expect(unstartable('plain', directory)).toEqual({ code: 126, why: 'permission denied' })
  expect(unstartable(join(bin, 'folder'), path)).toEqual({ code: 126, why: 'is a directory' })
  for (const missing of [join(bin, 'other'), join(plain, 'tool')]) expect(unstartable(missing, path)).toEqual({ code: 127, why: 'no such file' })
})
