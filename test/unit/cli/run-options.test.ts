/** What `run` gives its command. */
import { expect, test } from 'vitest'
import { commandAdj } from '../../../src/cli/run-options.ts'

test('the command inherits oom_score_adj as it would without us, but never immunity: no limit could end it', () => {
  expect(['0', '500', '-999', '-1000'].map(commandAdj)).toEqual(['0', '500', '-999', '0'])
})
