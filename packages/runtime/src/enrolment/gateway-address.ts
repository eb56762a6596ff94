import { isIP } from 'node:net'

export interface GatewayAddress {
  readonly host: string
  readonly port: number
}

const hostPort = /^(?:\[([0-9a-f:.]+)\]|([a-zA-Z0-9.-]{1,253})):([0-9]{1,5})$/

/** `gateway.example.com:8443`, `127.0.0.1:8443` or `[::1]:8443`; undefined for anything else. */
export function parseGatewayAddress(text: string): GatewayAddress | undefined {
  const [, six, name, portText] = hostPort.exec(text) ?? []
  const host = six ?? name
  const port = Number(portText)
  if (host === undefined || port < 1 || port > 65_535 || (six !== undefined && isIP(six) !== 6)) return undefined
  return { host, port }
}
