/** Runs inside a pty: draws so many frames as fast as it can, of a fake clock at 10 Hz, and tells on descriptor 3 what all of it cost in CPU. */
import { writeSync } from 'node:fs'
import blessed from 'blessed'
import contrib from 'blessed-contrib'
import { lens } from '../../dist/cli/lens.js'
import { paint } from '../../dist/tui/paint.js'
import { sceneOf } from '../../dist/tui/scene.js'
import { Terminal } from '../../dist/tui/terminal.js'
import { START } from '../../dist/tui/ui.js'
import { OVERVIEW_COLUMNS, cellOf } from '../../dist/view/columns.js'
import { momentOf } from '../../dist/view/moment.js'
import { overviewRows } from '../../dist/view/overview.js'
import { Story } from '../../dist/view/story.js'
import { liveOn, nodeOfPods } from './node-of-pods.mjs'

const { what, pods, seconds, tree = false, heapEvery } = JSON.parse(process.argv[2])
const WARM_TICKS = 1250, REFRESH_TICKS = 5
const CAN = { mode: 'live', speed: false, seek: false, charts: true, save: true }

const node = nodeOfPods({ pods })
for (let tick = 0; tick < WARM_TICKS; tick++) liveOn(node, tick)

/** The program's own frame: a scene every half second, a picture and its way through blessed ten times a second. */
function ours() {
  const terminal = new Terminal({ ascii: false, theme: 'dark' }), story = new Story(node.model)
  let scene, ui = { ...START, tree }
  const frame = (tick) => {
    story.see(node.model)
    if (tick % REFRESH_TICKS === 0) scene = sceneOf({ lens, model: node.model, story })
    const painted = paint({ scene, mode: { text: `LIVE ${scene.time}`, style: 8 }, can: CAN, fault: undefined, ascii: false }, ui, terminal.size())
    ui = painted.ui
    terminal.show(painted.grid)
  }
  return { frame, close: () => terminal.restore() }
}

/** The same rows, computed as often, in blessed-contrib's table, which has the same screen. */
function theirs() {
  const screen = blessed.screen({ terminal: 'xterm-256color', smartCSR: true, fullUnicode: false, forceUnicode: true })
  const columns = OVERVIEW_COLUMNS.filter(({ unit }) => unit !== 'series' && unit !== 'share')
  const table = contrib.table({ parent: screen, keys: true, top: 1, left: 0, width: '100%', height: '100%-1', columnSpacing: 1, columnWidth: columns.map(({ key, width }) => (key === 'name' ? 60 : Math.max(width, 6))) })
  let data
  const frame = (tick) => {
    if (tick % REFRESH_TICKS === 0) data = overviewRows(momentOf(lens, node.model)).map((row) => columns.map((column) => cellOf(column, row)))
    table.setData({ headers: columns.map(({ title }) => title), data })
    screen.render()
  }
  return { frame, close: () => screen.destroy() }
}

/** The same node, looked at by nobody: what is to be taken off. Told apart like this, garbage counts for whoever made it. */
const nobody = () => ({ frame: () => undefined, close: () => undefined })

/** A minute: after ten seconds the compiler still took as much as the frames did, on either side. */
const WARM_FRAMES = 600
const screen = { ours, theirs, nobody }[what](), settle = () => new Promise((resolve) => setImmediate(resolve)), heaps = []
let before
for (let tick = 0; tick < WARM_FRAMES + seconds * 10; tick++) {
  // The first frames compile; what they cost is no frame's cost.
  if (tick === WARM_FRAMES) before = process.cpuUsage()
  liveOn(node, WARM_TICKS + tick)
  screen.frame(WARM_TICKS + tick)
  await settle()
  if (heapEvery !== undefined && tick >= WARM_FRAMES && (tick - WARM_FRAMES) % (heapEvery * 10) === 0) { globalThis.gc(); heaps.push(process.memoryUsage().heapUsed) }
}
const used = process.cpuUsage(before)
screen.close()
writeSync(3, JSON.stringify({ cpuMs: (used.user + used.system) / 1e3, heaps }))
process.exit(0)
