/** The kernel logs of test/fixtures/logs: real formats, written by hand. */
import { readdirSync, readFileSync } from 'node:fs'
import { explainLog, newReading } from '../../src/cli/explain.ts'
import type { Explained } from '../../src/cli/explain.ts'
import type { LogReading, LogText } from '../../src/source/log-streams.ts'
import { killJson } from '../../src/view/kill-json.ts'
import type { KillJson } from '../../src/view/kill-json.ts'

const DIRECTORY = new URL('../fixtures/logs/', import.meta.url)

export const LOGS: readonly string[] = readdirSync(DIRECTORY).sort()
export const logText = (name: string): string => readFileSync(new URL(name, DIRECTORY), 'utf8')
export function readLog(pieces: Iterable<string>, reading: LogReading = newReading()): LogText {
  for (const piece of pieces) reading.push(piece)
  return reading.end()
}
export const explained = (text: string): readonly Explained[] => explainLog(readLog([text]))
/** Every case, as `explain --json` prints it. */
export const casesOf = (log: LogText): KillJson[] => explainLog(log).flatMap(({ model, clock }) => model.cases.map((killCase) => killJson(killCase, model, clock)))
export const casesIn = (text: string): KillJson[] => casesOf(readLog([text]))
