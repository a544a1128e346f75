/** The pages that a digit leads to from anywhere: what they are called, and their place in the key bar. */
import type { Page, Ui } from './ui.ts'

export type Tab = { readonly key: string; readonly page: Page; readonly title: string; /** One line for the help page. */ readonly help: string }

export const TABS: readonly Tab[] = [
  { key: '1', page: 'overview', title: 'overview', help: 'every workload: who is near a limit, who waits, who was killed' },
  { key: '2', page: 'node', title: 'node', help: 'the whole node: memory, pressure, reclaim, zones against their watermarks, free blocks, slab caches' },
  { key: '3', page: 'stalls', title: 'stalls', help: 'who waited for memory in the last two minutes: how long, when, and for what' },
  { key: '4', page: 'spikes', title: 'spikes', help: 'peaks of up to a minute: how high, against which limit, and what kubectl top showed meanwhile' },
  { key: '5', page: 'kills', title: 'kills', help: 'all kills, newest first (also K)' },
  { key: '6', page: 'health', title: 'health', help: 'can this be trusted: rungs, losses, self-tests, and what oomscope itself costs' },
]

/** Tabs are peers: Esc leads from each of them to the overview. */
export function openTab(ui: Ui, key: string): Ui | undefined {
  const tab = TABS.find((candidate) => candidate.key === key)
  if (tab === undefined) return undefined
  return { ...ui, page: tab.page, back: tab.page === 'overview' ? [] : ['overview'], scroll: 0, inFull: false, picked: undefined, pickedTop: 0 }
}

/** Key bar entries: the tabs, the open one without its key. */
export const tabKeys = (page: Page): readonly (readonly [key: string, does: string])[] => TABS.filter((tab) => tab.page !== page).map(({ key, title }) => [key, title] as const)
