/** The other side of the benchmark, a process of its own: `fake-cri-main SOCKET PODS CONTAINERS CHURN_PER_SECOND events|no-events`. */
import { rmSync } from 'node:fs'
import { FakeCri, podOf, uidOf } from './fake-cri.ts'

const [path = '', pods, containers, churn, events] = process.argv.slice(2), fake = new FakeCri(path)
fake.hasEvents = events === 'events'
/** A pod that died is still known for a while, as the kubelet keeps its last containers: ten seconds at five deaths a second. */
const DEAD_PODS = 50
let next = 0, dying = 0
for (; next < Number(pods); next++) fake.add(podOf(next, Number(containers)))
rmSync(path, { force: true })
await fake.listen()
process.stdout.write('listening\n')

/** The oldest living pod dies, a new one is born: told as events, and as a line for whoever plays the kernel: the dead; the pod's uid; sandbox and containers. */
function turn(): void {
  const oldest = fake.pods.get(uidOf(dying)), born = podOf(next++, Number(containers))
  if (oldest === undefined) return
  for (const dead of oldest.containers) {
    Object.assign(dead, { state: 'exited', exitCode: 137, reason: 'OOMKilled', finishedMs: Date.now() })
    fake.tell(oldest, dead.id, 2)
  }
  fake.pods.delete(uidOf(dying - DEAD_PODS))
  dying += 1
  fake.add(born)
  for (const { id } of born.containers) {
    fake.tell(born, id, 0)
    fake.tell(born, id, 1)
  }
  const idsOf = (of: readonly { readonly id: string }[]): string => of.map(({ id }) => id).join(' ')
  process.stdout.write(`${idsOf(oldest.containers)};${born.uid};${born.sandboxId} ${idsOf(born.containers)}\n`)
}
if (Number(churn) > 0) setInterval(turn, 1000 / Number(churn))
process.stdin.on('end', () => process.exit(0)).resume()
