import { createHash } from 'node:crypto'
import { isIP } from 'node:net'
import { connect, type DetailedPeerCertificate } from 'node:tls'
import { Fault, type Thumbprint } from '@sallyport/contract'
import type { GatewayAddress } from './gateway-address.ts'

const handshakeMsMax = 10_000
/** The leaf and its root; a longer chain is not ours. */
const chainMax = 4

/**
 * Fetches the root certificate with this fingerprint from whoever answers at the address, and sends them nothing.
 *
 * The chain is only a hint here: a copy of the root proves nothing about its sender. Whoever uses the root must connect again and verify the peer under it.
 *
 * @throws Fault `not-done` when nobody answers, or not with this root
 */
export async function fetchPinnedRoot({ host, port }: GatewayAddress, fingerprint: Thumbprint): Promise<string> {
  const chain = await presentedChain(host, port)
  const root = chain.find((der) => createHash('sha256').update(der).digest('base64url') === fingerprint)
  if (root) return `-----BEGIN CERTIFICATE-----\n${root.toString('base64').replace(/(.{64})(?=.)/g, '$1\n')}\n-----END CERTIFICATE-----\n`
  throw new Fault(`${host}:${port} is not the gateway that the token names: its root is another one; nothing was sent`, 'not-done')
}

function presentedChain(host: string, port: number): Promise<Buffer[]> {
  return new Promise((resolve, reject) => {
    const fail = (message: string, cause?: unknown): void => {
      socket.destroy()
      reject(new Fault(`${host}:${port} ${message}`, 'not-done', cause))
    }
    // Verification comes with the second connection; the first has no authority to verify under yet.
    const socket = connect({ host, port, rejectUnauthorized: false, minVersion: 'TLSv1.3', ...(isIP(host) === 0 && { servername: host }) })
    const timer = setTimeout(() => fail(`did not answer within ${handshakeMsMax} ms`), handshakeMsMax)
    socket.once('error', (error) => fail(`cannot be reached: ${error.message}`, error))
    socket.once('close', () => clearTimeout(timer))
    socket.once('secureConnect', () => {
      resolve(chainOf(socket.getPeerCertificate(true)))
      socket.destroy()
    })
  })
}

function chainOf(leaf: DetailedPeerCertificate): Buffer[] {
  const chain: Buffer[] = []
  let next: DetailedPeerCertificate | undefined = leaf
  while (next?.raw !== undefined && chain.length < chainMax) {
    chain.push(next.raw)
    next = next.issuerCertificate === next ? undefined : next.issuerCertificate
  }
  return chain
}
