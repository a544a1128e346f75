/** Memory settings of language runtimes as a program was given them: pure parsing; what cannot be understood is not known. */
import type { Program } from '../model/case.ts'

const KIB = 1024

/** The last setting that begins so: it holds. */
function last({ settings }: Program, ...heads: readonly string[]): string | undefined {
  for (let i = settings.length - 1; i >= 0; i--) for (const head of heads) if (settings[i]?.startsWith(head) === true) return settings[i]?.slice(head.length)
  return undefined
}

const scaled = (digits: string | undefined, factor: number | undefined): number | undefined => {
  const bytes = Number(digits) * (factor ?? Number.NaN)
  return digits !== undefined && digits !== '' && Number.isSafeInteger(bytes) ? bytes : undefined
}

const GO_UNITS: Readonly<Record<string, number>> = { '': 1, B: 1, KiB: KIB, MiB: KIB ** 2, GiB: KIB ** 3, TiB: KIB ** 4 }

/** GOMEMLIMIT in bytes; `off` and nothing are the same to the collector: no limit. Absent: cannot be understood. */
export function goMemLimitOf(program: Program): number | 'none' | undefined {
  const text = last(program, 'GOMEMLIMIT=')
  if (text === undefined || text === '' || text === 'off') return 'none'
  const match = /^(\d+)(B|KiB|MiB|GiB|TiB)?$/.exec(text)
  return scaled(match?.[1], GO_UNITS[match?.[2] ?? ''])
}

/** The collector runs only at GOMEMLIMIT. */
export const isGoCollectorOff = (program: Program): boolean => { const text = last(program, 'GOGC='); return text === 'off' || (text !== undefined && /^-\d+$/.test(text)) }

const JVM_UNITS: Readonly<Record<string, number>> = { '': 1, k: KIB, m: KIB ** 2, g: KIB ** 3, t: KIB ** 4 }

/** -Xmx or -XX:MaxHeapSize in bytes. */
export function jvmMaxHeapOf(program: Program): number | undefined {
  const match = /^(\d+)([kmgt]?)$/i.exec(last(program, '-Xmx', '-XX:MaxHeapSize=') ?? '')
  return scaled(match?.[1], JVM_UNITS[match?.[2]?.toLowerCase() ?? ''])
}

/** -XX:MaxRAMPercentage, 0 to 100. */
export function jvmRamPercentOf(program: Program): number | undefined {
  const percent = Number(last(program, '-XX:MaxRAMPercentage=') ?? Number.NaN)
  return percent > 0 && percent <= 100 ? percent : undefined
}

/** It sizes itself by the RAM of the node. */
export const isJvmContainerBlind = (program: Program): boolean => last(program, '-XX:-UseContainerSupport', '-XX:+UseContainerSupport') !== undefined && program.settings.findLast((setting) => setting.endsWith('UseContainerSupport')) === '-XX:-UseContainerSupport'

/** --max-old-space-size, which counts MiB. */
export function nodeOldSpaceOf(program: Program): number | undefined {
  return scaled(/^\d+$/.exec(last(program, '--max-old-space-size=', '--max_old_space_size=') ?? '')?.[0], KIB ** 2)
}
