import type { SignalEvent } from '@sallyport/contract'
import type { Pause } from '../sessions/deadline.ts'
import type { Signal } from './detector.ts'

/** A signal as its receiver is told of it. */
export interface Alert extends Signal {
  readonly time: string
  /** Of its entry in the log; absent where the log could not take it. */
  readonly index?: number
}

export type LeftOut = Readonly<Partial<Record<SignalEvent['kind'], number>>>

/** What the receiver gets; without an alert it only tells of what was left out. */
export interface Message {
  readonly alert: Alert | undefined
  /** Alerts that it was not told of, by their kinds. */
  readonly leftOut: LeftOut
}

/** Brings one message to its receiver, within a deadline of its own. Rejects where it is not known to have arrived. */
export type Deliver = (id: string, message: Message) => Promise<void>

export interface AlertHookPorts {
  readonly deliver: Deliver
  readonly newId: () => string
  readonly pause: Pause
  readonly nowMs: () => number
  readonly count: (result: 'sent' | 'failed' | 'left-out') => void
  /** The receiver fails; told once, until it works again. */
  readonly report: (error: unknown) => void
}

const turnMs = 60_000
/** Alerts that wait for their turn while the receiver is slow. */
export const alertsWaitingMax = 32
/** Milliseconds in front of each attempt to deliver a message; after the last, it counts as left out. */
const attemptPauses = [0, 1000, 4000]

/**
 * Tells a receiver of signals, one message after the other and at most so many a minute. Nobody waits for it. What has no room, and what did not arrive, is counted by its
 * kind and told with the next message; where there is none, with one of its own when the minute is over, so that no noise hides an alert for good.
 */
export class AlertHook {
  readonly #ports: AlertHookPorts
  readonly #perMinute: number
  readonly #closing = new AbortController()
  readonly #waiting: Alert[] = []
  readonly #leftOut = new Map<SignalEvent['kind'], number>()
  #turn = { left: 0, endsAtMs: Number.NEGATIVE_INFINITY }
  #isTelling = false
  #isFailing = false
  #sending: Promise<void> | undefined

  constructor(ports: AlertHookPorts, perMinute: number) {
    this.#ports = ports
    this.#perMinute = perMinute
  }

  offer(alert: Alert): void {
    if (this.#closing.signal.aborted) return
    if (this.#waiting.length >= alertsWaitingMax || !this.#takeTurn()) return this.#leaveOut(alert.kind)
    this.#waiting.push(alert)
    this.#send()
  }

  /** Gives up what waits. Resolves when nothing is on its way. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.#sending
  }

  #takeTurn(): boolean {
    const now = this.#ports.nowMs()
    if (now >= this.#turn.endsAtMs) this.#turn = { left: this.#perMinute, endsAtMs: now + turnMs }
    if (this.#turn.left === 0) return false
    this.#turn.left -= 1
    return true
  }

  #leaveOut(kind: SignalEvent['kind']): void {
    this.#ports.count('left-out')
    this.#leftOut.set(kind, (this.#leftOut.get(kind) ?? 0) + 1)
    if (!this.#isTelling) void this.#tellLater()
  }

  /** When the minute is over: of what no message has told meanwhile. */
  async #tellLater(): Promise<void> {
    const { signal } = this.#closing
    this.#isTelling = true
    while (!signal.aborted && this.#leftOut.size > 0) {
      await this.#ports.pause(Math.max(1, this.#turn.endsAtMs - this.#ports.nowMs()), signal)
      await this.#sending
      if (signal.aborted || this.#leftOut.size === 0 || !this.#takeTurn()) continue
      this.#send(true)
      await this.#sending
    }
    this.#isTelling = false
  }

  #send(isTellingOnly = false): void {
    this.#sending ??= this.#sendAll(isTellingOnly).finally(() => (this.#sending = undefined))
  }

  async #sendAll(isTellingOnly: boolean): Promise<void> {
    if (isTellingOnly) await this.#sendOne(undefined)
    for (let alert = this.#waiting.shift(); alert && !this.#closing.signal.aborted; alert = this.#waiting.shift()) await this.#sendOne(alert)
  }

  async #sendOne(alert: Alert | undefined): Promise<void> {
    const leftOut = [...this.#leftOut]
    this.#leftOut.clear()
    if (await this.#attempt({ alert, leftOut: Object.fromEntries(leftOut) })) return
    for (const [kind, count] of leftOut) this.#leftOut.set(kind, (this.#leftOut.get(kind) ?? 0) + count)
    if (alert) this.#leaveOut(alert.kind)
  }

  async #attempt(message: Message): Promise<boolean> {
    const { deliver, newId, pause, count, report } = this.#ports
    const { signal } = this.#closing
    const id = newId()
    let failure: unknown
    for (const pauseMs of attemptPauses) {
      if (pauseMs > 0) await pause(pauseMs, signal)
      if (signal.aborted) return false
      try {
        await deliver(id, message)
        count('sent')
        this.#isFailing = false
        return true
      } catch (error) {
        failure = error
      }
    }
    count('failed')
    if (!this.#isFailing) report(failure)
    this.#isFailing = true
    return false
  }
}
