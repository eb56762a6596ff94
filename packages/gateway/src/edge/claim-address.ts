import { createServer } from 'node:net'

/**
 * Gives the address with the port that the system chose where 0 is asked for, and makes sure that nobody else listens there: listeners that share a port would
 * otherwise join those of another process without a word.
 *
 * @throws Error with `code` EADDRINUSE, EACCES or EADDRNOTAVAIL
 */
export async function claimAddress({
  host,
  port,
}: {
  readonly host: string
  readonly port: number
}): Promise<{ readonly host: string; readonly port: number }> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen({ host, port }, resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new TypeError('a TCP listener has an address and a port')
  return { host: address.address, port: address.port }
}
