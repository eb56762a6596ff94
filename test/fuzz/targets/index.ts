import type { Target } from '../target.ts'
import * as access from './access.ts'
import * as condition from './condition.ts'
import * as configuration from './configuration.ts'
import * as contract from './contract.ts'
import * as edge from './edge.ts'
import * as identity from './identity.ts'
import * as log from './log.ts'
import * as screens from './screens.ts'
import * as streams from './streams.ts'

export const targets: readonly Target[] = [access, condition, configuration, contract, edge, identity, log, screens, streams].flatMap((group): Target[] =>
  Object.values(group),
)
