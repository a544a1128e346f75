/** The commands, their options and their help: one table that parsing, `--help` and the errors are made of. */
import { parseArgs } from 'node:util'
import type { ParseArgsConfig } from 'node:util'
import { parseBytes } from '../base/bytes.ts'
import { usageError } from '../base/errors.ts'
import { globMatcher, MAX_GLOB } from '../base/glob.ts'
import { printable } from '../base/text.ts'
import { parseDuration } from '../base/time.ts'

type Option = { readonly type: 'string' | 'boolean'; readonly short?: string; readonly value?: string; readonly says: string }
type Command = { readonly says: string; readonly file?: true; /** Takes a command behind `--`. */ readonly command?: true; readonly options: Readonly<Record<string, Option>> }

const NAME_OPTIONS: Readonly<Record<string, Option>> = {
  cri: { type: 'string', value: 'SOCKET', says: 'container runtime to ask for names (the usual places); off: ask none' },
  docker: { type: 'string', value: 'SOCKET', says: 'Docker\'s socket (/run/docker.sock while dockerd runs); off' },
  podman: { type: 'string', value: 'SOCKET', says: 'podman\'s socket (/run/podman/podman.sock); off' },
  kubelet: { type: 'string', value: 'URL', says: 'kubelet of this node (https://localhost:10250, with credentials only); off' },
  kubeconfig: { type: 'string', value: 'FILE', says: 'credentials for the kubelet and the Kubernetes API (the pod\'s service account); off: no API' },
  systemd: { type: 'string', value: 'off', says: 'off: do not ask systemd about its units' },
  node: { type: 'string', value: 'NAME', says: 'this node as the cluster knows it ($NODE_NAME, or the host\'s name)' },
  'no-names': { type: 'boolean', says: 'ask nobody for names: pods and containers show their ids' },
}
const LIVE_OPTIONS: Readonly<Record<string, Option>> = {
  bpftrace: { type: 'string', value: 'PATH', says: 'bpftrace to use instead of the one in PATH' },
  'no-probes': { type: 'boolean', says: 'sampling and kernel log only' },
  'require-probes': { type: 'boolean', says: 'exit 3 when no probe can be had, instead of watching with what is left' },
  stall: { type: 'string', value: 'TIME', says: 'single events for stalls at least this long (10ms)' },
  sample: { type: 'string', value: 'TIME', says: 'period of sampling a memcg whose usage moves (100ms); quiet ones less often, those near a limit up to 200 times a second' },
  'sample-budget': { type: 'string', value: 'PERCENT', says: 'what sampling may cost, of one core (2%); it becomes rarer to keep that' },
  numa: { type: 'boolean', says: 'also tell on which NUMA nodes the memory of each cgroup lies (memory.numa_stat), where there are several' },
  ...NAME_OPTIONS,
}
const TOMBSTONES_OPTION: Readonly<Record<string, Option>> = { tombstones: { type: 'string', value: 'N', says: 'dead workloads whose names and numbers are remembered (4096)' } }
const CGROUP_OPTION: Readonly<Record<string, Option>> = { cgroup: { type: 'string', value: 'PATTERN', says: 'only these cgroups and what is below them: /system.slice/web*, db.service, **/pod1399d9c7*' } }
const LOOK_BACK_OPTION: Readonly<Record<string, Option>> = { 'look-back': { type: 'string', value: 'BYTES', says: 'memory for going back in time on the screen; 0 = none (64MiB)' } }
const SCREEN_OPTIONS: Readonly<Record<string, Option>> = {
  ascii: { type: 'boolean', says: 'draw with ASCII only' },
  theme: { type: 'string', value: 'NAME', says: 'dark, light, 16 (colours) or mono' },
  keys: { type: 'string', value: 'SET', says: 'oomscope, or below for hands that know below' },
  'no-mouse': { type: 'boolean', says: 'leave the mouse to the terminal' },
  'no-settings': { type: 'boolean', says: 'neither read nor keep columns, order and theme' },
}
const JSON_OPTION: Readonly<Record<string, Option>> = { json: { type: 'boolean', says: 'one JSON object a line' } }

export const COMMANDS = {
  live: { says: 'watch this node on the terminal (the default)', options: {
    ...LIVE_OPTIONS, ...LOOK_BACK_OPTION, ...SCREEN_OPTIONS, ...CGROUP_OPTION, ...TOMBSTONES_OPTION } },
  record: { says: 'record this node to FILE; prints `recording …` on stderr once everything runs', options: {
    output: { type: 'string', short: 'o', value: 'FILE', says: 'the recording to write' },
    for: { type: 'string', value: 'TIME', says: 'end after this time, counted from the line `recording …`' },
    'max-size': { type: 'string', value: 'BYTES', says: 'all segments together, oldest go first (256MiB)' },
    keep: { type: 'string', value: 'TIME', says: 'remove segments older than this (24h)' },
    force: { type: 'boolean', says: 'overwrite an existing recording' }, ...TOMBSTONES_OPTION, ...LIVE_OPTIONS } },
  replay: { says: 'the same screen over a recording', file: true, options: {
    at: { type: 'string', value: 'TIME', says: 'start at 2026-11-20T12:00:00Z, 12:00:00 (UTC) or +90s from the beginning' },
    speed: { type: 'string', value: 'N', says: 'seconds of the recording per second (1)' }, ...SCREEN_OPTIONS, ...CGROUP_OPTION, ...TOMBSTONES_OPTION } },
  kills: { says: 'every kill of a recording', file: true, options: { ...JSON_OPTION, ...CGROUP_OPTION, ...TOMBSTONES_OPTION,
    evidence: { type: 'string', value: 'FILE', says: 'the log of the kubelet (journalctl -u kubelet), for the reason of a stop' } } },
  spikes: { says: 'memory spikes of a recording, and what kubectl top would have shown', file: true, options: { ...JSON_OPTION, ...CGROUP_OPTION, ...TOMBSTONES_OPTION,
    all: { type: 'boolean', says: 'list every spike in order of time, not only those nearest to their limits' } } },
  recommend: { says: 'requests and limits from what the workloads of a recording truly needed', file: true, options: { ...JSON_OPTION, ...CGROUP_OPTION, ...TOMBSTONES_OPTION,
    limit: { type: 'string', value: 'BYTES', says: 'would they have lived under this limit? for example 600Mi' } } },
  explain: { says: 'the kills in a kernel log (dmesg, journalctl -k); - is stdin', file: true, options: JSON_OPTION },
  run: { says: 'a command in a memory cgroup of its own, watched; its exit status is ours', command: true, options: {
    limit: { type: 'string', value: 'BYTES', says: 'memory limit of the command, for example 512Mi; without one it is only watched' },
    swap: { type: 'string', value: 'BYTES', says: 'with --limit: what may be swapped out besides (0, as in a pod)' },
    'oom-group': { type: 'boolean', says: 'kill all of it when one is killed, as kubelet 1.28 and later want it (v2)' },
    'fail-over': { type: 'string', value: 'LIMIT', says: 'exit 1 when the exact peak reached this, for example 90% or 450Mi' },
    record: { type: 'string', value: 'FILE', says: 'keep a recording as well' },
    summary: { type: 'string', value: 'FILE', says: 'write the summary as JSON' },
    'no-tui': { type: 'boolean', says: 'no screen: the command has this terminal, the summary follows on stderr' },
    force: { type: 'boolean', says: 'overwrite an existing recording or summary' }, ...LIVE_OPTIONS, ...LOOK_BACK_OPTION, ...SCREEN_OPTIONS } },
  doctor: { says: 'what this node allows, what will be used, how to get more', options: {
    ...JSON_OPTION, 'self-test': { type: 'boolean', says: 'start the probes and prove each of them, with a kill in a memcg of our own' }, bpftrace: LIVE_OPTIONS['bpftrace'] as Option, ...NAME_OPTIONS } },
} as const satisfies Record<string, Command>

export type CommandName = keyof typeof COMMANDS
/** Commands of the design that do not exist yet; they say so instead of looking like a typing mistake. */
const NOT_BUILT = ['report', 'export']

export type Invocation =
  | { readonly do: 'help'; readonly command?: CommandName }
  | { readonly do: 'version' }
  | { readonly do: 'command'; readonly command: CommandName; readonly file: string; /** What stands behind `--`. */ readonly argv: readonly string[]; readonly options: Options }

/** Options as typed; see `textOf` and its siblings. */
export type Options = Readonly<Record<string, string | boolean | undefined>>

const isCommand = (name: string): name is CommandName => Object.hasOwn(COMMANDS, name)

/** Reads the arguments after `node main.js`; throws a UserError (exit 2) for what it does not understand. */
export function parseArguments(argv: readonly string[]): Invocation {
  const [first] = argv
  if (first === '--help' || first === '-h' || first === 'help') return { do: 'help' }
  if (first === '--version' || first === '-V') return { do: 'version' }
  const isNamed = first !== undefined && !first.startsWith('-')
  const name = isNamed ? first : 'live'
  if (NOT_BUILT.includes(name)) throw usageError('not-built', `${name} is not built yet`, `this version has ${Object.keys(COMMANDS).join(', ')}`)
  if (!isCommand(name)) throw usageError('unknown-command', `unknown command ${quoted(name)}`, `the commands are ${Object.keys(COMMANDS).join(', ')}; see \`oomscope --help\``)
  return parseCommand(name, argv.slice(isNamed ? 1 : 0))
}

function parseCommand(name: CommandName, args: readonly string[]): Invocation {
  const command: Command = COMMANDS[name], hint = `see \`oomscope ${name} --help\``
  const end = command.command === true ? args.indexOf('--') : -1, argv = end < 0 ? [] : args.slice(end + 1)
  const options: NonNullable<ParseArgsConfig['options']> = { help: { type: 'boolean', short: 'h' } }
  for (const [key, { type, short }] of Object.entries(command.options)) options[key] = short === undefined ? { type } : { type, short }
  let parsed
  try {
    parsed = parseArgs({ args: end < 0 ? [...args] : args.slice(0, end), options, allowPositionals: true, strict: true })
  } catch (error) {
    throw usageError('bad-option', `cannot understand ${name}: ${whyOf(error)}`, hint)
  }
  if (parsed.values['help'] === true) return { do: 'help', command: name }
  const wanted = command.file === true ? 1 : 0
  const surplus = parsed.positionals[wanted]
  if (surplus !== undefined) throw usageError('surplus-argument', `cannot understand ${name}: one argument too many, ${quoted(surplus)}`, hint)
  const [file = ''] = parsed.positionals
  if (wanted === 1 && file === '') throw usageError('missing-file', `cannot run ${name}: FILE is missing`, name === 'explain' ? 'name a kernel log: oomscope explain FILE' : `name a recording: oomscope ${name} FILE`)
  if (command.command === true && argv.length === 0) throw usageError('missing-command', `cannot run ${name}: the command is missing`, `put it behind --, for example oomscope ${name} --limit 512Mi -- ./load-test`)
  return { do: 'command', command: name, file, argv, options: parsed.values as Options }
}

const quoted = (text: string): string => `'${printable(text, 60)}'`

/** parseArgs explains in several sentences how `--` works; the first is what is wrong. */
function whyOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  const first = printable(text.split(/\.\s|\n/)[0] ?? text, 120).replace(/\.$/, '')
  return first.charAt(0).toLowerCase() + first.slice(1)
}

export const textOf = (options: Options, name: string): string | undefined => (typeof options[name] === 'string' ? options[name] : undefined)
export const isSet = (options: Options, name: string): boolean => options[name] === true

/** Nanoseconds of a duration option, between `min` and 10 years. */
export function durationOf(options: Options, name: string, minNs = 1): number | undefined {
  const text = textOf(options, name)
  if (text === undefined) return undefined
  const ns = parseDuration(text)
  if (ns === undefined) throw usageError('bad-value', `cannot understand --${name} ${quoted(text)}: not a duration`, 'write a number with its unit, for example 10ms, 30s, 24h')
  if (ns < minNs || ns > 10 * 365 * 86400e9) throw usageError('bad-value', `cannot use --${name} ${quoted(text)}: out of range`, ns < minNs ? `the least is ${minNs / 1e6}ms` : 'the most is 10 years')
  return ns
}

/** A share of a percentage option: `2%`, or `2`; between 0.01 % and 100 %. */
export function shareOf(options: Options, name: string): number | undefined {
  const text = textOf(options, name)
  if (text === undefined) return undefined
  const match = /^(\d{1,3}(?:\.\d{1,6})?)\s*%?$/.exec(text)
  if (match === null) throw usageError('bad-value', `cannot understand --${name} ${quoted(text)}: not a percentage`, 'write for example 2% or 0.5%')
  const percent = Number(match[1])
  if (percent < 0.01 || percent > 100) throw usageError('bad-value', `cannot use --${name} ${quoted(text)}: out of range`, 'between 0.01% and 100%')
  return percent / 100
}

/** Bytes of a size option. */
export function bytesOf(options: Options, name: string, min: number): number | undefined {
  const text = textOf(options, name)
  if (text === undefined) return undefined
  const bytes = parseBytes(text)
  if (bytes === undefined) throw usageError('bad-value', `cannot understand --${name} ${quoted(text)}: not a size`, 'write for example 256MiB or 2Gi')
  if (bytes < min) throw usageError('bad-value', `cannot use --${name} ${quoted(text)}: too small`, `the least is ${min / 2 ** 20}MiB`)
  return bytes
}

/** Which cgroups are looked at; nothing: all. */
export function coversOf(options: Options): { readonly text: string; readonly covers: (path: string) => boolean } | undefined {
  const pattern = textOf(options, 'cgroup')
  if (pattern === undefined) return undefined
  if (pattern.length > MAX_GLOB || pattern.split('/').every((part) => part === '')) throw usageError('bad-value', `cannot use --cgroup ${quoted(pattern)}: not a pattern`, "write for example '/system.slice/*' or web.service; in quotes, because of the shell")
  return { text: pattern, covers: globMatcher(pattern) }
}

/** How many dead workloads are remembered. */
export function tombstonesOf(options: Options): number | undefined {
  const text = textOf(options, 'tombstones')
  if (text === undefined) return undefined
  const count = /^\d{1,7}$/.test(text) ? Number(text) : Number.NaN
  if (!(count >= 64 && count <= 1e6)) throw usageError('bad-value', `cannot use --tombstones ${quoted(text)}: not a number from 64 to 1000000`, 'write for example --tombstones 20000')
  return count
}

/** A factor between 0.01 and 1000. */
export function speedOf(options: Options): number {
  const text = textOf(options, 'speed')
  const speed = text === undefined ? 1 : /^\d+(\.\d+)?x?$/.test(text) ? Number(text.replace('x', '')) : Number.NaN
  if (!(speed >= 0.01 && speed <= 1000)) throw usageError('bad-value', `cannot use --speed ${quoted(text ?? '')}: not a number between 0.01 and 1000`, 'write for example --speed 10')
  return speed
}

/** The text of `--help`, for all commands or one. */
export function helpText(name?: CommandName): string {
  return name === undefined ? overviewText() : commandText(name)
}

/** What a command wants besides options. */
function operandOf(name: CommandName): string {
  const { file, command }: Command = COMMANDS[name]
  return command === true ? ' -- COMMAND' : file === true ? ' FILE' : name === 'record' ? ' -o FILE' : ''
}

function overviewText(): string {
  const commands = Object.keys(COMMANDS).filter(isCommand).map((name) => `  ${`${name}${operandOf(name)}`.padEnd(18)}${COMMANDS[name].says}`)
  return [
    'oomscope: see why a container was OOM-killed: the kernel\'s own decision, live and recorded', '',
    'usage: oomscope [COMMAND] [OPTIONS]', '', ...commands, '',
    '  oomscope COMMAND --help    the options of a command', '  oomscope --version', '',
    'exit codes: 0 done, 1 the source failed, 2 usage, 3 environment, 70 a bug, 128+n after a signal', '',
  ].join('\n')
}

function commandText(name: CommandName): string {
  const { says, command, options }: Command = COMMANDS[name]
  const lines = Object.entries(options).map(([key, { short, value, says: what }]) => `  ${`${short === undefined ? '' : `-${short}, `}--${key}${value === undefined ? '' : ` ${value}`}`.padEnd(25)}${what}`)
  return [`oomscope ${name}: ${says}`, '', `usage: oomscope ${name}${command === true ? '' : operandOf(name)} [OPTIONS]${command === true ? operandOf(name) : ''}`, '', ...lines, ''].join('\n')
}
