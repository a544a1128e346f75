/** Who uses the CPU, and where the others wait: for the message of a test that hangs in a guest. */
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'

const LOOK_MS = 2000

type Look = { readonly comm: string; readonly state: string; readonly ticks: number }

const textOf = (path: string): string => {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    // It ended between two looks, or the kernel does not tell.
    return ''
  }
}

/** proc_pid_stat(5): the comm stands in parentheses and may hold any byte. */
function processes(): Map<string, Look> {
  const looks = new Map<string, Look>()
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const stat = textOf(`/proc/${pid}/stat`), close = stat.lastIndexOf(')'), fields = stat.slice(close + 2).split(' ')
    if (close > 0) looks.set(pid, { comm: stat.slice(stat.indexOf('(') + 1, close), state: fields[0] ?? '', ticks: Number(fields[11]) + Number(fields[12]) })
  }
  return looks
}

/** One line for each process with a user space, the busiest first. */
export async function runningNow(): Promise<string> {
  const before = processes()
  await wait(LOOK_MS)
  const lines = [...processes()].map(([pid, { comm, state, ticks }]) => ({ pid, comm, state, busy: ticks - (before.get(pid)?.ticks ?? 0) })).filter(({ pid }) => textOf(`/proc/${pid}/cmdline`) !== '')
  return lines.toSorted((a, b) => b.busy - a.busy).map(({ pid, comm, state, busy }) => {
    const stack = textOf(`/proc/${pid}/stack`).split('\n').slice(0, 4).map((line) => line.replace(/^\[<0>\] /, '').replace(/\+.*/, '')).join(' < ')
    return `${pid} ${comm} ${state}: ${Math.round(busy * 10 * 1000 / LOOK_MS)} ms CPU a second, oom_score_adj ${textOf(`/proc/${pid}/oom_score_adj`)}, ${stack}`
  }).join('\n')
}
