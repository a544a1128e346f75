/** Advice about the language runtime that filled the limit by itself: from the settings it was started with, where these could be read. */
import { formatBytes } from '../base/bytes.ts'
import type { Program, Victim } from '../model/case.ts'
import { isAnonymous, type Asked } from './asked.ts'
import { safeName } from './names.ts'
import { goMemLimitOf, isGoCollectorOff, isJvmContainerBlind, jvmMaxHeapOf, jvmRamPercentOf, nodeOldSpaceOf } from './settings.ts'

/** From here on it was its own memory that filled the limit. */
const MOST = 0.7
/** A heap as large as this part of the limit leaves too little for all else. */
const TOO_LARGE = 0.9
/** More than the heap may have: it is something else. */
const BEYOND = 1.15

type Grown = { readonly name: string; readonly program?: Program; readonly comm: string; readonly limit: number; readonly anon: number; /** Why, in every piece of advice: what it had, and of what. */ readonly had: string }

/** The victim, when its own anonymous memory filled the limit. */
function grownOf(asked: Asked): Grown | undefined {
  const victim: Victim | undefined = asked.target.victims[0], limit = asked.target.limit?.limitBytes
  if (victim === undefined || limit === undefined || victim.anonBytes === undefined || victim.anonBytes < limit * MOST || !isAnonymous(asked)) return undefined
  const name = safeName(victim.comm ?? `pid ${victim.pid}`), anon = victim.anonBytes
  return { name, comm: victim.comm ?? '', limit, anon, had: `${name} alone had ${formatBytes(anon)} of anonymous memory under a limit of ${formatBytes(limit)}`, ...(victim.program === undefined ? {} : { program: victim.program }) }
}

function go(program: Program, { limit, had }: Grown): string[] {
  const limited = goMemLimitOf(program)
  if (limited === undefined || (limited === 'none' && !program.environRead)) return []
  if (limited === 'none') return [`set GOMEMLIMIT to about ${formatBytes(Math.floor(limit * 0.9))}, because it is a Go program without it${isGoCollectorOff(program) ? ' and with GOGC=off, so nothing is ever collected' : ', so its collector does not know the limit'}: ${had}`]
  if (limited >= limit) return [`lower GOMEMLIMIT from ${formatBytes(limited)} to about ${formatBytes(Math.floor(limit * 0.9))}, because it is not below the limit, so the kernel kills before the collector tries hard: ${had}`]
  return [`take a heap profile and look at memory outside Go's heap (cgo, mmap), because GOMEMLIMIT=${formatBytes(limited)} was in force and did not help: ${had}`]
}

const JVM_ROOM = 'metaspace, thread stacks and direct buffers have to fit beside the heap'

function jvm(program: Program, { limit, anon, had }: Grown): string[] {
  const heap = jvmMaxHeapOf(program), percent = jvmRamPercentOf(program)
  if (heap === undefined && isJvmContainerBlind(program)) return [`remove -XX:-UseContainerSupport or set -Xmx, because with it the JVM sizes its heap by the memory of the node: ${had}`]
  const cap = heap ?? (percent === undefined ? undefined : (limit * percent) / 100), setting = heap === undefined ? `-XX:MaxRAMPercentage=${percent}` : `-Xmx of ${formatBytes(heap)}`
  // Who raises a bound that was never the trouble makes it worse.
  if (cap === undefined && program.environRead) return [`let the JVM's heap be no more than three quarters of the limit, and look at memory outside it first (-XX:NativeMemoryTracking=summary), because nothing sets it: then it may have a quarter of the limit, half of a small one (before Java 8u191 a quarter of the node's memory), and ${had}`]
  if (cap === undefined) return [`let the JVM's heap be no more than three quarters of the limit (-XX:MaxRAMPercentage=75), because ${JVM_ROOM}, and ${had}`]
  if (cap >= limit * TOO_LARGE) return [`lower ${heap === undefined ? '-XX:MaxRAMPercentage' : '-Xmx'} to leave a quarter of the limit free, because ${setting} leaves ${cap >= limit ? 'nothing' : formatBytes(Math.floor(limit - cap))} of ${formatBytes(limit)}, and ${JVM_ROOM}: ${had}`]
  if (anon > cap * BEYOND) return [`look at memory outside the JVM's heap (-XX:NativeMemoryTracking=summary; bound direct buffers, threads and metaspace), because the heap may have ${formatBytes(Math.floor(cap))} (${setting}) and ${had}`]
  return [`look at what the heap holds, or raise the limit together with it, because the heap was full within its own bound (${setting}): ${had}`]
}

function node(program: Program, { limit, anon, had }: Grown): string[] {
  const space = nodeOldSpaceOf(program)
  if (space === undefined) return program.environRead ? [`set --max-old-space-size to about three quarters of the limit (${Math.floor((limit * 0.75) / 2 ** 20)}), because without it V8 sizes its heap by itself: ${had}`] : []
  if (space >= limit * TOO_LARGE) return [`lower --max-old-space-size from ${space / 2 ** 20} to about ${Math.floor((limit * 0.75) / 2 ** 20)}, because V8's old space alone may have ${formatBytes(space)}: ${had}`]
  if (anon > space * BEYOND) return [`look at memory outside V8's heap (buffers, native addons, worker threads), because its old space may have ${formatBytes(space)} (--max-old-space-size) and ${had}`]
  return []
}

/** Server processes of Python that never give back what one request took. */
const WORKERS: readonly (readonly [RegExp, RegExp, string])[] = [
  [/\bgunicorn\b/, /--max-requests\b/, '--max-requests'], [/\bcelery\b/, /--max-(?:tasks|memory)-per-child\b/, '--max-memory-per-child'], [/\buwsgi\b/, /--(?:max-requests|reload-on-rss)\b/, '--reload-on-rss'],
]

/** A cut command line does not tell what it lacks. */
function python({ commandLine = '' }: Program, { had }: Grown): string[] {
  const worker = WORKERS.find(([program]) => program.test(commandLine))
  if (worker === undefined || worker[1].test(commandLine) || commandLine.endsWith('…')) return []
  return [`let workers be renewed before they grow so far (${worker[2]}), because its command line names no such bound and Python keeps what one request took: ${had}`]
}

const BY_RUNTIME: Readonly<Record<string, (program: Program, grown: Grown) => string[]>> = { go, jvm, node, python }

/** By the name alone, where nothing more is known. */
const BY_NAME: readonly (readonly [RegExp, string])[] = [
  [/^java$/, 'the JVM\'s heap, metaspace, thread stacks and direct buffers together have to fit: set -XX:MaxRAMPercentage to leave at least a quarter of the limit free'],
  [/^(?:node|nodejs|MainThread)$/, 'set --max-old-space-size well below the limit: V8 sizes its heap by itself otherwise'],
]

export function runtimeAdvice(asked: Asked): string[] {
  const grown = grownOf(asked)
  if (grown === undefined) return []
  const { program } = grown, rule = program?.runtime === undefined ? undefined : BY_RUNTIME[program.runtime]
  if (program !== undefined && rule !== undefined) return rule(program, grown)
  const named = BY_NAME.find(([pattern]) => pattern.test(grown.comm))
  return named === undefined ? [] : [`${named[1]}, because ${grown.had}`]
}
