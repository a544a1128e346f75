/** The sources of names of this node, cheapest first: what is there is found, what a person names is used, what is `off` is left alone. */
import { hostname } from 'node:os'
import { usageError } from '../base/errors.ts'
import { CriSource } from '../identity/cri/source.ts'
import { DOCKER_PID_FILE, DOCKER_SOCKET, DockerSource, PODMAN_SOCKET } from '../identity/docker/source.ts'
import { apiReader, kubeletReader, type ReaderOptions } from '../identity/kubernetes/readers.ts'
import { PodSource } from '../identity/kubernetes/source.ts'
import type { NameSource } from '../identity/name-source.ts'
import { SystemdSource } from '../identity/systemd/source.ts'
import { PodLogSource } from '../identity/pod-log-source.ts'
import { systemctl } from '../source/systemctl.ts'
import { isSet, textOf } from './args.ts'
import type { Options } from './args.ts'

/** Nothing is started yet. `isEager`: also those that otherwise wait for a reason. */
export function nameSources(options: Options, isEager = false): NameSource[] {
  if (isSet(options, 'no-names')) {
    const given = ['cri', 'docker', 'podman', 'kubelet', 'kubeconfig', 'node', 'systemd'].find((name) => textOf(options, name) !== undefined)
    if (given !== undefined) throw usageError('bad-option', `cannot use --no-names with --${given}: they contradict each other`, 'leave one of them out')
    return []
  }
  if (!['off', undefined].includes(textOf(options, 'systemd'))) throw usageError('bad-option', '--systemd can only be off', 'without it systemd is asked where it is this machine\'s init')
  const wanted = (name: string): string | undefined => { const text = textOf(options, name); return text === 'off' ? undefined : text }, isOff = (name: string): boolean => textOf(options, name) === 'off'
  const docker = wanted('docker'), podman = wanted('podman'), reader = readerOptions(options, wanted('kubeconfig'))
  return [
    new PodLogSource(), ...(isOff('cri') ? [] : [new CriSource(wanted('cri'))]),
    ...(isOff('docker') ? [] : [new DockerSource('docker', docker ?? DOCKER_SOCKET, { isNamed: docker !== undefined, isEager, pidFile: DOCKER_PID_FILE })]),
    // podman needs no daemon: the one behind its socket comes and goes, so nothing tells that it runs.
    ...(isOff('podman') ? [] : [new DockerSource('podman', podman ?? PODMAN_SOCKET, { isNamed: podman !== undefined, isEager: isEager && podman !== undefined })]),
    ...(isOff('kubelet') ? [] : [new PodSource('kubelet', kubeletReader(reader))]), ...(isOff('kubeconfig') ? [] : [new PodSource('kubernetes', apiReader(reader))]),
    ...(isOff('systemd') ? [] : [new SystemdSource(systemctl)]),
  ]
}

/** A pod is told its node by the downward API, if at all; elsewhere the kubelet takes the host's name (pkg/util/node). */
const readerOptions = (options: Options, kubeconfig: string | undefined): ReaderOptions => ({
  kubeconfig, serviceHost: process.env['KUBERNETES_SERVICE_HOST'], servicePort: process.env['KUBERNETES_SERVICE_PORT'], kubelet: textOf(options, 'kubelet'), node: textOf(options, 'node') ?? process.env['NODE_NAME'] ?? hostname().toLowerCase(),
})
