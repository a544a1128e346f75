/** The pictures of the documentation, painted by the real program over the bundled recording: they cannot show what the program does not. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { afterEach, expect, it } from 'vitest'
import { CLI } from '../helpers/cli.ts'
import { ROOT, Tui } from '../helpers/pty.ts'

let tui: Tui | undefined
afterEach(() => { tui?.kill(); tui = undefined })

/** `make screens` sets it. */
const isPainting = (process.env['OOMSCOPE_PAINT_SCREENS'] ?? '') !== ''

type Shot = { readonly name: string; readonly size?: readonly [cols: number, rows: number]; /** Keys one after another, each with what is seen when it has been obeyed. */ readonly keys: readonly (readonly [keys: string, seen: string | RegExp])[] }

// The recording stands still in all of them, at its end or at a kill, so that each paints the same cells every time.
const SHOTS: readonly Shot[] = [
  { name: 'overview', keys: [] },
  { name: 'case', keys: [['K', 'VICTIM'], ['G\r', 'KILL 1 of 4'], ['', 'chain of limits']] },
  { name: 'case-80x24', size: [80, 24], keys: [['K', 'VICTIM'], ['G\r', 'KILL 1 of 4'], ['', 'chain of limits']] },
  { name: 'kills', keys: [['K', 'VICTIM']] },
  { name: 'moment', keys: [['[', /REPLAY [\d:]+\.\d \(-\d+s\) PAUSED/], ['', 'enter: case']] },
  { name: 'workload', keys: [['\r', 'what this means']] },
  { name: 'tree', keys: [['e', '- kubepods']] },
  { name: 'node', keys: [['2', 'how the node is']] },
  { name: 'stalls', keys: [['3', 'WHO WAITED'], ['', 'waits by length and second']] },
  { name: 'spikes', keys: [['4', 'LENGTH']] },
  { name: 'health', keys: [['6', 'can this picture be trusted']] },
  { name: 'help', keys: [['?', 'All times are UTC']] },
]

it.each(SHOTS)('the picture of $name in docs/screens is what the program shows', async ({ name, size: [cols, rows] = [120, 40], keys }) => {
  tui = new Tui('node', [CLI, 'replay', `${ROOT}docs/demo.oom`, '--at', '+1h'], { cols, rows })
  const t = tui
  await t.until((x) => x.text().includes('REPLAY END') && (cols <= 100 || / {3}3 kills and 1 more case in this recording *$/m.test(x.text())) && x.text().includes('shop/checkout'), 'the end of the recording, looked through')
  for (const [key, seen] of keys) { if (key !== '') t.keys(key); await t.see(seen) }
  const svg = t.picture(name), path = `${ROOT}docs/screens/${name}.svg`
  if (isPainting) {
    mkdirSync(`${ROOT}docs/screens`, { recursive: true })
    writeFileSync(path, svg)
  }
  expect(existsSync(path) && readFileSync(path, 'utf8') === svg, `docs/screens/${name}.svg is out of step with build/screens/${name}.svg: look at both, then run \`make screens\``).toBe(true)
})
