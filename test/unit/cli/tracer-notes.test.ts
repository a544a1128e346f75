import { expect, test } from 'vitest'
import { TracerNotes } from '../../../src/cli/tracer-notes.ts'
import { event } from '../model/build.ts'

let tsNs = 0
const tracer = (state: string, detail?: string) => event('tracer', tsNs += 1e9, { state, pid: 7, detail })

test('a first start says nothing; an end and what follows it does, without what a terminal would obey', () => {
  const notes = new TracerNotes()
  expect(notes.of([tracer('starting'), tracer('ready')])).toEqual([])
  const again = tracer('starting')
  expect(notes.of([again, again])).toEqual([])
  expect(notes.of([tracer('exited', 'killed by \u001b[2Jsignal 9')])).toEqual(['note: bpftrace ended (killed by ?[2Jsignal 9): the kernel log and cgroup files go on; it is started again'])
  expect(notes.of([tracer('restarted'), tracer('ready'), tracer('ready')])).toEqual(['note: bpftrace is started again', 'note: bpftrace is attached again'])
})
