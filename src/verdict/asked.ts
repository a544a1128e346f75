/** What a piece of advice is given about. */
import type { KillCase } from '../model/case.ts'
import type { NodeModel } from '../model/node.ts'
import type { Finding } from './finding.ts'
import type { ReasonName } from './reason.ts'

export type Asked = { readonly model: NodeModel; readonly target: KillCase; readonly finding: Finding; readonly reasons: ReadonlySet<ReasonName> }

/** Anonymous memory is why reclaim could not help. */
export const isAnonymous = ({ reasons }: Asked): boolean => reasons.has('anonymous') || reasons.has('anonymous-no-swap')
