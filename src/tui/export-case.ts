/** What `y` copies and `E` writes: the selected kill or workload as text, Markdown and JSON. */
import { plural } from '../base/text.ts'
import { formatWall } from '../base/time.ts'
import { caseMarkdown } from '../view/case-markdown.ts'
import { wallOf } from '../view/clock.ts'
import { jsonLine } from '../view/json-line.ts'
import { killJson } from '../view/kill-json.ts'
import { evidenceOf } from '../verdict/runtime-word.ts'
import type { KillRow } from '../view/kills-list.ts'
import type { NodeModel } from '../model/node.ts'
import type { Scene } from './scene.ts'
import type { Ui } from './ui.ts'

export type File = { readonly name: string; readonly text: string }

const selectedKill = (scene: Scene, ui: Ui): KillRow | undefined => scene.kills.find((kill) => kill.id === ui.kill)

/** Nothing when what the page showed is gone. */
export function textToCopy(scene: Scene, ui: Ui): string | undefined {
  if (ui.page === 'case') {
    const kill = selectedKill(scene, ui)
    return kill === undefined ? undefined : `${scene.caseLines(kill).join('\n')}\n`
  }
  const row = [...scene.rows, ...(ui.tree ? scene.treeRows() : [])].find((candidate) => candidate.key === ui.selected)
  return row === undefined ? undefined : `${[`${row.name} at ${scene.time} UTC`, ...scene.detailOf(row).map(({ text }) => `  ${text}`)].join('\n')}\n`
}

/** Terminals drop longer sequences (xterm and tmux at about 100 kB of base64). */
const MOST_COPIED_BYTES = 70_000

/** As many whole lines as a terminal takes, and how many of how many that are. */
export function clipped(text: string): { readonly text: string; readonly lines: string } {
  const bytes = Buffer.from(text), end = bytes.length <= MOST_COPIED_BYTES ? bytes.length : bytes.lastIndexOf('\n', MOST_COPIED_BYTES - 1) + 1
  const kept = bytes.toString('utf8', 0, end), count = (of: string): number => of.split('\n').length - 1
  return { text: kept, lines: `${kept === text ? '' : `${count(kept)} of `}${plural(count(text), 'line')}` }
}

/** Two files of one name, told apart by the time of the decision and the first victim. */
export function filesOf(scene: Scene, ui: Ui, model: NodeModel): readonly File[] {
  const kill = selectedKill(scene, ui)
  if (kill === undefined) return []
  const { killCase } = kill, wall = wallOf(model, kill.tsNs), when = (wall === undefined ? undefined : formatWall(wall))?.slice(0, 19).replace(/[-:]/g, '') ?? String(Math.round(kill.tsNs / 1e9))
  const name = `oomscope-kill-${when}-${killCase.victims[0]?.pid ?? 'none'}`, title = `OOM kill of ${kill.victim} in ${kill.place}, ${(wall === undefined ? undefined : formatWall(wall)) ?? kill.time}`
  return [
    { name: `${name}.md`, text: caseMarkdown(scene.casePage(kill), { title, evidence: evidenceOf(model, killCase) }) },
    { name: `${name}.json`, text: `${jsonLine(killJson(killCase, model))}\n` },
  ]
}
