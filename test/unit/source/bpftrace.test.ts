/** bpftrace is known by what it does: small programs stand for the three generations of it. */
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { detectBpftrace, firstError, tryAttach, tryScript } from '../../../src/source/bpftrace.ts'
import { freshDirectories } from '../../helpers/files.ts'

const fresh = freshDirectories()

/** A shell program in bpftrace's place; it logs its arguments beside itself. `$s` in the body is its command line. */
function fake(version: string, help: string, body: string): string {
  const folder = fresh(), path = join(folder, 'bpftrace')
  writeFileSync(path, `#!/bin/sh
echo "$*" >> ${folder}/log
case "$*" in --version) echo "bpftrace v${version}"; exit 0;; --help) echo "${help}" >&2; exit 0;; esac
s="$*"
${body}
exit 0
`)
  chmodSync(path, 0o755)
  return path
}

const OLD = `case "$s" in *rawtracepoint*) echo "FATAL: Invalid probe type made it to attachpoint parser" >&2; exit 134;; *"-c /bin/true"*) echo '{"type": "value", "data": [1,"/bin/true"]}';; esac`

test('an old one that only compiles is tried with -d, and misses raw tracepoints but reads strings', async () => {
  const path = fake('0.17.0', '    -d   (dry run) debug info', OLD)
  expect(await detectBpftrace(path)).toEqual({ path, version: '0.17.0', trial: 'compile', refusals: { rawtracepoint: 'Invalid probe type made it to attachpoint parser' } })
  expect(readFileSync(join(path, '..', 'log'), 'utf8')).toMatch(/^-d -e rawtracepoint:\S+ .* 1 0$/m)
})

test('one that attaches in a dry run is tried with it, and is not asked about strings it need not read', async () => {
  const path = fake('0.23.2', '    --dry-run   terminate execution right after attaching all the probes', '')
  expect(await detectBpftrace(path)).toEqual({ path, version: '0.23.2', trial: 'attach', refusals: {} })
  expect(readFileSync(join(path, '..', 'log'), 'utf8')).not.toMatch(/-c /)
})

test('one that reads dynamic strings as nothing is found out by running it', async () => {
  const path = fake('0.23.2', '--dry-run', `case "$s" in *rawtracepoint*) echo "ERROR: no" >&2; exit 1;; *"-c /bin/true"*) echo '{"type": "value", "data": [1,""]}';; esac`)
  expect(await detectBpftrace(path)).toMatchObject({ refusals: { rawtracepoint: 'no', 'dynamic-strings': 'bpftrace reads them as ""' } })
})

test('a path that is not there, or a program that is not bpftrace, is missing with a reason', async () => {
  expect(await detectBpftrace('/nowhere/bpftrace')).toEqual({ missing: '/nowhere/bpftrace is not an executable file' })
  const broken = fake('x', '', '')
  writeFileSync(broken, '#!/bin/sh\necho "error while loading shared libraries: libbcc.so.0" >&2; exit 127\n')
  expect(await detectBpftrace(broken)).toEqual({ missing: `${broken} --version: error while loading shared libraries: libbcc.so.0` })
})

test('an attach trial of an old one ends itself once everything is attached', async () => {
  const path = fake('0.17.0', '', 'case "$s" in *"interval:ms:1 { exit(); }"*) exit 0;; *) exit 9;; esac')
  expect(await tryAttach({ path, trial: 'compile' }, 'tracepoint:oom:mark_victim { }')).toBeUndefined()
  expect(await tryScript({ path, trial: 'compile' }, 'tracepoint:oom:mark_victim { }')).toBe('ended with 9')
})

test('a trial that cannot even be started is refused, not thrown', async () => {
  const path = fake('0.23.2', '', '')
  expect(await tryScript({ path, trial: 'attach' }, '// '.padEnd(200_000, 'x'))).toBe('ended with E2BIG')
})

test('the first error is bpftrace\'s own, without our file, without harmless lines, and printable', () => {
  const err = [
    'ERROR: Unknown error -1: couldn\'t set RLIMIT_MEMLOCK for bpftrace.', '/tmp/x/trial.bt:24:28-42: ERROR: Struct \u001b[31mhas no field named \'memcg_id\'', 'tracepoint:a {', '~~~', 'ERROR: second',
  ].join('\n')
  expect(firstError({ status: 1, err })).toBe('Struct ?[31mhas no field named \'memcg_id\'')
  expect(firstError({ status: 'SIGSEGV', err: '' })).toBe('ended with SIGSEGV')
})
