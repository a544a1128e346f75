import { describe, expect, test } from 'vitest'
import { UserError } from '../../../src/base/errors.ts'
import { bytesOf, COMMANDS, durationOf, helpText, isSet, parseArguments, shareOf, speedOf, textOf } from '../../../src/cli/args.ts'
import { parseMoment } from '../../../src/base/moment.ts'

const refusal = (work: () => unknown): UserError => { try { work() } catch (error) { if (error instanceof UserError) return error; throw error } throw new Error('was not refused') }

describe('commands', () => {
  test.each<[string[], object]>([
    [[], { do: 'command', command: 'live' }], [['--no-probes'], { do: 'command', command: 'live', options: { 'no-probes': true } }], [['live', '--stall', '5ms'], { do: 'command', command: 'live', options: { stall: '5ms' } }],
    [['record', '-o', 'x', '--for=30s', '--force'], { do: 'command', command: 'record', options: { output: 'x', for: '30s', force: true } }], [['kills', 'f', '--json'], { do: 'command', command: 'kills', file: 'f' }],
    [['replay', '--speed', '4', 'f'], { do: 'command', command: 'replay', file: 'f', options: { speed: '4' } }], [['kills', '--', '-odd'], { do: 'command', command: 'kills', file: '-odd' }],
    ...['live', 'record', 'run'].map((command): [string[], object] => [[command, '--numa', ...(command === 'run' ? ['--', 'x'] : [])], { do: 'command', command, options: { numa: true } }]),
    [['run', '--limit', '64Mi', '--', 'cmd', '--limit', '1', '--', 'x'], { do: 'command', command: 'run', argv: ['cmd', '--limit', '1', '--', 'x'], options: { limit: '64Mi' } }], [['run', '--help'], { do: 'help', command: 'run' }],
    [['--help'], { do: 'help' }], [['-h'], { do: 'help' }], [['help'], { do: 'help' }], [['record', '--help'], { do: 'help', command: 'record' }], [['kills', '-h'], { do: 'help', command: 'kills' }], [['--version'], { do: 'version' }],
  ])('%j is understood', (argv, expected) => expect(parseArguments(argv)).toMatchObject(expected))

  test.each<[string[], string, string]>([
    [['recrod'], 'unknown-command', "unknown command 'recrod'"], [['--frobnicate'], 'bad-option', "cannot understand live: unknown option '--frobnicate'"],
    [['record', '-o'], 'bad-option', "cannot understand record: option '-o, --output <value>' argument missing"], [['kills'], 'missing-file', 'cannot run kills: FILE is missing'],
    [['kills', 'a', 'b'], 'surplus-argument', "cannot understand kills: one argument too many, 'b'"], [['doctor', 'x'], 'surplus-argument', "cannot understand doctor: one argument too many, 'x'"],
    [['kills', '--json=yes', 'f'], 'bad-option', "cannot understand kills: option '--json' does not take an argument"], [['\u001b[2J'], 'unknown-command', "unknown command '?[2J'"],
    [['run'], 'missing-command', 'cannot run run: the command is missing'], [['run', '--'], 'missing-command', 'cannot run run: the command is missing'], [['run', 'cmd', '--', 'x'], 'surplus-argument', "cannot understand run: one argument too many, 'cmd'"],
    [['toString'], 'unknown-command', "unknown command 'toString'"],
  ])('%j is refused in one sentence', (argv, code, message) => expect(refusal(() => parseArguments(argv))).toMatchObject({ code, message, exitCode: 2 }))

  test.each(['report', 'export'])('%s says that it is not built yet, and is not in the help', (name) => {
    expect(refusal(() => parseArguments([name, 'x']))).toMatchObject({ code: 'not-built', message: `${name} is not built yet`, exitCode: 2 })
    expect(helpText()).not.toMatch(new RegExp(`^  ${name}\\b`, 'm'))
  })
})

describe('help', () => {
  test('every command is listed, in 80 columns', () => {
    for (const name of Object.keys(COMMANDS)) expect(helpText()).toMatch(new RegExp(`^  ${name}`, 'm'))
    for (const line of helpText().split('\n')) expect(line.length, line).toBeLessThanOrEqual(100)
  })
  test('every option of a command is listed', () => {
    for (const [name, { options }] of Object.entries(COMMANDS)) for (const option of Object.keys(options)) expect(helpText(name as keyof typeof COMMANDS)).toContain(`--${option}`)
  })
})

describe('values', () => {
  test.each<[() => unknown, unknown]>([
    [() => durationOf({ for: '30s' }, 'for'), 30e9], [() => durationOf({}, 'for'), undefined], [() => bytesOf({ s: '2MiB' }, 's', 1), 2 ** 21], [() => speedOf({}), 1], [() => speedOf({ speed: '0.5' }), 0.5], [() => speedOf({ speed: '8x' }), 8],
    [() => shareOf({ b: '2%' }, 'b'), 0.02], [() => shareOf({ b: '0.5' }, 'b'), 0.005], [() => shareOf({ b: '100 %' }, 'b'), 1], [() => shareOf({}, 'b'), undefined],
    [() => textOf({ a: true }, 'a'), undefined], [() => isSet({ a: true }, 'a'), true],
  ])('%# is read', (work, value) => expect(work()).toBe(value))
  test.each<[() => unknown, string]>([
    [() => durationOf({ for: '30' }, 'for'), "cannot understand --for '30': not a duration"], [() => durationOf({ sample: '10us' }, 'sample', 1e6), "cannot use --sample '10us': out of range"], [() => durationOf({ for: '99999d' }, 'for'), "cannot use --for '99999d': out of range"],
    [() => bytesOf({ s: 'much' }, 's', 1), "cannot understand --s 'much': not a size"], [() => bytesOf({ s: '1k' }, 's', 2 ** 20), "cannot use --s '1k': too small"],
    [() => shareOf({ b: 'little' }, 'b'), "cannot understand --b 'little': not a percentage"], [() => shareOf({ b: '101%' }, 'b'), "cannot use --b '101%': out of range"], [() => shareOf({ b: '0%' }, 'b'), "cannot use --b '0%': out of range"], [() => shareOf({ b: '-2%' }, 'b'), "cannot understand --b '-2%': not a percentage"],
    [() => speedOf({ speed: '0' }), "cannot use --speed '0': not a number between 0.01 and 1000"], [() => speedOf({ speed: 'fast' }), "cannot use --speed 'fast': not a number between 0.01 and 1000"], [() => speedOf({ speed: '' }), "cannot use --speed '': not a number between 0.01 and 1000"],
  ])('%# is refused', (work, message) => expect(refusal(work)).toMatchObject({ message, exitCode: 2, hint: expect.stringMatching(/\w/) as string }))
})

describe('moments', () => {
  const startNs = 500e9, anchor = { tsNs: 500e9, wallMs: Date.UTC(2026, 10, 20, 23, 59, 30), bootNs: 0 }
  test.each<[string, number | undefined]>([
    ['+90s', 90], ['90s', 90], ['1m30s', 90], ['2026-11-20T23:59:40Z', 10], ['2026-11-20T23:59:40.5Z', 10.5], ['2026-11-20T23:59:40', 10], ['2026-11-20 23:59:40', 10], ['2026-11-21T00:59:40+01:00', 10], ['23:59:40', 10], ['23:59', 86_370],
    ['00:00:10', 40], ['23:59:30', 0], ['yesterday', undefined], ['24:00', undefined], ['23:60', undefined], ['12:00:61', undefined], ['2026', undefined], ['', undefined], ['2026-99-99T00:00:00Z', undefined],
  ])('%j is %j s after the beginning', (text, seconds) => expect(parseMoment(text, { startNs, anchor })).toBe(seconds === undefined ? undefined : startNs + seconds * 1e9))
  test('without a clock in the recording only offsets can be meant', () => {
    expect(parseMoment('12:00:00', { startNs })).toBeUndefined()
    expect(parseMoment('+1s', { startNs })).toBe(501e9)
  })
})
