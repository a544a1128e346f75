/** On cgroup v2 the memory controller is taken from a cgroup and given back while the bridge watches. Plain node. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { BridgeRun } from './bridge.ts'
import type { Lab } from './lab.ts'

const TOLD_MS = 100, TOLD_TRIES = 600
const WORDS: Readonly<Record<number, string>> = { 10: 'birth', 11: 'death', 13: 'usage' }

/** What was said of the cgroup, without repetitions, and of the one below it, which never had the controller. */
export type ControllerAway = { readonly said: readonly string[]; readonly saidBelow: readonly string[] }

export async function runControllerAway(lab: Lab, scratch: string): Promise<ControllerAway> {
  const top = lab.memcg('/away'), group = lab.remember(top.child('a').create()), below = lab.remember(group.child('b'))
  mkdirSync(below.directory)
  const { mount } = lab.options, bridge = await BridgeRun.start(mount, join(mount.directory, 'away'), `${scratch}/away.oom`, ['--max-processes', '0', '--keyframe-ms', '100'])
  const saidOf = (id: number): string[] => bridge.said(10, 11, 13).filter((row) => row[2] === id).map(([kind]) => WORDS[kind as number] ?? '').filter((word, i, all) => i === 0 || word !== all[i - 1])
  /** Keyframes repeat births and usage in turns: what counts is which word is said after which death. */
  const told = async (isSo: (said: readonly string[]) => boolean): Promise<void> => {
    for (let tries = 0; !isSo(saidOf(group.inode)) && tries < TOLD_TRIES; tries += 1) await wait(TOLD_MS)
  }
  try {
    await told((said) => said.includes('usage'))
    top.write('cgroup.subtree_control', '-memory')
    await told((said) => said.includes('death'))
    const keyframes = bridge.said(3).length
    for (let tries = 0; bridge.said(3).length < keyframes + 2 && tries < TOLD_TRIES; tries += 1) await wait(TOLD_MS)
    const without = saidOf(group.inode)
    top.write('cgroup.subtree_control', '+memory')
    await told((said) => said.lastIndexOf('usage') > said.indexOf('death'))
    const all = saidOf(group.inode), after = all.slice(without.length)
    return { said: [...without.slice(0, 2), ...without.slice(-1), ...after.slice(0, 2)], saidBelow: [...new Set(saidOf(below.inode))] }
  } finally {
    await bridge.end()
    await lab.clear()
  }
}
