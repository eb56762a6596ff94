import { parseGatewayAddress, type GatewayAddress } from '../enrolment/gateway-address.ts'

const scheme = 'agentport://'

/** The address in `agentport://host:port`; undefined for anything else. */
export function parseAuditTarget(text: string): GatewayAddress | undefined {
  return text.startsWith(scheme) ? parseGatewayAddress(text.slice(scheme.length)) : undefined
}
