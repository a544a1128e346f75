/** How a dockerd and a podman are started that touch nothing of this machine: directories, socket and cgroups of their own, no network, no firewall, no systemd. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import type { RuntimePlace } from '../leftovers.ts'
import type { EngineName, Launch } from './engine.ts'
import { engineProgram } from './programs.ts'

/** Why there can be none here. */
export function engineMissing(name: EngineName): string | undefined {
  for (const program of name === 'docker' ? ['dockerd', 'containerd', 'runc'] : ['podman', 'conmon', 'runc']) {
    const found = engineProgram(program)
    if (found === undefined) return `${program} is not there (Debian: make deps-test)`
    try {
      execFileSync(found.file, ['--version'], { env: found.env, stdio: 'pipe' })
    } catch (error) {
      return `${program} cannot run: ${String(error).split('\n')[0]}`
    }
  }
  return undefined
}

export function launchOf(name: EngineName, place: RuntimePlace): Launch {
  mkdirSync(place.directory, { recursive: true })
  return name === 'docker' ? dockerd(place) : podman(place)
}

const programOf = (name: string): NonNullable<ReturnType<typeof engineProgram>> => engineProgram(name) ?? { file: name, env: process.env }

/** It starts a containerd of its own. */
function dockerd({ directory, cgroupRoot }: RuntimePlace): Launch {
  const { file, env } = programOf('dockerd')
  writeFileSync(`${directory}/daemon.json`, '{}')
  const own = [`--config-file=${directory}/daemon.json`, `--host=unix://${directory}/e.sock`, `--data-root=${directory}/root`, `--exec-root=${directory}/exec`, `--pidfile=${directory}/d.pid`, '--group=root']
  const network = ['--bridge=none', '--iptables=false', '--ip6tables=false', '--ip-forward=false', '--ip-masq=false', '--userland-proxy=false']
  return { name: 'docker', file, env, args: [...own, ...network, '--storage-driver=vfs', '--exec-opt=native.cgroupdriver=cgroupfs'], parent: `${cgroupRoot}/docker`, prefix: '' }
}

const quoted = (values: readonly string[]): string => `[${values.map((value) => JSON.stringify(value)).join(', ')}]`

/** The environment of conmon, which calls podman again when a container ends. */
function podman({ directory, cgroupRoot }: RuntimePlace): Launch {
  const { file, env, unpacked } = programOf('podman'), names = ['PATH', 'LD_LIBRARY_PATH'].filter((name) => env[name] !== undefined)
  mkdirSync(`${directory}/.config/containers`, { recursive: true })
  writeFileSync(`${directory}/.config/containers/policy.json`, '{"default":[{"type":"insecureAcceptAnything"}]}')
  writeFileSync(`${directory}/storage.conf`, `[storage]\ndriver = "vfs"\ngraphroot = "${directory}/root"\nrunroot = "${directory}/run"\n`)
  // Limits that need no capability; locks in files and not in /dev/shm, where those of the machine's own podman are.
  writeFileSync(`${directory}/containers.conf`, `[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[network]
network_config_dir = "${directory}/net"
[engine]
runtime = "runc"
lock_type = "file"
conmon_env_vars = ${quoted(names.map((name) => `${name}=${env[name]}`))}
${unpacked === undefined ? '' : `conmon_path = ["${unpacked}/bin/conmon"]`}
`)
  const own = ['--root', `${directory}/root`, '--runroot', `${directory}/run`, '--tmpdir', `${directory}/tmp`, '--runtime-flag', `root=${directory}/runc`]
  return {
    name: 'podman', file, parent: `${cgroupRoot}/libpod_parent`, prefix: 'libpod-',
    args: [...own, '--storage-driver', 'vfs', '--cgroup-manager', 'cgroupfs', '--events-backend', 'file', 'system', 'service', '--time', '0', `unix://${directory}/e.sock`],
    env: { ...env, HOME: directory, TMPDIR: directory, CONTAINERS_CONF: `${directory}/containers.conf`, CONTAINERS_STORAGE_CONF: `${directory}/storage.conf` },
  }
}
