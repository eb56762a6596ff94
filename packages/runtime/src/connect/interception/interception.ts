import { createServer, type TLSSocket } from 'node:tls'
import type { Duplex } from 'node:stream'
import type { Clock } from '../../link/clock.ts'
import { leafLifetimeMs, signLeaf, type KeyAndCertificate, type RandomBytes } from './authority.ts'
import type { KeptAuthority } from './kept-authority.ts'

const handshakeMsMax = 5_000

/** Ends TLS at the bridge, for the hosts of an authority that programs on this machine were told to trust. */
export interface Interception {
  covers(host: string): boolean
  /** Speaks TLS as `host` on a socket; gives what is inside, or destroys the socket when the handshake fails, takes too long or is for another host. */
  open(socket: Duplex, host: string, inside: (secure: TLSSocket) => void): Promise<void>
  /** Cuts handshakes that are under way. */
  close(): void
}

export function interceptionBy(authority: KeptAuthority, { now }: Pick<Clock, 'now'>, random: RandomBytes): Interception {
  const hosts = new Set(authority.hosts)
  const leaves = new Map<string, { readonly leaf: Promise<KeyAndCertificate>; readonly madeMs: number }>()
  const shaking = new Set<Duplex>()

  /** Made when it is first needed, kept in memory alone, and made anew when half its life is over. */
  const leafFor = (host: string): Promise<KeyAndCertificate> => {
    const known = leaves.get(host)
    if (known && now() - known.madeMs < leafLifetimeMs / 2) return known.leaf
    const leaf = signLeaf(authority, host, now(), random)
    leaves.set(host, { leaf, madeMs: now() })
    leaf.catch(() => leaves.delete(host))
    return leaf
  }

  return {
    covers: (host) => hosts.has(host) && now() < authority.notAfterMs,
    open: async (socket, host, inside) => {
      const { key, cert } = await leafFor(host)
      const terminator = createServer({
        key,
        cert,
        minVersion: 'TLSv1.2',
        ALPNProtocols: ['http/1.1'],
        handshakeTimeout: handshakeMsMax,
        // RFC 6066 section 3: whoever asks for another host than the tunnel's gets no handshake.
        SNICallback: (name, done) => (name.toLowerCase() === host ? done(null) : done(new Error('the handshake is for another host'))),
      })
      const settle = (): void => void shaking.delete(socket)
      shaking.add(socket)
      socket.once('close', settle)
      terminator.once('tlsClientError', () => socket.destroy())
      terminator.once('secureConnection', (secure) => {
        settle()
        secure.on('error', () => secure.destroy())
        inside(secure)
      })
      terminator.emit('connection', socket)
    },
    close: () => {
      for (const socket of shaking) socket.destroy()
    },
  }
}
