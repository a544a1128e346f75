/** Keeps the witness alive: what watches an out-of-memory node must not be its next victim. */
import { writeFileSync } from 'node:fs'

/** Not -1000: should it ever leak, the kernel must still be able to end it. Children inherit it. */
const OOM_SCORE_ADJ = '-900'

/** Asks to be spared; without the right to (CAP_SYS_RESOURCE) everything stays as it is. */
export function protectFromOom(): void {
  try {
    writeFileSync('/proc/self/oom_score_adj', OOM_SCORE_ADJ)
  } catch {
    // EACCES for anybody but root: watching works all the same, and the bridge says so in a notice.
  }
}
