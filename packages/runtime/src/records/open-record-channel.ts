import { Fault, type LoggingConfiguration } from '@sallyport/contract'
import type { Clock } from '../link/clock.ts'
import { openLink } from '../link/gateway-link.ts'
import type { IdentitySource } from '../link/identity-source.ts'
import { parseAuditTarget } from './audit-target.ts'
import { openChannel, type ChannelTrouble, type RecordChannel } from './record-channel.ts'

export interface RecordChannelOptions {
  readonly identity: IdentitySource
  readonly logging: LoggingConfiguration
  readonly clock: Clock
  /** A fresh UUID, such as `crypto.randomUUID()`. */
  readonly newRun: () => string
  /** The first of a row of failures, a certificate that is not renewed among them; for the operator's eyes. */
  readonly report: (trouble: ChannelTrouble | unknown) => void
}

/**
 * Opens the channel to `logging.audit_target` over connections of its own, so that no other traffic of the agent holds records or heartbeats up. Both sides show
 * certificates: the agent its own, the gateway one of the authority that the agent enrolled under. Resolves before the gateway has answered.
 *
 * @throws Fault when there is no usable identity.
 */
export async function openRecordChannel({ identity, logging, clock, newRun, report }: RecordChannelOptions): Promise<RecordChannel> {
  const gateway = parseAuditTarget(logging.audit_target)
  if (!gateway) throw new Fault(`${logging.audit_target} names no port that there is`, 'not-done')
  const link = await openLink({ identity, gateway, clock, report })
  const channel = openChannel({ ...logging, send: link.request, clock, newRun, report })
  return {
    ...channel,
    close: async () => {
      await channel.close()
      await link.close()
    },
  }
}
