import { Fault } from '@sallyport/contract'

export interface HostAndPort {
  readonly host: string
  readonly port: number
}

/** `host:port` or `[address]:port`, as the schema lets through. */
export function addressOf(text: string): HostAndPort {
  const colon = text.lastIndexOf(':')
  return { host: text.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(text.slice(colon + 1)) }
}

/** Whether only this host reaches what listens there. */
export function isLoopback({ host }: Pick<HostAndPort, 'host'>): boolean {
  return host === 'localhost' || host === '::1' || /^127\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}$/.test(host)
}

/** Opens one listener; `off` opens none. @throws Fault that says which address is taken and what to change */
export async function listening<Listener>(
  field: 'listen' | 'enrolment' | 'operations' | 'sessions.listen' | 'log.listen',
  address: string,
  open: (address: HostAndPort) => Promise<Listener>,
): Promise<Listener | undefined> {
  if (address === 'off') return undefined
  try {
    return await open(addressOf(address))
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    throw new Fault(`cannot listen on ${address} (${code}): change "${field}" in the configuration or stop what uses it`, 'not-done', error)
  }
}
