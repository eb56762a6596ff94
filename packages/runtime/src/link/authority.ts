import type { GatewayAddress } from '../enrolment/index.ts'

/** `host:port`, with brackets around an IPv6 address. */
export function formatAuthority({ host, port }: GatewayAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
