/** What `systemctl show` prints about units, as rows: pure. */
import { rowText, type NameFact } from '../name-source.ts'

/** Asked for; systemd prints them in its own order (org.freedesktop.systemd1: Unit, Service, Scope, Slice). */
export const PROPERTIES = ['Id', 'ControlGroup', 'Description', 'MemoryMax', 'NRestarts', 'MainPID', 'Result', 'ExecMainCode', 'ExecMainStatus', 'ExecMainStartTimestamp', 'ExecMainExitTimestamp'] as const

/** Names of units as systemd allows them (unit_name_is_valid): nothing else is ever asked about, so nothing can be taken for an option or a pattern. */
const UNIT = /^[A-Za-z0-9:_.@\\][A-Za-z0-9:_.@\\-]{0,244}\.(?:service|scope|slice)$/

/** The unit of a cgroup, as systemd writes its name. */
export function unitOf(cgroupPath: string): string | undefined {
  const name = cgroupPath.slice(cgroupPath.lastIndexOf('/') + 1)
  return UNIT.test(name) ? name : undefined
}

type Values = ReadonlyMap<string, string>

/** One unit a block, blocks apart by an empty line. `asked`: the cgroups asked about, by unit; one that has ended has none any more. */
export function factsOf(output: string, asked: ReadonlyMap<string, string> = new Map()): NameFact[] {
  return output.split('\n\n').flatMap((block): NameFact[] => {
    const values: Values = new Map(block.split('\n').flatMap((line) => { const at = line.indexOf('='); return at <= 0 ? [] : [[line.slice(0, at), line.slice(at + 1)] as const] }))
    const unit = values.get('Id') ?? '', cgroupPath = values.get('ControlGroup') || asked.get(unit)
    if (cgroupPath === undefined || unitOf(cgroupPath) !== unit) return []
    const status = statusOf(values), description = values.get('Description')
    return [
      // systemd repeats the name where there is nothing to say.
      { kind: 'workload', unit, cgroupPath, runtime: 'systemd', description: description === unit ? undefined : rowText(description), memoryLimitBytes: numberOf(values.get('MemoryMax')), restarts: numberOf(values.get('NRestarts')), pid: numberOf(values.get('MainPID')) || undefined },
      ...(status === undefined ? [] : [{ kind: 'container_status' as const, containerId: cgroupPath, ...status }]),
    ]
  })
}

/** CLD_KILLED and CLD_DUMPED (waitid(2)): the status is a signal's number. */
const KILLED = new Set(['2', '3'])

/** How the main process of a service stands; scopes and slices have none, and one that never ran says nothing. */
function statusOf(values: Values): Omit<Extract<NameFact, { readonly kind: 'container_status' }>, 'kind' | 'containerId'> | undefined {
  const pid = numberOf(values.get('MainPID')), startedMs = timeOf(values.get('ExecMainStartTimestamp')), status = numberOf(values.get('ExecMainStatus'))
  if (pid === undefined || values.get('ExecMainStartTimestamp') === '') return undefined
  if (pid > 0) return { state: 'running', startedMs }
  return { state: 'exited', startedMs, finishedMs: timeOf(values.get('ExecMainExitTimestamp')), exitCode: status === undefined ? undefined : KILLED.has(values.get('ExecMainCode') ?? '') ? 128 + status : status, reason: rowText(values.get('Result'), 80) }
}

/** `infinity`, `[not set]` and the largest number mean none. */
function numberOf(value: string | undefined): number | undefined {
  const number = value !== undefined && /^\d{1,16}$/.test(value) ? Number(value) : Number.NaN
  return Number.isSafeInteger(number) ? number : undefined
}

/** `Sat 2026-11-21 15:30:00.123456 UTC` as wall-clock milliseconds. Without the fraction (systemd before 247) it cannot be held against a kill. */
function timeOf(value: string | undefined): number | undefined {
  const match = /^[A-Z][a-z]{2} (\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d\.\d{3})\d* UTC$/.exec(value ?? ''), ms = match === null ? Number.NaN : Date.parse(`${match[1]}T${match[2]}Z`)
  return ms > 0 ? ms : undefined
}
