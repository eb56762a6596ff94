import { refused, type Refused } from '@sallyport/contract'
import type { Pause } from '../sessions/deadline.ts'
import type { SessionId } from '../sessions/session.ts'
import type { LoginRequest, Logins } from './logins.ts'
import type { DeviceStart } from './provider.ts'

/** Device logins that wait for their person at once. */
export const deviceLoginsMax = 64
/** However long the provider would let a person take. */
const deviceMsMax = 900_000
const requestMsMax = 15_000
/** RFC 8628 section 3.5: so much slower after each `slow_down`. */
const slowerSeconds = 5
/** Outcomes that are remembered for whoever started them. */
const outcomesMax = 256

export interface DeviceLoginsPorts {
  readonly logins: Pick<Logins, 'complete' | 'objectionTo'>
  readonly now: () => number
  readonly newId: () => string
  readonly pause: Pause
  readonly report: (event: string, error: unknown) => void
}

export type DeviceOutcome = { readonly kind: 'waiting' } | { readonly kind: 'opened'; readonly session: SessionId } | Refused

/**
 * Logins where the person has no browser that reaches this gateway: they type a code at the provider. Only where the operator allows it for that provider, since
 * nothing of ours shows the person which agent it is for.
 *
 * @see RFC 8628
 */
export class DeviceLogins {
  readonly #ports: DeviceLoginsPorts
  readonly #outcomes = new Map<string, DeviceOutcome>()
  readonly #closing = new AbortController()
  #waiting = 0

  constructor(ports: DeviceLoginsPorts) {
    this.#ports = ports
  }

  /** Refuses `control.conflict`, `login.refused`, `login.provider-failed`. */
  async start(request: LoginRequest): Promise<
    | Refused
    | {
        readonly kind: 'started'
        readonly id: string
        readonly userCode: string
        readonly verificationUri: string
        readonly verificationUriComplete: string | undefined
        readonly expiresAt: number
      }
  > {
    const { name, allowsDevice } = request.provider.definition
    if (!allowsDevice) {
      const detail = `The device flow is off for ${name}: nothing would show the person which agent it is for. "device: true" allows it.`
      return refused('control.conflict', detail, { detail })
    }
    if (this.#waiting >= deviceLoginsMax) {
      const detail = 'Too many device logins wait for their person.'
      return refused('control.conflict', detail, { detail })
    }
    const started = await request.provider.startDevice(AbortSignal.timeout(requestMsMax))
    if ('problem' in started) return started
    const id = this.#ports.newId()
    const expiresAt = this.#ports.now() + Math.min(deviceMsMax, started.expiresInSeconds * 1000)
    this.#set(id, { kind: 'waiting' })
    this.#waiting += 1
    void this.#wait(request, started, expiresAt)
      .catch((error: unknown) => {
        this.#ports.report('device-login', error)
        return refused('login.provider-failed')
      })
      .then((outcome) => this.#set(id, outcome))
      .finally(() => (this.#waiting -= 1))
    const { userCode, verificationUri, verificationUriComplete } = started
    return { kind: 'started', id, userCode, verificationUri, verificationUriComplete, expiresAt }
  }

  /** Undefined for a login that is none of these. */
  outcome(id: string): DeviceOutcome | undefined {
    return this.#outcomes.get(id)
  }

  close(): void {
    this.#closing.abort()
  }

  async #wait(request: LoginRequest, { deviceCode, intervalSeconds }: DeviceStart, expiresAt: number): Promise<DeviceOutcome> {
    let seconds = Math.max(1, intervalSeconds)
    while (this.#ports.now() + seconds * 1000 < expiresAt) {
      await this.#ports.pause(seconds * 1000, this.#closing.signal)
      if (this.#closing.signal.aborted) return refused('login.refused', 'the gateway stopped')
      const polled = await request.provider.pollDevice(deviceCode, AbortSignal.timeout(requestMsMax))
      switch (polled.kind) {
        case 'pending':
          continue
        case 'slow-down':
          seconds += slowerSeconds
          continue
        case 'refused':
          return polled
        case 'done':
          return (await this.#ports.logins.objectionTo(request, polled.loggedIn)) ?? this.#ports.logins.complete(request, polled.loggedIn)
      }
    }
    return refused('login.refused', 'the person did not confirm in time')
  }

  #set(id: string, outcome: DeviceOutcome): void {
    this.#outcomes.set(id, outcome)
    for (const oldest of this.#outcomes.keys()) {
      if (this.#outcomes.size <= outcomesMax) break
      this.#outcomes.delete(oldest)
    }
  }
}
