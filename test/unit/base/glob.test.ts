/** Globs over cgroup paths. */
import { expect, test } from 'vitest'
import { globMatcher } from '../../../src/base/glob.ts'

test.each<[string, string, boolean]>([
  ['/system.slice', '/system.slice', true], ['/system.slice', '/system.slice/web.service/inner', true], ['/system.slice', '/other/system.slice', false], ['/system.slice', '/system.slices', false],
  ['web.service', '/system.slice/web.service', true], ['web.service', '/web.service/x', true], ['web.service', '/system.slice/web.service.d', false], ['system.slice/web*', '/a/system.slice/web-1.service', true],
  ['/system.slice/*', '/system.slice', false], ['/system.slice/*', '/system.slice/a/b', true], ['/*/b', '/a/b', true], ['/*/b', '/a/x/b', false], ['/**/b', '/a/x/b', true], ['/**/b', '/b', true], ['**/pod1399d9c7*', '/kubepods/burstable/pod1399d9c7-c86f/aaa', true],
  ['/a?c', '/abc', true], ['/a?c', '/ac', false], ['/a?c', '/a/c', false], ['*', '/', false], ['*', '/x', true], ['/**', '/', true], ['a.b', '/axb', false], ['[a]', '/a', false], ['/a//b/', '/a/b', true], ['*é*', '/caféx', true],
])('%s and %s: %s', (pattern, path, is) => { expect(globMatcher(pattern)(path)).toBe(is) })

test('no pattern makes a hostile path slow', () => {
  const path = `/${'a'.repeat(4000)}`
  expect(globMatcher(`/${'*a'.repeat(1000)}*b`)(path)).toBe(false)
  expect(globMatcher(`${'**/a*/'.repeat(300)}b`)(`${'/a'.repeat(2000)}`)).toBe(false)
})
