/** Where in time the picture stands, in the few words at the right of row 0. */
import type { NodeModel } from '../model/node.ts'
import { wallOf } from '../view/clock.ts'
import { behind } from '../view/status-line.ts'
import type { Playback } from './app.ts'
import { STYLE } from './grid.ts'
import type { ModeText } from './paint-top.ts'
import type { Scene } from './scene.ts'

/** A live picture older than this is called late. */
const LATE_MS = 2000

export type ModeFacts = {
  readonly scene: Scene
  readonly model: NodeModel
  readonly paused: boolean
  readonly wallNowMs: number
  /** Only in replay. */
  readonly playback?: Playback | undefined
}

export function modeText(mode: 'live' | 'replay', { scene, model, paused, wallNowMs, playback }: ModeFacts): ModeText {
  if (mode === 'replay') {
    const speed = playback === undefined || playback.speed === 1 ? '' : ` ${playback.speed}x`
    if (playback?.ended === true) return { text: `◄ REPLAY END ${scene.time}`, style: STYLE.replay }
    return paused ? { text: `◄ REPLAY PAUSED ${scene.time}`, style: STYLE.paused } : { text: `◄ REPLAY ${scene.time}${speed}`, style: STYLE.replay }
  }
  if (paused) return { text: `■ PAUSED ${scene.time} (${behind(scene.nowNs, model.nowNs)})`, style: STYLE.paused }
  const wall = wallOf(model, scene.nowNs), lateMs = wall === undefined ? 0 : wallNowMs - wall
  return lateMs > LATE_MS ? { text: `● LIVE ${scene.time} (${Math.round(lateMs / 1000)}s late)`, style: STYLE.kill } : { text: `● LIVE ${scene.time}`, style: STYLE.bar }
}
