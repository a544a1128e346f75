/** `oomscope explain`: a kernel log from a file or the standard input; what it cannot read it says. */
import { spawn, spawnSync } from 'node:child_process'
import { openSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { cli, CLI } from '../helpers/cli.ts'
import { logText } from '../helpers/logs.ts'

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/logs/${name}`, import.meta.url))

test('text says the sentence, JSON is one object a line with the same fields as kills', async () => {
  const path = fixture('24-two-boots-6.8-kern.log'), text = await cli(['explain', path]), json = await cli(['explain', path, '--json'])
  expect(text).toMatchObject({ code: 0, stderr: '' })
  expect(text.stdout).toMatch(/^w1, Linux 6\.8\.0-45-generic\n\nJan 11 14:01:12 {2}container-limit {2}\(likely\)\n {2}Container a3a3a3a3a3a3 of pod 7c1e02d4-.* reached its/)
  for (const line of text.stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80)
  const kills = json.stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>)
  expect(kills).toMatchObject([{ cause: 'container-limit', bootNs: 90000e9, logTime: 'Jan 11 14:01:12', candidatesFrom: 'kmsg', witnesses: ['kmsg'] }, { cause: 'container-limit', bootNs: 61e9 }])
})

test('- is the standard input', () => {
  const { status, stdout } = spawnSync(process.execPath, [CLI, 'explain', '-', '--json'], { input: logText('01-container-6.8-dmesg.txt'), encoding: 'utf8' })
  expect([status, stdout.trimEnd().split('\n').length]).toEqual([0, 1])
})

test('- is the standard input, also one that somebody has made non-blocking and that comes in pieces', async () => {
  const child = spawn('sh', ['-c', 'dd iflag=nonblock count=0 2>/dev/null; exec "$0" "$1" explain - --json', process.execPath, CLI], { stdio: ['pipe', 'pipe', 'inherit'] })
  let stdout = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => { stdout += text })
  child.stdin.on('error', () => undefined)
  // Many times what a pipe holds: its reader is the faster one, and finds it empty again and again.
  child.stdin.end(`${'[    1.000000] eth0: link becomes ready\n'.repeat(200_000)}${logText('01-container-6.8-dmesg.txt')}`)
  expect(await new Promise((resolve) => child.on('close', resolve))).toBe(0)
  expect(stdout.trimEnd().split('\n')).toHaveLength(1)
})

test('a log without a kill is no error, and neither is none at all', async () => {
  expect(await cli(['explain', fixture('../identity-vectors.json')])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^no OOM kill in \d+ lines\n$/) as string })
  expect(spawnSync(process.execPath, [CLI, 'explain', '-'], { stdio: [openSync('/', 'r'), 'pipe', 'pipe'], encoding: 'utf8' })).toMatchObject({ status: 2, stderr: expect.stringContaining('cannot read the standard input: is a directory') as string })
  expect(spawnSync(process.execPath, [CLI, 'explain', '-', '--json'], { input: '', encoding: 'utf8' })).toMatchObject({ status: 0, stdout: '', stderr: '' })
})

test('what cannot be read: two lines, exit 2', async () => {
  for (const [path, why] of [['/nowhere/log', /cannot read \/nowhere\/log: no such file/], ['/', /is a directory/], [fileURLToPath(new URL('../fixtures/recordings/three-kills-v1.oom', import.meta.url)), /it is a recording\nhint: oomscope kills/]] as const) {
    const ended = await cli(['explain', path])
    expect(ended).toMatchObject({ code: 2, stdout: '' })
    expect(ended.stderr).toMatch(/^oomscope: [^\n]+\nhint: [^\n]+\n$/)
    expect(ended.stderr).toMatch(why)
  }
})

test('kills --evidence reads the kubelet\'s log, and says when it says nothing', async () => {
  const demo = fileURLToPath(new URL('../fixtures/recordings/three-kills-v1.oom', import.meta.url)), empty = fixture('28-dirty-6.12-dmesg-t.txt')
  expect(await cli(['kills', demo, '--json', '--evidence', empty])).toMatchObject({ code: 0, stderr: expect.stringMatching(/^note: .*: nothing about a pod of this node was found in it\n$/) as string })
  expect(await cli(['kills', demo, '--json', '--evidence', '/nowhere'])).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(/cannot read \/nowhere: no such file.*\nhint: name the log of the kubelet/) as string })
})

test('what is missing is told on stderr', async () => {
  expect((await cli(['explain', fixture('17-rate-limited-6.8-dmesg.txt'), '--json'])).stderr).toBe('note: the kernel kept back 7 reports (rate limit)\n')
  expect((await cli(['explain', fixture('28-dirty-6.12-dmesg-t.txt'), '--json'])).stderr).toMatch(/^note: the lines have no prefix/)
})

test('dmesg of a log that goes back to the boot and never added swap: no swap, so points are known', async () => {
  const ended = await cli(['explain', fixture('../kmsg/explain-6.1.txt'), '--json'])
  expect(ended.stdout.trimEnd().split('\n').map((line) => (JSON.parse(line) as { totalBytes?: number }).totalBytes).slice(0, 2)).toEqual([64 << 20, 96 << 20])
})
