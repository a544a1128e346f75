/** Everything a frame shows, taken from the model at one moment: a picture that a pause can hold while the model goes on. */
import type { NodeModel } from '../model/node.ts'
import { casePage } from '../view/case-page.ts'
import type { CasePage } from '../view/case-page.ts'
import { timeOf } from '../view/clock.ts'
import { detailOf } from '../view/detail.ts'
import type { DetailLine } from '../view/detail.ts'
import { healthPage } from '../view/health-page.ts'
import type { Costs } from '../view/health-page.ts'
import { killRows } from '../view/kills-list.ts'
import type { KillRow } from '../view/kills-list.ts'
import type { Lens } from '../view/lens.ts'
import { momentOf } from '../view/moment.ts'
import { nodeSheet } from '../view/node-sheet.ts'
import { overviewRows } from '../view/overview.ts'
import type { OverviewRow } from '../view/overview.ts'
import { podPage } from '../view/pod-page.ts'
import type { PodPage } from '../view/pod-page.ts'
import type { Sheet, TableSection } from '../view/sheet.ts'
import { pressureStarts } from '../view/pressures.ts'
import { spikeSentences } from '../view/spike-detail.ts'
import { summaryOf, toldSpikes } from '../view/spike-facts.ts'
import { spikesHeadline } from '../view/spike-report.ts'
import { spikeRows } from '../view/spikes-list.ts'
import type { SpikeRow } from '../view/spikes-list.ts'
import { stallSentences, waitersSection } from '../view/stall-detail.ts'
import { heatOf, stallRows } from '../view/stalls.ts'
import type { StallRow } from '../view/stalls.ts'
import { statusOf } from '../view/status-line.ts'
import type { Status } from '../view/status-line.ts'
import type { Story } from '../view/story.ts'
import type { Range, TimelineColumns } from '../view/timeline.ts'
import { selectTree, treeRows } from '../view/tree.ts'
import type { TreeChoice, TreeRow } from '../view/tree.ts'
import { commandsIn } from '../view/commands.ts'
import { listOf, selectRows } from '../view/select.ts'
import type { RowList } from '../view/select.ts'

/** What of the ui decides which rows are shown. */
export type Choice = TreeChoice & { readonly tree: boolean }
const isSame = (a: Choice, b: Choice): boolean => a.tree === b.tree && a.filter === b.filter && a.folded === b.folded && a.sort.key === b.sort.key && a.sort.inverted === b.sort.inverted

export type Scene = {
  readonly nowNs: number
  readonly time: string
  readonly rows: readonly OverviewRow[]
  /** The rows in the order shown: the same list as long as the same is asked for. */
  readonly select: (choice: Choice) => RowList
  /** Computed when the tree is looked at. */
  readonly treeRows: () => readonly TreeRow[]
  /** Looks at once at what its rows look at late: the model goes on, the picture does not. */
  readonly hold: () => void
  readonly kills: readonly KillRow[]
  /** Share of the recording that has been looked through for kills. */
  readonly progress: number
  /** The whole recording, in replay. */
  readonly range: Range | undefined
  /** Live, but looking back: the present. */
  readonly liveNs: number | undefined
  readonly status: Status
  readonly timeAt: (tsNs: number) => string
  readonly detailOf: (row: OverviewRow) => readonly DetailLine[]
  readonly podPage: (row: OverviewRow) => PodPage | undefined
  readonly casePage: (kill: KillRow) => CasePage
  readonly caseLines: (kill: KillRow) => readonly string[]
  /** In replay of the whole recording. */
  readonly pressureStarts: () => readonly number[]
  readonly timelineOf: (columns: number) => TimelineColumns
  readonly healthPage: () => Sheet
  readonly nodeSheet: () => Sheet
  /** In replay those of the whole recording, as far as it has been looked through; newest first. */
  readonly spikes: () => { readonly rows: readonly SpikeRow[]; readonly headline: string }
  readonly spikeSentences: (row: SpikeRow) => readonly DetailLine[]
  /** Computed when they are looked at. */
  readonly stallRows: (byCgroup: boolean) => readonly StallRow[]
  readonly heatOf: (row: StallRow, seconds: number) => readonly (readonly number[])[]
  readonly stallSentences: (row: StallRow) => readonly DetailLine[]
  readonly stallWaiters: (row: StallRow) => TableSection
}

/** In replay the bar is the whole recording, and the picture stands somewhere in it; so it does on a live bar when it looks back. */
export const cursorOf = (scene: Scene): number | undefined => (scene.range === undefined && scene.liveNs === undefined ? undefined : scene.nowNs)

/** The model of the picture, what has happened (in replay also later), and in replay from when to when the recording is. */
export type SceneOf = {
  readonly lens: Lens; readonly model: NodeModel; readonly story: Story; readonly range?: Range | undefined; readonly liveNs?: number | undefined
  /** What this program costs; only live. */
  readonly costs?: Costs | undefined
}

export function sceneOf({ lens, model, story, range, liveNs, costs }: SceneOf): Scene {
  const { cases } = story.model, moment = momentOf(lens, model, cases), rows = overviewRows(moment), { nowNs } = model, kills = killRows(lens, story.model)
  let spikes: ReturnType<Scene['spikes']> | undefined, timeline: { readonly columns: number; readonly line: TimelineColumns } | undefined, tree: readonly TreeRow[] | undefined, last: { readonly choice: Choice; readonly list: RowList } | undefined
  const trees = (): readonly TreeRow[] => tree ??= treeRows(moment)
  const commandsOf = commandsIn(model)
  const select = (choice: Choice): RowList => {
    if (last === undefined || !isSame(last.choice, choice)) last = { choice, list: choice.tree ? selectTree(trees(), { ...choice, commandsOf }) : listOf(selectRows(rows, { ...choice, commandsOf })) }
    return last.list
  }
  const stalls = new Map<boolean, readonly StallRow[]>(), details = new Map<OverviewRow, readonly DetailLine[]>()
  return {
    nowNs, rows, kills, range, liveNs, progress: story.progress, time: timeOf(model, nowNs), status: statusOf(lens, model, { rows, cases }),
    treeRows: trees, select, hold: () => { for (const row of [...rows, ...trees()]) row.minute() },
    timeAt: (tsNs) => timeOf(model, tsNs), detailOf: (row) => { const known = details.get(row) ?? detailOf(model, { row, kills }); details.set(row, known); return known },
    podPage: (row) => podPage(moment, row),
    casePage: ({ killCase }) => casePage({ lens, model: story.model, killCase, moment: story.moments.of(killCase) }),
    caseLines: (kill) => lens.caseLines(kill.killCase, story.model),
    timelineOf: (columns) => { if (timeline?.columns !== columns) timeline = { columns, line: story.timeline.columns(story.model, { columns, nowNs: liveNs ?? nowNs, range }) }; return timeline.line },
    pressureStarts: () => pressureStarts(story.model),
    healthPage: () => healthPage(model, costs), nodeSheet: () => nodeSheet(model),
    spikes: () => spikes ??= { rows: spikeRows(lens, story.model), headline: spikesHeadline(summaryOf(toldSpikes(story.model), story.model.spikes.omitted)) }, spikeSentences,
    stallRows: (byCgroup) => { const known = stalls.get(byCgroup) ?? stallRows(lens, model, { rows, byCgroup }); stalls.set(byCgroup, known); return known },
    heatOf: (row, seconds) => heatOf(model, row.memcgIds, seconds), stallSentences: (row) => stallSentences(model, row), stallWaiters: (row) => waitersSection(lens, model, row),
  }
}
