import { isIP } from 'node:net'
import { connect, type TLSSocket } from 'node:tls'
import { Fault } from '@sallyport/contract'
import type { Destination } from '../../export/destination.ts'
import type { ReceiverSettings } from '../../export/export-settings.ts'

/** For a connection to stand, its certificate checked. */
export const connectMs = 10_000
/** For a receiver to take what it was sent. */
export const sendMs = 30_000
/** For a receiver to read to the end, and end the connection in turn. */
export const confirmMs = 30_000

/**
 * A receiver of messages over TLS. Such protocols have no answer that says "kept", and what a kernel has taken may never be read; so the connection is ended to
 * confirm: a receiver ends it in turn only after it has read everything in front of the end. Node does not tell whether that end was authentic (close_notify), so
 * whoever can alter the network between can forge it.
 *
 * @see RFC 5425 section 4.4
 */
export function tlsReceiver(settings: ReceiverSettings, deadlines = { connectMs, sendMs, confirmMs }): Destination {
  let socket: TLSSocket | undefined
  const name = `${settings.host}:${settings.port}`
  const close = (): void => {
    socket?.destroy()
    socket = undefined
  }
  const within = async (ms: number, late: string, work: (socket: TLSSocket, done: () => void) => void): Promise<void> => {
    const current = socket
    if (!current) throw new Fault(`the connection to ${name} is gone`, 'unknown')
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const timer = setTimeout(() => reject(new Fault(`${name} ${late}`, 'unknown')), ms)
    const failed = (error?: Error): void =>
      reject(new Fault(`${name} ${error ? `cannot be used: ${reasonOf(error)}` : 'has ended the connection'}`, 'unknown', error))
    current.on('error', failed).on('close', failed)
    try {
      if (current.destroyed) failed()
      else work(current, resolve)
      await promise
    } catch (fault) {
      close()
      throw fault
    } finally {
      clearTimeout(timer)
      current.off('error', failed).off('close', failed)
    }
  }
  return {
    confirmAfterMs: 1_000,
    send: async (messages) => {
      if (!socket) {
        socket = open(settings)
        await within(deadlines.connectMs, 'does not answer', (current, done) => current.once('secureConnect', done))
      }
      const framed = messages.map((message) => (settings.framing === 'line' ? `${message}\n` : `${Buffer.byteLength(message)} ${message}`)).join('')
      // The callback comes when the system has taken all of it, so that no more than these wait here.
      await within(deadlines.sendMs, 'reads nothing', (current, done) => current.write(framed, (error) => error ?? done()))
    },
    confirm: async () => {
      if (!socket) return
      await within(deadlines.confirmMs, 'does not end the connection', (current, done) => current.once('end', done).end())
      close()
    },
    close,
  }
}

function open({ host, port, serverName, ca, certificate, key }: ReceiverSettings): TLSSocket {
  const asked = serverName ?? (isIP(host) === 0 ? host : undefined)
  const socket = connect({
    host,
    port,
    minVersion: 'TLSv1.2',
    // Some receivers choose their certificate by the name that is asked for.
    ...(asked !== undefined && { servername: asked }),
    ...(ca !== undefined && { ca }),
    ...(certificate !== undefined && { cert: certificate }),
    ...(key !== undefined && { key }),
  })
  // What a receiver says has no meaning, and its end must be seen.
  return socket.resume().on('error', () => undefined)
}

/** Never a word of the other side, such as the names in its certificate. */
function reasonOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : 'the connection failed'
}
