/** The kernel logs of test/fixtures/logs: real formats, written by hand. */
import { readdirSync, readFileSync } from 'node:fs'
import { explainLog } from '../../src/cli/explain.ts'
import type { Explained } from '../../src/cli/explain.ts'
import { readLog } from '../../src/source/log-streams.ts'
import { killJson } from '../../src/view/kill-json.ts'
import type { KillJson } from '../../src/view/kill-json.ts'

const DIRECTORY = new URL('../fixtures/logs/', import.meta.url)

export const LOGS: readonly string[] = readdirSync(DIRECTORY).sort()
export const logText = (name: string): string => readFileSync(new URL(name, DIRECTORY), 'utf8')
export const explained = (text: string): readonly Explained[] => explainLog(readLog(text))
/** Every case of a log, as `explain --json` prints it. */
export const casesIn = (text: string): KillJson[] => explained(text).flatMap(({ model, clock }) => model.cases.map((killCase) => killJson(killCase, model, clock)))
