import type { TLSSocket } from 'node:tls'
import { refused, unreachable, type Refused } from '@sallyport/contract'
import type { AgentLoad } from './agent-loads.ts'
import { UnsendableAnswer } from './answer-head.ts'
import { writeAnswer } from './answer-writer.ts'
import { BodyIntake } from './body-intake.ts'
import { never, type CoarseTime } from './coarse-time.ts'
import type { ConnectionEnd, EdgeEvent } from './edge-event.ts'
import { parseHead, type Head } from './head-parser.ts'
import { BodyError, type Answer, type Connection, type Inbound } from './inbound.ts'
import { InboundRequest } from './inbound-request.ts'
import type { EdgeLimits } from './limits.ts'
import { Outlet } from './outlet.ts'
import { problemAnswer } from './problem-answer.ts'

/** What all connections of one listener share. */
export interface ListenerScope {
  readonly limits: EdgeLimits
  readonly time: CoarseTime
  readonly load: { requestsInFlight: number; isDraining: boolean }
  readonly handle: (inbound: Inbound) => Promise<Answer>
  readonly clock: () => number
  readonly newId: () => string
  readonly observe: (event: EdgeEvent) => void
}

/**
 * `idle` between requests, `head` once its first byte is here, `exchange` from a whole head to the end of its answer, `skipping` the rest of a body nobody
 * read, `closing` after the last answer, `gone`.
 */
type Phase = 'idle' | 'head' | 'exchange' | 'skipping' | 'closing' | 'gone'

const noBytes = Buffer.alloc(0)
const continueLine = Buffer.from('HTTP/1.1 100 Continue\r\n\r\n', 'latin1')
const closeLine = 'connection: close\r\n'
/** What a caller may still send while we hang up, so that our last answer is not lost to a reset. */
const lingerBytesMax = 1024 * 1024

/** One caller's connection: its requests one after the other, never two at once. */
export class CallerConnection {
  readonly peer: Connection
  readonly #socket: TLSSocket
  readonly #agent: AgentLoad
  readonly #scope: ListenerScope
  readonly #outlet: Outlet
  readonly #body: BodyIntake
  readonly #keepAliveLines: string
  #phase: Phase = 'idle'
  /** Bytes after the message that is being read. */
  #pending: Buffer = noBytes
  #scanned = 0
  #request: InboundRequest | undefined
  #isLast = false
  #lingeredBytes = 0
  #due: number
  #end: ConnectionEnd | undefined

  constructor(socket: TLSSocket, peer: Connection, agent: AgentLoad, scope: ListenerScope, closed: (connection: CallerConnection, end: ConnectionEnd) => void) {
    this.peer = peer
    this.#socket = socket
    this.#agent = agent
    this.#scope = scope
    this.#outlet = new Outlet(socket, scope.time, scope.limits.writeStallMs)
    this.#body = new BodyIntake(
      scope.limits,
      scope.time,
      () => this.#outlet.write(continueLine),
      () => this.#steer(),
    )
    this.#keepAliveLines = `connection: keep-alive\r\nkeep-alive: timeout=${Math.floor(scope.limits.keepAliveMs / 1000)}\r\n`
    this.#due = scope.time.after(scope.limits.keepAliveMs)
    socket.setNoDelay(true)
    socket.on('error', () => undefined) // `close` follows
    socket.on('data', (chunk: Buffer) => this.#receive(chunk))
    socket.on('end', () => this.#hearEnd())
    socket.on('finish', () => (this.#due = scope.time.after(scope.limits.lingerMs)))
    socket.on('close', () => {
      this.#leave()
      closed(this, this.#end ?? 'caller')
    })
  }

  /** Ends the connection now, whatever is in flight; the signal of its request aborts before this returns. */
  destroy(end: ConnectionEnd): void {
    this.#end ??= end
    this.#leave()
    this.#socket.destroy()
  }

  /** Takes no request any more; the one in flight finishes. */
  drain(): void {
    if (this.#phase === 'idle') this.#close('drained')
  }

  /** Acts on the deadlines that have passed. */
  sweep(nowMs: number): void {
    if (this.#due <= nowMs) this.#expire()
    if (this.#body.expire(nowMs) && this.#phase === 'skipping') this.#close('timeout')
    if (this.#outlet.stallDue <= nowMs) this.destroy('stalled')
  }

  #expire(): void {
    switch (this.#phase) {
      case 'idle':
        return this.#close('idle')
      case 'head':
        return this.#refuse(refused('edge.timeout', 'the head did not arrive in time'), 'timeout')
      case 'closing':
        return this.destroy('finished')
      case 'exchange':
      case 'skipping':
      case 'gone':
        this.#due = never
        return
      default:
        return unreachable(this.#phase)
    }
  }

  #receive(chunk: Buffer): void {
    if (this.#phase === 'gone') return
    if (this.#phase === 'closing') {
      this.#lingeredBytes += chunk.length
      if (this.#lingeredBytes > lingerBytesMax) this.destroy('finished')
      return
    }
    const offset = this.#receiveBody(chunk)
    if (offset < chunk.length) {
      const rest = offset === 0 ? chunk : chunk.subarray(offset)
      this.#pending = this.#pending.length === 0 ? rest : Buffer.concat([this.#pending, rest])
    }
    if (this.#phase === 'idle' || this.#phase === 'head') this.#advance()
    else this.#steer()
  }

  #receiveBody(bytes: Buffer): number {
    if (!this.#body.isArriving) return 0
    const end = this.#body.receive(bytes)
    if (this.#body.failure) {
      this.#isLast = true
      if (this.#phase === 'skipping') this.#close('refused')
    } else if (this.#phase === 'skipping' && !this.#body.isArriving) {
      this.#become('idle')
    }
    return end
  }

  #become(phase: 'idle' | 'head'): void {
    const { limits, time } = this.#scope
    this.#phase = phase
    this.#due = time.after(phase === 'idle' ? limits.keepAliveMs : limits.headMs)
  }

  /** Reads the next head as far as it is here. */
  #advance(): void {
    if (this.#pending.length === 0) {
      if (this.#phase === 'idle' && this.#scope.load.isDraining) this.#close('drained')
      return
    }
    const parsed = parseHead(this.#pending, this.#scanned, this.#scope.limits)
    switch (parsed.kind) {
      case 'refused':
        return this.#refuse(parsed, 'refused')
      case 'incomplete':
        this.#scanned = parsed.scanned
        if (this.#phase === 'idle') this.#become('head')
        return this.#steer()
      case 'head':
        return this.#begin(parsed)
      default:
        return unreachable(parsed)
    }
  }

  #begin(head: Head): void {
    const { limits, load, clock, newId } = this.#scope
    this.#phase = 'exchange'
    this.#due = never
    this.#isLast = head.fields.isLast
    const rest = this.#pending.subarray(head.end)
    this.#scanned = 0
    const body = this.#body.open(head.fields)
    const offset = this.#receiveBody(rest)
    if (body?.failure) return this.#refuse(refused(body.failure.code, body.failure.message), 'refused')
    this.#pending = rest.subarray(offset)
    this.#steer()
    if (load.isDraining) return this.#refuse(refused('edge.draining', undefined, { retryAfterSeconds: 1 }), 'drained')
    const request = new InboundRequest(newId(), clock(), this.peer, head, body)
    this.#request = request
    if (load.requestsInFlight >= limits.requestsInFlight) void this.#turnAway(request, 'the gateway is at its limit of requests in flight')
    else if (this.#agent.requestsInFlight >= limits.requestsInFlightPerAgent) void this.#turnAway(request, 'the agent is at its limit of requests in flight')
    else void this.#serve(request)
  }

  async #serve(request: InboundRequest): Promise<void> {
    const { load } = this.#scope
    load.requestsInFlight++
    this.#agent.beginRequest()
    try {
      await this.#reply(request.id, await this.#ask(request), request.method === 'HEAD')
    } finally {
      load.requestsInFlight--
      this.#agent.endRequest()
    }
    this.#finish()
  }

  async #turnAway(request: InboundRequest, reason: string): Promise<void> {
    const { problem } = refused('edge.overloaded', reason, { retryAfterSeconds: 1 })
    this.#scope.observe({ kind: 'request-refused', id: request.id, code: problem.code, reason, connection: this.peer })
    await this.#reply(request.id, problemAnswer(problem, request.id), request.method === 'HEAD')
    this.#finish()
  }

  async #ask(request: InboundRequest): Promise<Answer> {
    try {
      return await this.#scope.handle(request)
    } catch (error) {
      if (error instanceof BodyError) return problemAnswer({ code: error.code }, request.id)
      return this.#fault(request.id, error)
    }
  }

  #fault(id: string, error: unknown): Answer {
    this.#scope.observe({ kind: 'request-failed', id, error, connection: this.peer })
    return problemAnswer({ code: 'gateway.fault' }, id)
  }

  async #reply(id: string, answer: Answer, isHeadOnly: boolean): Promise<void> {
    this.#isLast ||= this.#scope.load.isDraining || !this.#body.canBeSkipped
    const connectionLines = this.#isLast ? closeLine : this.#keepAliveLines
    const form = { isHeadOnly, connectionLines, headBytesMax: this.#scope.limits.answerHeadBytes }
    try {
      await writeAnswer(this.#outlet, answer, form)
    } catch (error) {
      const fault = this.#fault(id, error)
      if (error instanceof UnsendableAnswer) await writeAnswer(this.#outlet, fault, form)
      else this.destroy('answer-broke') // without the end of its framing, so that the caller sees that something is missing
    }
  }

  #finish(): void {
    if (this.#phase !== 'exchange') return
    this.#request = undefined
    if (this.#isLast || this.#body.failure) return this.#close('finished')
    if (this.#body.isArriving) {
      this.#phase = 'skipping'
      this.#body.discard()
      return
    }
    this.#become('idle')
    this.#advance()
  }

  /** Answers without asking the handler. What follows on this connection cannot be trusted to be a request, so it is the last answer. */
  #refuse({ problem, reason }: Refused, end: ConnectionEnd): void {
    const { newId, observe } = this.#scope
    const id = newId()
    observe({ kind: 'request-refused', id, code: problem.code, reason, connection: this.peer })
    this.#phase = 'exchange'
    this.#due = never
    this.#end ??= end
    this.#isLast = true
    this.#body.drop()
    this.#pending = noBytes
    void this.#reply(id, problemAnswer(problem, id), false).then(() => this.#finish())
  }

  /** Hangs up once everything is sent; what still comes in is dropped. */
  #close(end: ConnectionEnd): void {
    this.#end ??= end
    this.#phase = 'closing'
    this.#due = this.#scope.time.after(this.#scope.limits.writeStallMs)
    this.#body.fail('the connection closed within the body') // for a reader that outlived the answer
    this.#body.drop()
    this.#pending = noBytes
    this.#outlet.flush()
    this.#steer()
    this.#socket.end()
  }

  #hearEnd(): void {
    // A caller that hangs up while it is being served does not want the answer any more.
    if (this.#phase === 'exchange' || this.#phase === 'skipping') this.destroy('caller')
  }

  #leave(): void {
    if (this.#phase === 'gone') return
    this.#phase = 'gone'
    this.#due = never
    this.#pending = noBytes
    this.#body.fail('the connection ended within the body')
    this.#request?.abandon()
    this.#outlet.leave()
  }

  /** Reads from the socket unless that would buffer more than one body buffer or one next head. */
  #steer(): void {
    const isFull = this.#phase !== 'closing' && (this.#body.isHeld || this.#pending.length > this.#scope.limits.headBytes)
    if (isFull) this.#socket.pause()
    else if (this.#socket.isPaused()) this.#socket.resume()
  }
}
