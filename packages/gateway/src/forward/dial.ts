import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls, type SecureContext } from 'node:tls'
import { objectionTo, parseAddress, type Address, type AddressRules } from './address.ts'

/** Names to addresses. */
export interface Resolver {
  /** All addresses of the name, in the order to try them. Rejects when there are none. */
  resolve(host: string): Promise<readonly string[]>
}

export interface DialTarget {
  /** A name or an IP address without brackets. */
  readonly host: string
  readonly port: number
  readonly addresses: AddressRules
  /** `isNamed` false: the certificate names no host, and whoever dials looks at it afterwards. */
  readonly tls: { readonly context: SecureContext; readonly serverName: string; readonly isNamed?: boolean } | undefined
  readonly connectMs: number
}

/** No address of the upstream may be dialled. Nothing was sent. */
export class AddressRefused extends Error {
  override readonly name = 'AddressRefused'
}

/** The connection was not ready in time. Nothing was sent. */
export class DialTimeout extends Error {
  override readonly name = 'DialTimeout'
}

/** How many addresses of one name are tried. */
const attemptsMax = 4

/**
 * Connects to one permitted address of the target, encrypted and authenticated where the target has `tls`.
 *
 * The address that was classified is the very one that is dialled: nothing resolves a second time, so a name that changes its answer between the check and the
 * use (DNS rebinding) gains nothing. Pinned addresses are dialled without asking the resolver.
 *
 * Rejects with `AddressRefused`, `DialTimeout`, or the last connection's error; never later than `connectMs`.
 */
export function dial(target: DialTarget, resolver: Resolver): Promise<Socket> {
  const givingUp = new AbortController()
  return within({ promise: dialEach(target, resolver, givingUp.signal), cancel: () => givingUp.abort() }, target.connectMs)
}

async function dialEach(target: DialTarget, resolver: Resolver, signal: AbortSignal): Promise<Socket> {
  const addresses = permittedAddresses(target, await candidates(target, resolver))
  const attemptMs = Math.max(1, Math.floor(target.connectMs / addresses.length))
  let failure: unknown
  for (const address of addresses) {
    if (signal.aborted) break
    const attempt = connectTo(target, address)
    signal.addEventListener('abort', attempt.cancel, { once: true })
    try {
      return await within(attempt, attemptMs)
    } catch (error) {
      failure = error
    } finally {
      signal.removeEventListener('abort', attempt.cancel)
    }
  }
  throw failure ?? new DialTimeout('given up')
}

async function candidates({ host, addresses }: DialTarget, resolver: Resolver): Promise<readonly string[]> {
  if (addresses.pin.length > 0) return addresses.pin.map(({ text }) => text)
  return parseAddress(host) ? [host] : resolver.resolve(host)
}

function permittedAddresses({ host, addresses }: DialTarget, texts: readonly string[]): readonly Address[] {
  const objections: string[] = []
  const permitted: Address[] = []
  for (const text of texts) {
    const address = parseAddress(text)
    const objection = address ? objectionTo(address, addresses) : `${JSON.stringify(text)} is not an address`
    if (objection !== undefined) objections.push(objection)
    else if (address) permitted.push(address)
  }
  if (permitted.length === 0) throw new AddressRefused(`${host}: ${objections.join(', ') || 'no address'}`)
  return permitted.slice(0, attemptsMax)
}

interface Attempt<Result> {
  readonly promise: Promise<Result>
  readonly cancel: () => void
}

function connectTo({ port, tls }: DialTarget, { text: host }: Address): Attempt<Socket> {
  const socket = tls
    ? connectTls({
        host,
        port,
        secureContext: tls.context,
        // Node checks the certificate against `servername`, or against `host` where the upstream is named by its address.
        ...(parseAddress(tls.serverName) ? {} : { servername: tls.serverName }),
        ALPNProtocols: ['http/1.1'],
        ...(tls.isNamed === false && { checkServerIdentity: () => undefined }),
        rejectUnauthorized: true, // said aloud, so that NODE_TLS_REJECT_UNAUTHORIZED changes nothing
      })
    : connectTcp({ host, port })
  socket.setNoDelay(true)
  socket.setKeepAlive(true, keepAliveProbeMs)
  const promise = new Promise<Socket>((resolve, reject) => {
    // The listener stays: an error before the next owner listens would otherwise end the process.
    socket.on('error', reject)
    socket.once(tls ? 'secureConnect' : 'connect', () => resolve(socket))
  })
  return { promise, cancel: () => socket.destroy() }
}

const keepAliveProbeMs = 60_000

async function within<Result>(attempt: Attempt<Result>, ms: number): Promise<Result> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      attempt.cancel()
      reject(new DialTimeout(`not connected within ${ms} ms`))
    }, ms)
  })
  try {
    return await Promise.race([attempt.promise, late])
  } finally {
    clearTimeout(timer)
  }
}
