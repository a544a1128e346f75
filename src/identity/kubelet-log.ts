/** One line of kubelet's own log (klog) → what it says about a pod. Pure; only statements of a decision, not of a symptom: one failed probe ends nothing. */
import { podUidOf } from './ids.ts'

export type Said = {
  readonly says: 'evicted' | 'killing' | 'liveness-failed' | 'startup-failed' | 'deleted'
  /** `namespace/name`, where the line has no uid. */
  readonly pod?: string | undefined
  readonly podUid?: string | undefined
  readonly containerId?: string | undefined
  readonly detail?: string | undefined
}

export type KubeletLine = { /** `MMDD hh:mm:ss.ffffff` of the line itself, without year and zone. */ readonly stamp?: string | undefined; readonly said: readonly Said[] }

const HEAD = /^[IWEF](\d{4} \d\d:\d\d:\d\d\.\d+) +\d+ [\w.-]+:\d+\] (.*)$/
const PAIR = /([A-Za-z]+)=(?:"((?:[^"\\]|\\.)*)"|(\[[^\]]*\])|(\S+))/g
const ID = /^(?:[a-z-]+:\/\/)?([0-9a-f]{64})$/, POD = /^[a-z0-9.-]{1,253}\/[a-z0-9.-]{1,253}$/

type Pairs = ReadonlyMap<string, string>

const pairsOf = (text: string): Pairs => new Map([...text.matchAll(PAIR)].map(([, key = '', quoted, list, plain]) => [key, quoted ?? list ?? plain ?? '']))
const matching = (pattern: RegExp, text: string | undefined): string | undefined => (text !== undefined && pattern.test(text) ? text : undefined)

function about(pairs: Pairs): Pick<Said, 'pod' | 'podUid' | 'containerId'> {
  const containerId = ID.exec(pairs.get('containerID') ?? '')?.[1]
  return { pod: matching(POD, pairs.get('pod')), podUid: podUidOf(pairs.get('podUID')), containerId }
}

function read(message: string, pairs: Pairs): Said[] {
  switch (message) {
    case 'Eviction manager: pod is evicted successfully': return [{ says: 'evicted', ...about(pairs) }]
    case 'Killing container with a grace period': return [{ says: 'killing', ...about(pairs), detail: pairs.get('gracePeriod') }]
    case 'Message for Container of pod': {
      const probe = /failed (liveness|startup) probe, will be restarted/.exec(pairs.get('containerMessage') ?? '')?.[1]
      // containerStatusID is the container that will be ended.
      const containerId = ID.exec(pairs.get('containerStatusID')?.match(/[0-9a-f]{64}/)?.[0] ?? '')?.[1]
      return probe === undefined ? [] : [{ says: probe === 'liveness' ? 'liveness-failed' : 'startup-failed', ...about(pairs), ...(containerId === undefined ? {} : { containerId }) }]
    }
    case 'SyncLoop DELETE': return [...(pairs.get('pods') ?? '').matchAll(/[a-z0-9.-]+\/[a-z0-9.-]+/g)].map(([pod]) => ({ says: 'deleted' as const, pod }))
    default: return []
  }
}

/** Nothing said when it is no line of klog, or about something else. */
export function parseKubeletLine(line: string): KubeletLine {
  const [, stamp, rest = ''] = HEAD.exec(line) ?? [], message = /^"((?:[^"\\]|\\.)*)" ?(.*)$/.exec(rest)
  return message === null ? { said: [] } : { stamp, said: read(message[1] ?? '', pairsOf(message[2] ?? '')) }
}
