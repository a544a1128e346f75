/** Finds bpftrace and asks it, by trying, what it can do; a version is only ever shown, never compared. */
import { execFile } from 'node:child_process'
import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { reasonOf } from '../base/errors.ts'
import { printable } from '../base/text.ts'

/** What bpftrace can lack; each is tried once. */
export type BpftraceFeature = 'rawtracepoint' | 'fentry' | 'dynamic-strings'

export type BpftraceFeatures = {
  readonly path: string
  /** As it says itself, for example `0.23.2`; for display only. */
  readonly version: string
  /** `--dry-run` attaches for real and ends; `-d` (0.17) only compiles. */
  readonly trial: 'attach' | 'compile'
  /** Tells of a full map only when asked with `-k` (0.17); later ones always do, and their `-k` asks for more. */
  readonly hasQuietMaps?: true
  /** Features it refused on this node, and its words. */
  readonly refusals: Readonly<Partial<Record<BpftraceFeature, string>>>
}

export type BpftraceMissing = { readonly missing: string }

/** A start of bpftrace takes 0.2 s on a machine and 15 s in an emulated one. */
const TRIAL_TIMEOUT_MS = 60_000

/** What the tracer is run with; trials too, so that they see the same limits. The names changed: 0.17 reads the first, 0.23 and later the second. */
export const TRACER_ENVIRONMENT: Readonly<Record<string, string>> = {
  BPFTRACE_STRLEN: '200', BPFTRACE_MAX_STRLEN: '200', BPFTRACE_MAP_KEYS_MAX: '16384', BPFTRACE_MAX_MAP_KEYS: '16384', BPFTRACE_PERF_RB_PAGES: '1024',
}

const TRIALS: Readonly<Record<BpftraceFeature, string>> = {
  rawtracepoint: 'rawtracepoint:sched_process_exit { print((1, nsecs)); }',
  fentry: 'kfunc:out_of_memory { print((1, nsecs)); }',
  // 0.23 compiles this and reads "" (its pull request 4238): only a run tells. The trial's own child is what is seen.
  'dynamic-strings': 'tracepoint:sched:sched_process_exec { print((1, str(args->filename))); exit(); }',
}

const cache = new Map<string, Promise<BpftraceFeatures | BpftraceMissing>>()

/** The bpftrace at `path`, else OOMSCOPE_BPFTRACE, else on PATH; asked once a process. */
export async function detectBpftrace(path?: string): Promise<BpftraceFeatures | BpftraceMissing> {
  const found = await findBpftrace(path)
  if (typeof found !== 'string') return found
  const known = cache.get(found) ?? detectAt(found)
  cache.set(found, known)
  return known
}

async function findBpftrace(path: string | undefined): Promise<string | BpftraceMissing> {
  const asked = path ?? (process.env['OOMSCOPE_BPFTRACE'] || undefined)
  const places = asked !== undefined ? [asked] : [...(process.env['PATH'] ?? '').split(delimiter), '/usr/bin', '/usr/local/bin'].filter(Boolean).map((directory) => join(directory, 'bpftrace'))
  for (const place of places) if (await access(place, constants.X_OK).then(() => true, () => false)) return place
  return { missing: asked !== undefined ? `${asked} is not an executable file` : 'bpftrace is not on PATH' }
}

async function detectAt(path: string): Promise<BpftraceFeatures | BpftraceMissing> {
  const [version, help] = await Promise.all([run(path, ['--version']), run(path, ['--help'])])
  if (!/^bpftrace v/m.test(version.out)) return { missing: `${path} --version: ${firstError(version)}` }
  const trial = /--dry-run/.test(help.out + help.err) ? 'attach' as const : 'compile' as const
  const hasQuietMaps = /^ +-k .*except read functions/m.test(help.out + help.err)
  const base = { path, version: /v(\S+)/.exec(version.out)?.[1] ?? '', trial, ...(hasQuietMaps && { hasQuietMaps }), refusals: {} }
  const [rawtracepoint, fentry] = await Promise.all([tryScript(base, TRIALS.rawtracepoint), tryScript(base, TRIALS.fentry)])
  // Dynamic strings matter only where raw tracepoints cannot bring the path instead.
  const strings = rawtracepoint === undefined ? undefined : await tryDynamicStrings(path)
  return { ...base, refusals: { ...(rawtracepoint !== undefined && { rawtracepoint }), ...(fentry !== undefined && { fentry }), ...(strings !== undefined && { 'dynamic-strings': strings }) } }
}

async function tryDynamicStrings(path: string): Promise<string | undefined> {
  const result = await run(path, ['-f', 'json', '-B', 'line', '-e', TRIALS['dynamic-strings'], '-c', '/bin/true'])
  if (/"data": \[1,\s*"[^"]/.test(result.out)) return undefined
  if (/"data": \[1,\s*""\]/.test(result.out)) return 'bpftrace reads them as ""'
  return result.status === 0 ? 'no string was read' : firstError(result)
}

/** Tries a whole script as far as this bpftrace can without running it; undefined when it is accepted, else its first error. */
export async function tryScript(bpftrace: Pick<BpftraceFeatures, 'path' | 'trial'>, text: string): Promise<string | undefined> {
  const options = bpftrace.trial === 'attach' ? ['--dry-run', '-f', 'json', '-B', 'line'] : ['-d']
  return trial(bpftrace.path, text, options)
}

/** Loads and attaches a script for real, and ends it at once; undefined when that went well, else the first error. */
export async function tryAttach(bpftrace: Pick<BpftraceFeatures, 'path' | 'trial'>, text: string): Promise<string | undefined> {
  if (bpftrace.trial === 'attach') return tryScript(bpftrace, text)
  // Probes are attached in the order of the text: an interval at its end fires when all others are.
  return trial(bpftrace.path, `${text}\ninterval:ms:1 { exit(); }\n`, ['-f', 'json', '-B', 'line'])
}

async function trial(path: string, text: string, options: readonly string[]): Promise<string | undefined> {
  const result = await run(path, [...options, '-e', text, '1', '0'])
  return result.status === 0 ? undefined : firstError(result)
}

type Result = { readonly status: number | string; readonly out: string; readonly err: string }

function run(path: string, args: readonly string[]): Promise<Result> {
  const options = { timeout: TRIAL_TIMEOUT_MS, killSignal: 'SIGKILL' as const, maxBuffer: 64 << 20, env: { ...process.env, ...TRACER_ENVIRONMENT } }
  return new Promise((resolve) => {
    try {
      execFile(path, args, options, (error, out, err) => {
        const timedOut = error?.killed === true
        resolve({ status: error === null ? 0 : timedOut ? `no answer in ${TRIAL_TIMEOUT_MS / 1000} s` : error.signal ?? error.code ?? 'failed', out, err })
      })
    } catch (error) {
      resolve({ status: reasonOf(error), out: '', err: '' })   // spawn throws what it does not expect, for example E2BIG
    }
  })
}

/** Lines that say ERROR and are none: bpftrace 0.17 calls a refused setrlimit so and goes on. */
const HARMLESS = /RLIMIT_MEMLOCK/

/** The first line in which bpftrace says what is wrong, without its place in our text. */
export function firstError(result: { readonly status: number | string; readonly err: string }): string {
  const line = result.err.split('\n').find((text) => /ERROR|FATAL|not traceable|cannot attach/.test(text) && !HARMLESS.test(text))
    ?? result.err.split('\n').find((text) => text.trim() !== '' && !HARMLESS.test(text))
  const words = line?.replace(/^.*?((?:ERROR|FATAL|WARNING): )/, '$1').replace(/^(?:ERROR|FATAL|WARNING): /, '').trim()
  return words ? printable(words, 200) : `ended with ${result.status}`
}
