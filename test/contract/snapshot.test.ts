/** Without a terminal the overview is printed once, as plain text. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { encodeFrames } from '../../src/wire/encode.ts'
import { cli, startCli } from '../helpers/cli.ts'
import { fakeBridge } from '../helpers/fake-live.ts'
import { freshDirectories } from '../helpers/files.ts'
import { birth, START_NS, streamFrames, usage } from '../helpers/stream.ts'

const DEMO = fileURLToPath(new URL('../fixtures/recordings/three-kills-v1.oom', import.meta.url))
const fresh = freshDirectories()
const lines = (text: string): string[] => text.trimEnd().split('\n')

describe('replay into a pipe', () => {
  test('prints how the node was at its end: state, urgency, doubts, every workload and every kill', async () => {
    const { code, stdout, stderr } = await cli(['replay', DEMO])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(lines(stdout)[0]).toMatch(/^oomscope {2}vm · 23\.5G, 9% used · .*OOM kills 3\/h.* · 2026-11-21T04:18:24\.495Z$/)
    expect(lines(stdout)[1]).toBe('!! pod 86c42f1a-9d3b-4e5f-a7c8-1b2d3f4a5c6e was OOM-killed 5s ago')
    expect(lines(stdout).filter((line) => line.startsWith('!!pod '))).toHaveLength(3)
    expect(lines(stdout).slice(-3).map((line) => line.trim().slice(0, 24))).toEqual(['04:18:19 container-limit', '04:18:17 container-limit', '04:18:13 container-limit'])
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/)
    expect(Math.max(...lines(stdout).map(({ length }) => length))).toBeLessThanOrEqual(120)
  })
  test('of the moment --at, in the width COLUMNS, in 7 bits with --ascii', async () => {
    const { code, stdout } = await cli(['replay', DEMO, '--ascii', '--at', '04:18:15'], { env: { COLUMNS: '80' } })
    expect(code).toBe(0)
    expect(stdout).toMatch(/^[\n -~]+$/)
    expect(Math.max(...lines(stdout).map(({ length }) => length))).toBeLessThanOrEqual(80)
    expect(lines(stdout).filter((line) => / container-limit /.test(line))).toHaveLength(1)
    expect(stdout).toMatch(/2026-11-21T04:18:1[45]\.\d/)
  })
  test('before it began is its beginning', async () => {
    const { code, stdout } = await cli(['replay', DEMO, '--at', '2020-01-01T00:00:00Z'])
    expect(code).toBe(0)
    expect(lines(stdout)[0]).toMatch(/^oomscope {2}vm · .*OOM kills 0\/h.* · 2026-11-21T04:1\d:\d\d\.\d{3}Z$/)
  })
  test.each(['0', '-3', 'wide', '9'])('a COLUMNS of %j is no reason to fail', async (COLUMNS) => {
    const { code, stdout } = await cli(['replay', DEMO], { env: { COLUMNS } })
    expect(code).toBe(0)
    expect(stdout).toContain('1f0c')
  })
  test('lets no name out of its cell', async () => {
    const path = join(fresh(), 'a.oom'), name = '/evil\u001b]0;owned\u0007\u009b31m\n漢字\u{1f600}e\u0301\u202egpj{bold}'
    writeFileSync(path, Buffer.concat([...streamFrames({ seconds: 3 }), ...encodeFrames([{ ...birth(START_NS + 3e9, 99, 'mkdir'), path: name } as never, usage(START_NS + 3e9 + 1, 99, 2 ** 20)])]))
    const { code, stdout } = await cli(['replay', path])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^ {2}evil\?\]0;owned\S* .* 1\.0M/m)
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u0300-\u036f\u202a-\u202e\u4e00-\u9fff]/)
  })
  test('a file that is no recording is refused as ever', async () => {
    expect(await cli(['replay', '/nowhere'])).toMatchObject({ code: 2, stdout: '' })
  })
})

describe('live into a pipe', () => {
  test('looks long enough for rates, attaches nothing, prints once and leaves no bridge behind', async () => {
    const bridge = fakeBridge(fresh(), [{ frames: [readFileSync(DEMO)] }])
    const { code, stdout, stderr } = await cli(['live'], { env: bridge.env })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(lines(stdout)[0]).toMatch(/^oomscope {2}vm · /)
    expect(bridge.starts()).toHaveLength(1)
    expect(bridge.starts()[0]?.args.join(' ')).not.toContain('--script')
    expect(() => process.kill(bridge.starts()[0]?.pid ?? 0, 0)).toThrow()
  })
  test('a bridge that dies is told, exit code 1', async () => {
    const { code, stdout, stderr } = await cli([], { env: fakeBridge(fresh(), [{ stderr: 'no memory controller\n', then: 3 }]).env })
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(lines(stderr)).toHaveLength(2)
  })
  test('ctrl-C while it waits ends it with 130 and nothing printed', async () => {
    const bridge = fakeBridge(fresh(), [{ frames: streamFrames({ seconds: 1 }) }]), running = startCli(['live'], { env: bridge.env })
    while (bridge.starts().length === 0) await new Promise((resolve) => setImmediate(resolve))
    running.child.kill('SIGINT')
    expect(await running.ended).toMatchObject({ code: 130, stdout: '' })
  })
})
