/** Headers of scripts are read as written, however they are laid out. */
import { expect, test } from 'vitest'
import { parseProbeScript } from '../../../src/source/probe-script.ts'

test('continued lines belong to the key above them, and code ends the header', () => {
  const script = parseProbeScript('a.bt', `#!/usr/bin/env bpftrace
// a.bt  What.
//
// Question: what
// Rung:     best
// Emits:    38 mark_victim  39 oom_reap
//           @over_high_ns @over_high_count
// Needs:    btf tracepoint:oom:mark_victim
//           field:oom/mark_victim.anon_rss
// Selftest:
// Caveats:  none.

tracepoint:oom:mark_victim { print((38, nsecs, tid, args->pid)); }
// Needs:    not-a-need
`)
  expect(script).toMatchObject({
    question: 'what', rung: 'best', emits: [{ number: 38, name: 'mark_victim' }, { number: 39, name: 'oom_reap' }], maps: ['over_high_ns', 'over_high_count'],
    needs: ['btf', 'tracepoint:oom:mark_victim', 'field:oom/mark_victim.anon_rss'], selftests: [],
  })
})

test('a file without a header has no question, and no need that could be met by chance', () => {
  expect(parseProbeScript('b.bt', 'BEGIN { }')).toMatchObject({ question: '', rung: '', needs: [], emits: [] })
})
