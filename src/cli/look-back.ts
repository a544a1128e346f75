/** `--look-back`: how much of the live stream stays in memory to go back in time. */
import { MemoryTape } from '../recording/memory-tape.ts'
import { bytesOf, textOf } from './args.ts'
import type { Options } from './args.ts'

const DEFAULT_BYTES = 64 * 2 ** 20, LEAST_BYTES = 2 ** 20

/** Nothing when it is not wanted. */
export function tapeOf(options: Options): MemoryTape | undefined {
  if (textOf(options, 'look-back') === '0') return undefined
  return new MemoryTape(bytesOf(options, 'look-back', LEAST_BYTES) ?? DEFAULT_BYTES)
}
