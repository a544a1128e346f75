/** The help page: only keys that work here and now, then what signs, colours and columns mean. */
import { KILL_COLUMNS } from '../view/kills-list.ts'
import { OVERVIEW_COLUMNS } from '../view/columns.ts'
import { SPIKE_COLUMNS } from '../view/spikes-list.ts'
import { STALL_COLUMNS } from '../view/stalls.ts'
import type { KeySet } from './keymap.ts'
import { TABS } from './tabs.ts'

/** What can be done depends on the source. `live`: a live screen with a memory, and whether it follows the present or looks back. */
export type Abilities = { readonly mode: 'live' | 'replay'; readonly keys?: KeySet; readonly mouse?: boolean; /** A command of `run` has a pane. */ readonly command?: boolean; readonly live?: 'following' | 'back'; readonly speed: boolean; readonly seek: boolean; readonly charts: boolean; readonly save: boolean }

/** Whether the keys of the time are the first ones a person needs. */
export const isWinding = (can: Abilities): boolean => can.seek && can.live !== 'following'

const key = (name: string, does: string): string => `  ${name.padEnd(20)} ${does}`

function timeKeys(can: Abilities): string[] {
  const below = can.keys === 'below', live = can.live === 'following', goTo = key(below ? 'j J  b' : 'b', `${below ? 'forth, back, or ' : ''}go to a time: 14:03:20, -5m, +30s`)
  const hold = can.live === 'back' ? 'stop; play on from here (after a mere pause: back to live)' : can.mode === 'live' ? 'hold the picture; recording and counting go on' : 'stop and go on'
  const step = live ? [key(below ? 'left  H' : 'h  H', `look back by 1 s, by 10 s${below ? '' : ' (also left)'}`), key('T', 'one sample back')]
    : [key(below ? 'left right  H L' : 'h l  H L', `back and forth by 1 s, by 10 s${below ? '' : ' (also left right)'}`), key('t T', 'one sample forth, back')]
  return [
    key('space', hold), ...(can.live === 'back' ? [key('end  0', 'back to live')] : []), ...(can.speed ? [key('+ -', 'play faster, slower (0.25 to 60 times)')] : []),
    ...(!can.seek ? [key('[ ]', 'the kill before, the kill after')] : [...step, goTo]),
    ...(can.seek && live ? [key('[', 'to the moment of the newest kill; enter opens its case'), key(']', 'the case of the newest kill')] : []),
    ...(can.seek && !live ? [key('[ ]', 'to the moment of the kill before, after; enter opens its case')] : []),
    ...(can.seek ? [key(live ? '{' : '{ }', `to the event before${live ? '' : ', after'}: a kill, or where tasks began to wait (X and ! of the bar)`)] : []),
  ]
}

export function helpLines(can: Abilities): string[] {
  const below = can.keys === 'below'
  const columns = OVERVIEW_COLUMNS.map((column) => key(column.title.replace(/^\//, ''), column.help))
  return [
    'oomscope shows who is near a memory limit, who waits for memory, and what the OOM killer did. All times are UTC.', '',
    'Keys',
    key(below ? 'up down  ^N ^P' : 'up down  j k', 'select; g G first and last; PgUp PgDn, ^U ^D by pages'),
    key('enter', 'open what is selected; esc goes back'),
    key(below ? '< >  , .' : '< >', 'on the page of a workload: the one before, after'),
    ...(can.command === true ? [key('^]', 'the pane of the command; from there, back to the pages')] : []),
    key('/', 'filter by name, container or command: regular expression; ns: in front looks at the namespace, ! inverts; enter keeps it, esc clears it'),
    key(below ? 's  , .  S' : 's  < >  I', 'sort menu; sort by the column before or after; reverse'),
    key(below ? 'P  U  O' : 'P  U  S  O', `sort by pressure (SOME%), by USED, ${below ? '' : 'by STALL, '}by OOM kills`),
    key('C  x', 'choose columns; next theme (dark, light, 16 colours, mono)'),
    key('F', 'follow the selected workload: when it is replaced, its successor is selected'),
    key('m', can.mouse === true ? 'mouse off, so that the terminal selects text. Click selects, again opens; headers sort, the bar of time jumps' : 'mouse on'),
    ...timeKeys(can),
    ...TABS.map((tab) => key(tab.key, tab.help)),
    key('K', 'all kills, newest first; enter opens one'),
    ...(can.seek ? [key('enter', 'on the page of a kill: to its moment')] : []),
    key('tab', 'on the page of a kill: its evidence in full, and back; on the stalls of a small screen: the other pane'),
    key('y', 'on the page of a kill or a workload: copy it as text (by the terminal, OSC 52)'),
    ...(can.save ? [key('E  ^S', 'on the page of a kill: write it as Markdown and JSON into the current directory')] : []),
    key('e', `the tree of cgroups, and back; left right * ${below ? 'f = ' : ''}close and open. On the stalls: each cgroup, or each workload`),
    ...(can.charts ? [key('D', 'charts of the node')] : []),
    key(below ? '?  F1  h' : '?  F1', 'this page'),
    key('q  ^C', 'quit'), '',
    'Signs',
    key('!!  !', 'act now; have a look. The pane below, or enter, says why'),
    key('·  -', 'zero; not known here (for example no PSI on cgroup v1)'),
    key('~', 'an estimate'),
    key('━━━╸··┃', 'used share of the limit; the stroke is the highest of the last 60 s'),
    key('^', 'the limit of a level above the workload binds'),
    key('X  !  on the bar', 'a kill; a PSI trigger of the kernel'),
    key('●  ○', 'on the page of spikes: one that kubectl top missed; one that it showed, or not known'),
    key('▁▂▃▄▅▆▇█', 'PSI some of the node: up to 0.5, 1, 2, 5, 10, 20, 40, 100 per cent of a second'), '',
    'Columns',
    ...columns, '',
    'Columns of the kills',
    ...KILL_COLUMNS.map((column) => key(column.title, column.help)), '',
    'Columns of the spikes',
    ...SPIKE_COLUMNS.filter(({ title }) => title !== '').map((column) => key(column.title, column.help)),
    key('=  >', 'before PEAK: exact; at least so high'), '',
    'Columns of the stalls',
    ...STALL_COLUMNS.map((column) => key(column.title, column.help)),
  ]
}
