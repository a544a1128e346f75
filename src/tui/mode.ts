/** Where in time the picture stands, in the few words at the right of row 0. */
import type { NodeModel } from '../model/node.ts'
import { distance, tenthsOf, wallOf } from '../view/clock.ts'
import { behind } from '../view/status-line.ts'
import type { Playback } from './app.ts'
import { STYLE } from './grid.ts'
import type { ModeText } from './paint-top.ts'
import type { Scene } from './scene.ts'

/** A live picture older than this is called late. */
const LATE_MS = 2000

export type ModeFacts = {
  readonly scene: Scene
  /** Of the picture: while a jump is under way the one of its goal has no clock yet. */
  readonly model: NodeModel
  readonly paused: boolean
  readonly wallNowMs: number
  /** A jump that takes long: where it goes to. */
  readonly goingToNs?: number | undefined
  /** The minutes before the picture are still being read, and that takes long. */
  readonly isReadingBack?: boolean
  /** In replay, and live with a memory. */
  readonly playback?: Playback | undefined
}

function replayText({ scene, model, paused, playback }: ModeFacts): ModeText {
  const left = playback?.endNs === undefined ? 0 : (playback.endNs - scene.nowNs) / 1e9, toEnd = left >= 0.5 ? ` (-${distance(left)})` : ''
  if (playback?.ended === true) return { text: `◄ REPLAY END ${scene.time}`, style: STYLE.replay }
  // Tenths only when it stands still: they would flicker.
  if (paused) return { text: `◄ REPLAY ${tenthsOf(model, scene.nowNs)}${toEnd} PAUSED`, style: STYLE.paused }
  return { text: `◄ REPLAY ${scene.time}${toEnd}${playback === undefined || playback.speed === 1 ? '' : ` ${playback.speed}x`}`, style: STYLE.replay }
}

/** Live, but looking back: how far behind the present. */
function backText({ scene, model, paused, playback }: ModeFacts, liveNs: number): ModeText {
  const late = `(${behind(scene.nowNs, liveNs)})`
  if (paused) return { text: `■ PAUSED ${tenthsOf(model, scene.nowNs)} ${late}`, style: STYLE.paused }
  return { text: `◄ BACK ${scene.time} ${late}${playback === undefined || playback.speed === 1 ? '' : ` ${playback.speed}x`}`, style: STYLE.replay }
}

export function modeText(mode: 'live' | 'replay', facts: ModeFacts): ModeText {
  const { scene, model, paused, wallNowMs } = facts
  if (facts.isReadingBack === true) return { text: `${mode === 'replay' ? '◄ REPLAY' : '◄ BACK'} ${scene.time} reading the minutes before`, style: STYLE.paused }
  if (facts.goingToNs !== undefined) return { text: `◄ GOING TO ${scene.timeAt(facts.goingToNs)}`, style: STYLE.paused }
  if (mode === 'replay') return replayText(facts)
  if (facts.playback?.live?.isFollowing === false) return backText(facts, facts.playback.live.nowNs)
  if (paused) return { text: `■ PAUSED ${scene.time} (${behind(scene.nowNs, model.nowNs)})`, style: STYLE.paused }
  const wall = wallOf(model, scene.nowNs), lateMs = wall === undefined ? 0 : wallNowMs - wall
  return lateMs > LATE_MS ? { text: `● LIVE ${scene.time} (${Math.round(lateMs / 1000)}s late)`, style: STYLE.kill } : { text: `● LIVE ${scene.time}`, style: STYLE.bar }
}
