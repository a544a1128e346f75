/** Features are read from files; a tree in a temporary folder stands for /proc and /sys. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { detectKernelFeatures } from '../../../src/source/kernel-features.ts'
import { freshDirectories } from '../../helpers/files.ts'

const fresh = freshDirectories()

function tree(files: Readonly<Record<string, string>>): string {
  const root = fresh()
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  return root
}

const ROOT_STATUS = 'Name:\tnode\nUid:\t0\t0\t0\t0\nCapEff:\t000001ffffffffff\n'
const FORMAT = 'name: mark_victim\nID: 609\nformat:\n\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n\tfield:int pid;\toffset:8;\tsize:4;\tsigned:1;\n' +
  '\tfield:__data_loc char[] comm;\toffset:12;\tsize:4;\tsigned:0;\n\tfield:char name[16];\toffset:16;\tsize:16;\tsigned:0;\n\nprint fmt: "pid=%d", REC->other;\n'

test('a machine without kprobes and with a v1 memory controller is described as it is', async () => {
  const features = await detectKernelFeatures(tree({
    '/proc/self/status': ROOT_STATUS, '/proc/sys/kernel/osrelease': '6.18.44\n', '/proc/sys/kernel/arch': 'x86_64\n',
    '/proc/cgroups': '#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpu\t1\t1\t1\nmemory\t4\t13\t1\n', '/proc/kallsyms': '0000000000000000 T out_of_memory\n0000000000000000 t oom_badness\t[mod]\n0000000000000000 D jiffies\n',
    '/sys/kernel/tracing/available_events': 'oom:mark_victim\nvmscan:mm_vmscan_throttled\n', '/sys/kernel/tracing/events/oom/mark_victim/format': FORMAT, '/sys/kernel/tracing/events/oom/enable': '0',
    '/sys/kernel/security/lockdown': 'none [integrity] confidentiality\n',
  }))
  expect(features).toMatchObject({ release: '6.18.44', machine: 'x86_64', memcgHierarchyId: 4, memoryCgrpId: 4, kprobes: false, lockdown: 'integrity', functionsFrom: 'kallsyms', tracefsMountable: false, btfReason: 'no /sys/kernel/btf/vmlinux (CONFIG_DEBUG_INFO_BTF)' })
  expect(features.unprivileged).toBeUndefined()
  expect([...features.functions]).toEqual(['out_of_memory', 'oom_badness'])
  expect([...features.tracepoints]).toEqual(['oom:mark_victim', 'vmscan:mm_vmscan_throttled'])
  expect([...features.fields.get('oom/mark_victim') ?? []]).toEqual(['common_pid', 'pid', 'comm', 'name'])
})

test('available_filter_functions wins over kallsyms, and module names are cut off', async () => {
  const features = await detectKernelFeatures(tree({
    '/sys/kernel/tracing/events/header_page': '', '/sys/kernel/tracing/kprobe_events': '', '/sys/kernel/tracing/available_filter_functions': 'out_of_memory\noom_badness.part.0\nxfs_read [xfs]\n', '/proc/kallsyms': '0 T other\n',
  }))
  expect([...features.functions].filter(Boolean)).toEqual(['out_of_memory', 'oom_badness.part.0', 'xfs_read'])
  expect(features).toMatchObject({ functionsFrom: 'available_filter_functions', kprobes: true, memcgHierarchyId: 0 })
})

test('an unmounted tracefs is told apart from none', async () => {
  const mountable = tree({ '/proc/filesystems': 'nodev\tsysfs\nnodev\ttracefs\n', '/sys/kernel/tracing/.keep': '' })
  expect(await detectKernelFeatures(mountable)).toMatchObject({ tracefsMountable: true })
  expect(await detectKernelFeatures(tree({ '/proc/filesystems': 'nodev\tsysfs\n', '/sys/kernel/tracing/.keep': '' }))).toMatchObject({ tracefsMountable: false })
  expect((await detectKernelFeatures(mountable)).tracefs).toBeUndefined()
})

test.each([
  ['Uid:\t1000\t1000\t1000\t1000\nCapEff:\t0000000000000000\n', 'not root (uid 1000), and bpftrace needs root'],
  ['Uid:\t0\t0\t0\t0\nCapEff:\t00000000a80425fb\n', 'root without CAP_SYS_ADMIN, and without CAP_BPF with CAP_PERFMON'],
  ['Uid:\t0\t0\t0\t0\nCapEff:\t000000c000000000\n', undefined],
])('privileges in %j are %s', async (status, reason) => {
  expect((await detectKernelFeatures(tree({ '/proc/self/status': status }))).unprivileged).toBe(reason)
})

test('an empty tree is a kernel that allows nothing, not an error', async () => {
  expect(await detectKernelFeatures(tree({}))).toMatchObject({ release: '', kprobes: false, functionsFrom: 'nowhere', memcgHierarchyId: 0, unprivileged: 'not root (uid unknown), and bpftrace needs root' })
})

test('a tracefs that this user may not look into is not called unmounted', async () => {
  const mounted = await detectKernelFeatures(tree({ '/proc/self/mounts': 'sysfs /sys sysfs rw 0 0\ntracefs /sys/kernel/tracing tracefs rw,relatime 0 0\n', '/sys/kernel/tracing/.keep': '' }))
  expect(mounted).toMatchObject({ tracefsReason: 'tracefs is not readable for this user (/sys/kernel/tracing)' })
  expect(await detectKernelFeatures(tree({ '/proc/self/mounts': 'sysfs /sys sysfs rw 0 0\ntracefs /elsewhere tracefs rw 0 0\n' }))).toMatchObject({ tracefsReason: 'tracefs is not mounted' })
})
