/** How much slower a reclaim-heavy workload gets: reading a file larger than its memcg limit, alone, under `record`, and under one naive script that prints every reclaim event. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, rmdirSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CLI, median, row, run, started } from './measure.mjs'

const RUNS = 9
const FILE_MIB = 4_096
const LIMIT_MIB = 32
const NAIVE = 'BEGIN { printf("attached\\n"); } tracepoint:vmscan:mm_vmscan_memcg_reclaim_begin { printf("b %d %s %llu\\n", tid, comm, nsecs); } ' +
  'tracepoint:vmscan:mm_vmscan_memcg_reclaim_end { printf("e %d %s %llu %d\\n", tid, comm, nsecs, args->nr_reclaimed); } ' +
  'tracepoint:vmscan:mm_vmscan_lru_shrink_inactive { printf("s %d %s %llu %d %d\\n", tid, comm, nsecs, args->nr_scanned, args->nr_reclaimed); }'

export async function benchSlowdown() {
  const v1 = existsSync('/sys/fs/cgroup/memory/memory.usage_in_bytes')
  const group = `${v1 ? '/sys/fs/cgroup/memory' : '/sys/fs/cgroup'}/oomscope-bench-read-${process.pid}`
  // Not tmpdir(): that may be a tmpfs, whose pages cannot be reclaimed.
  const dir = mkdtempSync('/var/tmp/oomscope-bench-'), file = join(dir, 'data')
  // Its CPU time, user and system: reclaim and what probes add to it are in there, and a virtual CPU that is taken away for a while is not.
  const read = async () => {
    const done = await run('bash', ['-c', `echo $$ > ${group}/cgroup.procs && TIMEFORMAT='%3U %3S' && time cat ${file} > /dev/null`])
    const [user, system] = done.stderr.trim().split(' ').map(Number)
    if (done.code !== 0 || !(user + system > 0)) throw new Error(`reader failed: ${done.stderr}`)
    return user + system
  }
  try {
    mkdirSync(group)
    writeFileSync(`${group}/${v1 ? 'memory.limit_in_bytes' : 'memory.max'}`, `${LIMIT_MIB}M`)
    // One hole: page cache without a disk, whose speed would hide what is measured. Never written, so that no page belongs to another memcg.
    writeFileSync(file, '')
    truncateSync(file, FILE_MIB * 2 ** 20)
    await read()
    const alone = [], recorded = [], naive = []
    for (let i = 0; i < RUNS; i++) {
      alone.push(await read())
      const recorder = await started(process.execPath, [CLI, 'record', '--force', '-o', join(dir, 'bench.oom')], { until: /^recording /m })
      recorded.push(await read())
      await recorder.stop()
      const script = await started('bpftrace', ['-B', 'line', '-e', NAIVE], { until: /attached/, env: { BPFTRACE_PERF_RB_PAGES: '1024' } })
      naive.push(await read())
      await script.stop()
    }
    const [a, r, n] = [median(alone), median(recorded), median(naive)]
    return [
      row('reclaim-heavy read, slowdown while recording', r / a, 'the same read alone', `${r.toFixed(2)} s of CPU against ${a.toFixed(2)} s`),
      row('the same under one naive per-event bpftrace script', n / a, 'the same read alone', `${n.toFixed(2)} s of CPU against ${a.toFixed(2)} s`),
    ]
  } finally {
    rmSync(dir, { recursive: true, force: true })
    try { rmdirSync(group) } catch { /* was never made */ }
  }
}
