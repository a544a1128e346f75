/** The keys that move through time, in a recording or in what a live screen remembers: play, scrub, step, go to, from kill to kill, back to the present. */
import { JUMP_BACK, JUMP_FORTH } from './keymap.ts'
import type { Context, Pressed } from './press.ts'
import type { Ui } from './ui.ts'

const SPEEDS: readonly number[] = [0.25, 0.5, 1, 2, 4, 8, 16, 30, 60]

/** Seconds each key moves; `t` and `T` move by one sample. */
const SCRUB_S: Readonly<Record<string, number>> = { h: -1, l: 1, left: -1, right: 1, H: -10, L: 10 }

/** A jump stops the playing: what was looked for would run away. */
export const jump = (ui: Ui, tsNs: number): Pressed => ({ ui: { ...ui, paused: true, held: false, atKill: undefined }, command: { do: 'seek', tsNs } })

/** Goes to the moment of a kill and remembers which, so that Enter opens its case. A moment that is no longer kept cannot be gone to; its case can. */
export function jumpToKill(ui: Ui, kill: { readonly id: string; readonly tsNs: number }, oldestNs = -Infinity): Pressed {
  if (kill.tsNs < oldestNs) return { ui: { ...ui, ...(ui.page === 'case' ? {} : { page: 'case', back: [...ui.back, ui.page], inFull: false, scroll: 0 }), kill: kill.id, message: 'the samples of that moment are no longer kept: this is its case' } }
  return { ui: { ...ui, page: 'overview', back: [], scroll: 0, tree: false, filter: '', paused: true, held: false, kill: kill.id, atKill: kill.id }, command: { do: 'seek', tsNs: kill.tsNs } }
}

/** Back to what comes now. */
export const toLive = (ui: Ui): Pressed => ({ ui: { ...ui, paused: false, held: false, atKill: undefined }, command: { do: 'live' } })

/** Goes to the end of the selected spike, where the last minute holds all of it, and to the row of its workload. */
export function jumpToSpike(ui: Ui, { spikes, replay }: Context): Pressed {
  const spike = spikes.find(({ id }) => id === ui.picked) ?? spikes[0]
  if (spike === undefined) return { ui }
  if (replay?.canSeek !== true) return { ui: { ...ui, message: 'time cannot be wound here' } }
  const jumped = jump({ ...ui, page: 'overview', back: [], scroll: 0, tree: false, filter: '' }, spike.atNs)
  return { ...jumped, ui: { ...jumped.ui, seekMemcgId: spike.memcgId } }
}

/** The kill before or after the one the picture stands at, or else before or after the picture's time. Kills are listed newest first. */
function neighbour(ui: Ui, by: -1 | 1, { kills, nowNs }: Context): Context['kills'][number] | undefined {
  const at = ui.atKill === undefined ? -1 : kills.findIndex((kill) => kill.id === ui.atKill)
  if (at >= 0) return kills[at - by]
  return by === 1 ? kills.findLast((kill) => kill.tsNs > nowNs) : kills.find((kill) => kill.tsNs < nowNs)
}

function toKill(ui: Ui, by: -1 | 1, context: Context): Pressed {
  const kill = neighbour(ui, by, context)
  return kill === undefined ? { ui: { ...ui, message: by === 1 ? 'no later kill' : 'no earlier kill' } } : jumpToKill(ui, kill, context.replay?.oldestNs)
}

/** To what the bar marks, whatever it is: a kill or another case, or the moment at which tasks began to wait. */
function toEvent(ui: Ui, by: -1 | 1, context: Context): Pressed {
  const { kills, nowNs } = context, fromNs = kills.find(({ id }) => id === ui.atKill)?.tsNs ?? nowNs, isBeyond = (tsNs: number): boolean => (by === 1 ? tsNs > fromNs : tsNs < fromNs)
  const kill = neighbour(ui, by, context), pressures = context.pressureStarts().filter(isBeyond), pressureNs = by === 1 ? pressures[0] : pressures.at(-1)
  if (pressureNs === undefined || (kill !== undefined && by * (kill.tsNs - pressureNs) <= 0)) return kill === undefined ? { ui: { ...ui, message: by === 1 ? 'no later event' : 'no earlier event' } } : jumpToKill(ui, kill, context.replay?.oldestNs)
  const jumped = jump(ui, pressureNs)
  return { ...jumped, ui: { ...jumped.ui, message: 'here tasks began to wait for memory (a PSI trigger of the kernel)' } }
}

/** Nothing when the key has no meaning in time, or nothing can be wound here. */
export function pressTime(ui: Ui, key: string, context: Context): Pressed | undefined {
  const { replay, nowNs } = context
  if (replay === undefined) return undefined
  if (key === 'space' && replay.live === 'following') return { ui: { ...ui, paused: true, held: true }, command: { do: 'hold' } }
  if (replay.live === 'back' && (key === 'end' || key === '0' || (key === 'space' && ui.paused && ui.held === true))) return toLive(ui)
  if (replay.canSpeed && (key === '+' || key === '=' || key === '-')) {
    const { speed } = replay, next = key === '-' ? SPEEDS.findLast((candidate) => candidate < speed) : SPEEDS.find((candidate) => candidate > speed)
    return next === undefined ? undefined : { ui, command: { do: 'speed', speed: next } }
  }
  if (!replay.canSeek || ui.page === 'case' || ui.page === 'kills' || ui.page === 'help') return undefined
  const seconds = SCRUB_S[key]
  if (seconds !== undefined) return jump(ui, nowNs + seconds * 1e9)
  switch (key) {
    case 't': return jump(ui, nowNs + replay.stepNs)
    case 'T': return jump(ui, nowNs - replay.stepNs)
    case 'b': return { ui: { ...ui, prompt: { for: 'time', line: { text: '', cursor: 0 } } } }
    case JUMP_FORTH: return { ui: { ...ui, prompt: { for: 'time', line: { text: '+', cursor: 1 } } } }
    case JUMP_BACK: return { ui: { ...ui, prompt: { for: 'time', line: { text: '-', cursor: 1 } } } }
    case '[': return toKill(ui, -1, context)
    case '{': return toEvent(ui, -1, context)
    case '}': return replay.live === 'following' ? undefined : toEvent(ui, 1, context)
    // Nothing is later than the present: the newest kill is what is wanted.
    case ']': return replay.live === 'following' ? undefined : toKill(ui, 1, context)
    default: return undefined
  }
}

/** Enter behind a typed time. */
export function goTo(ui: Ui, text: string, context: Context): Pressed {
  const closed = { ...ui, prompt: undefined }
  if (text.trim() === '') return { ui: closed }
  const tsNs = context.replay?.momentOf(text)
  return tsNs === undefined ? { ui: { ...closed, message: 'not a time: write 14:03:20, -5m, +30s or 2026-11-20T14:03:20Z' } } : jump(closed, tsNs)
}
