/** `--evidence FILE`: what the kubelet's log says about the pods of a recording, put on the recording's clock. */
import { tsNsAt, type ClockAnchor } from '../base/time.ts'
import type { EventOf } from '../event/event.ts'
import { parseKubeletLine, type Said } from '../identity/kubelet-log.ts'
import { unescapeKmsg } from '../model/kmsg-text.ts'
import { LogLines } from '../source/log-lines.ts'
import { parseStamp } from '../source/log-time.ts'

/** In the journal others write, too. The distributions that are one program have its name. */
const KUBELET = /^(?:kubelet|k3s|k3s-server|k3s-agent|rke2|k0s|kubelite)$/
/** A statement that names only the pod is about the pod of that name that lives then: a StatefulSet's pod has the same name again. */
const SAME_POD_MS = 600_000

type Told = Said & { readonly wallMs: number }

/** The year that the log leaves out: the one that brings it nearest to the recording. Its zone is taken for UTC, as on most nodes. */
function nearest(naiveMs: number, aroundMs: number): number {
  const at = new Date(naiveMs), year = new Date(aroundMs).getUTCFullYear()
  const inYear = (wanted: number): number => Date.UTC(wanted, at.getUTCMonth(), at.getUTCDate(), at.getUTCHours(), at.getUTCMinutes(), at.getUTCSeconds(), at.getUTCMilliseconds())
  return [year - 1, year, year + 1].map(inYear).reduce((best, ms) => (Math.abs(ms - aroundMs) < Math.abs(best - aroundMs) ? ms : best))
}

/** `0111 14:01:12.381234` of klog as a syslog stamp. */
function klogMs(stamp: string): number | undefined {
  const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
  const month = MONTHS[Number(stamp.slice(0, 2)) - 1]
  return month === undefined ? undefined : parseStamp(`${month} ${stamp.slice(2, 4)} ${stamp.slice(5)}`).orderMs
}

function tellings(text: string, aroundMs: number): Told[] {
  const told: Told[] = []
  const lines = new LogLines({ record: ({ text: escaped, tag, wallMs, orderMs }) => {
    if (tag !== undefined && !KUBELET.test(tag)) return
    const { stamp, said } = parseKubeletLine(unescapeKmsg(escaped))
    if (said.length === 0) return
    const naiveMs = (stamp === undefined ? undefined : klogMs(stamp)) ?? orderMs, at = wallMs ?? (naiveMs === undefined ? undefined : nearest(naiveMs, aroundMs))
    if (at !== undefined) told.push(...said.map((one) => ({ ...one, wallMs: at })))
  } })
  lines.push(text)
  lines.end()
  return told
}

/** Names of pods → uids, from the lines that have both. */
function uidOf(told: readonly Told[], one: Told): string | undefined {
  if (one.podUid !== undefined || one.pod === undefined) return one.podUid
  let best: Told | undefined
  for (const other of told) {
    if (other.pod !== one.pod || other.podUid === undefined || Math.abs(other.wallMs - one.wallMs) > SAME_POD_MS) continue
    if (best === undefined || Math.abs(other.wallMs - one.wallMs) < Math.abs(best.wallMs - one.wallMs)) best = other
  }
  return best?.podUid
}

export type Evidence = { readonly events: readonly EventOf<'testimony'>[]; /** Statements about pods whose uid no line gives. */ readonly unknown: number }

/** `names` are pods that the recording knows: `namespace/name` → uid. */
export function readEvidence(text: string, of: { readonly anchor: ClockAnchor; readonly names: ReadonlyMap<string, string> }): Evidence {
  const told = tellings(text, of.anchor.wallMs), events: EventOf<'testimony'>[] = []
  for (const one of told) {
    const podUid = uidOf(told, one) ?? (one.pod === undefined ? undefined : of.names.get(one.pod))
    if (podUid !== undefined) events.push({ kind: 'testimony', tsNs: tsNsAt(of.anchor, one.wallMs), from: 'kubelet', says: one.says, podUid, containerId: one.containerId, detail: one.detail })
  }
  return { events: events.sort((a, b) => a.tsNs - b.tsNs), unknown: told.length - events.length }
}
