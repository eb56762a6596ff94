import { Fault, refused, type Refused } from '@sallyport/contract'
import type { AccessRequest } from '../access/access-request.ts'
import { isStreamed } from '../policy/question.ts'
import type { PolicySnapshot } from '../policy/snapshot.ts'
import { payloadOf, type CitedPayload, type Payloads, type PayloadSeal, type SealedPayload } from './payload.ts'

export interface CapturePorts {
  readonly seal: PayloadSeal
  readonly payloads: Payloads
  readonly now: () => number
  readonly report: (event: string, fault: unknown) => void
}

/** Sealed bytes of one data plane that may wait for the disk at once; past it, callers are told to come back. */
export const payloadBytesWaitingMax = 67_108_864
/** For arguments to be durable. */
export const payloadKeptMsMax = 5_000

/** What was kept of the arguments of one call. Disposed of, it is destroyed, unless an entry cites it or may do so. */
export interface Captured extends AsyncDisposable {
  readonly kind: 'captured'
  /** For the entry; undefined where nothing was to be kept. */
  readonly cited: CitedPayload | undefined
  isCited: boolean
}

/**
 * Keeps the arguments of calls as the configuration has it, before they are decided: an entry cites only what is durable.
 *
 * A call whose arguments must be kept and cannot be is refused, or whoever wants no trace would only have to fill the disk.
 */
export class Capture {
  readonly #ports: CapturePorts
  #bytesWaiting = 0

  constructor(ports: CapturePorts) {
    this.#ports = ports
  }

  /** Refuses `access.unsupported-media` for a body that passes unread, `audit.payload-unavailable`, `audit.payloads-full` and `edge.overloaded`. What it has kept is durable when it resolves, which may take seconds. */
  async keep({ capture }: Pick<PolicySnapshot, 'capture'>, request: AccessRequest | undefined): Promise<Captured | Refused> {
    if (!request) return kept(undefined, nothing) // it is no call
    const { principal, upstream, action } = request
    const mode = request.standing === 'call' ? capture.modeFor({ tenant: principal.tenant, agent: principal.agent, upstream, action }) : 'off'
    // Or whoever wants no trace would only have to call JSON something else.
    if (mode !== 'off' && isStreamed(request.call))
      return refused('access.unsupported-media', 'the arguments must be kept, and the body passes unread', { detail: unreadDetail })
    const payload = mode === 'off' ? undefined : payloadOf(request, capture.redacting)
    if (payload === undefined) return kept(undefined, nothing)
    const { seal, now } = this.#ports
    if (mode === 'digest') return kept(seal.digest(principal.tenant, payload), nothing)
    const sealed = seal.seal(request, payload, now())
    return (await this.#write(sealed)) ?? kept(sealed.cited, () => this.#drop(sealed.cited))
  }

  /** Undefined once the arguments are durable. */
  async #write(sealed: SealedPayload): Promise<Refused | undefined> {
    const { payloads, report } = this.#ports
    const { length } = sealed.bytes
    if (this.#bytesWaiting + length > payloadBytesWaitingMax)
      return refused('edge.overloaded', 'too many arguments wait for the disk', { retryAfterSeconds: 1 })
    this.#bytesWaiting += length
    const keeping = payloads.keep(sealed).finally(() => (this.#bytesWaiting -= length))
    const { promise: late, resolve } = Promise.withResolvers<'late'>()
    const timer = setTimeout(() => resolve('late'), payloadKeptMsMax)
    try {
      const answer = await Promise.race([keeping, late])
      if (answer === 'kept') return undefined
      if (answer === 'full') return refused('audit.payloads-full', 'what may be kept of arguments, of this agent or in all, is used up')
      void keeping.then(
        () => this.#drop(sealed.cited),
        () => undefined,
      )
      return refused('audit.payload-unavailable', 'the disk did not take the arguments in time')
    } catch (fault) {
      if (!(fault instanceof Fault)) throw fault
      report('payload.not-kept', fault)
      return refused('audit.payload-unavailable', fault.message)
    } finally {
      clearTimeout(timer)
    }
  }

  /** What cannot be destroyed now is when the gateway starts again, since no entry cites it. */
  async #drop({ digest }: CitedPayload): Promise<void> {
    await this.#ports.payloads.drop(digest).catch((fault: unknown) => this.#ports.report('payload.not-dropped', fault))
  }
}

function kept(cited: CitedPayload | undefined, drop: () => Promise<void>): Captured {
  const captured: Captured = {
    kind: 'captured',
    cited,
    isCited: false,
    [Symbol.asyncDispose]: async () => {
      if (!captured.isCited) await drop()
    },
  }
  return captured
}

const unreadDetail = 'The arguments of this call must be kept: send its body as application/json, or the operator leaves such calls out of capture.'

async function nothing(): Promise<void> {}
