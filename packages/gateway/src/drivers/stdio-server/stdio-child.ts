import { Fault, refused, type Json, type JsonObject } from '@sallyport/contract'
import type { JsonRpcId, JsonRpcMessage, JsonRpcNotification, JsonRpcRequest, JsonRpcResponse } from '../../access/access-request.ts'
import { isJsonObject, paramsOf } from '../../access/mcp/json-rpc.ts'
import { eraOf, legacyRevision, metaOf } from '../../access/mcp/revision.ts'
import { brokenAnswer } from '../../forward/exchange.ts'
import { declaredCapabilities } from '../../forward/mcp/client-capabilities.ts'
import { answerForAgent } from '../../forward/mcp/server-requests.ts'
import { readUpstreamMessage } from '../../forward/mcp/upstream-reply.ts'
import { ChildProgram, type ProgramTerms } from './child-program.ts'
import { MessageQueue } from './message-queue.ts'
import { LineCutter } from './read-lines.ts'

export interface ChildTerms extends ProgramTerms {
  readonly serverRequests: ReadonlySet<string>
  readonly messageBytesMax: number
  readonly startDeadlineMs: number
  readonly requestDeadlineMs: number
  readonly version: string
}

interface InFlight {
  readonly session: string
  readonly id: JsonRpcId
  readonly progressToken: Json | undefined
  readonly queue: MessageQueue
}

/** Requests that one child works on at once. */
export const inFlightMax = 256
/** Readers of what a child says unasked. */
export const listenersMax = 64
/** Requests of the child that wait for the agent. */
const askedMax = 64

/** One MCP server in one child process, shared by the sessions of one agent. */
export class StdioChild {
  readonly #terms: ChildTerms
  readonly #cutter: LineCutter
  readonly #inFlight = new Map<number, InFlight>()
  readonly #listeners = new Set<MessageQueue>()
  /** The child's own requests, by the request of the agent that carries them. */
  readonly #asked = new Map<JsonRpcId, number>()
  #program: ChildProgram | undefined
  #nextId = 1
  #isUp = false
  #broken: Fault | undefined
  /** What the server answered to `initialize`; rejects with a Fault when it does not come up. */
  readonly initialized: Promise<JsonObject>
  /** Resolves when the process is gone. */
  readonly ended: Promise<void>
  /** Called whenever a reader comes or goes. */
  readonly #onUse: () => void
  readonly #onToolsChanged: () => void

  constructor(terms: ChildTerms, onUse: () => void, onToolsChanged: () => void) {
    this.#terms = terms
    this.#onUse = onUse
    this.#onToolsChanged = onToolsChanged
    this.#cutter = new LineCutter(terms.messageBytesMax)
    const starting = ChildProgram.start(terms, (bytes) => this.#take(bytes))
    this.ended = starting.then(
      async (program) => {
        await program.ended
        this.#break(new Fault('the server ended', 'unknown'))
      },
      () => undefined,
    )
    this.initialized = this.#initialize(starting)
    this.initialized.catch(() => undefined) // every user of the child awaits it; nobody need be there when it fails
  }

  get pid(): number | undefined {
    return this.#program?.pid
  }

  get errors(): string {
    return this.#program?.errors ?? ''
  }

  /** Up and without a reader; a child that is starting has someone waiting for it. */
  get isIdle(): boolean {
    return this.#isUp && this.#inFlight.size === 0 && this.#listeners.size === 0
  }

  get isFull(): boolean {
    return this.#inFlight.size >= inFlightMax || this.#listeners.size >= listenersMax
  }

  /** It is of no more use, even where its process has not ended yet. */
  get isBroken(): boolean {
    return this.#broken !== undefined
  }

  request(session: string, request: JsonRpcRequest, signal: AbortSignal, deadlineMs = this.#terms.requestDeadlineMs): AsyncIterable<JsonRpcMessage> {
    const own = this.#nextId++
    const params = paramsOf(request)
    const meta = metaOf(params)
    const { progressToken } = meta
    const late = brokenAnswer(refused('forward.upstream-timeout', `the server did not answer within ${deadlineMs} ms`))
    const timer = setTimeout(() => queue.finish(late), deadlineMs)
    const abort = (): void => queue.finish(new Fault('the caller went away', 'unknown'))
    const queue: MessageQueue = new MessageQueue(this.#terms.messageBytesMax, () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
      for (const [id, carrier] of this.#asked) if (carrier === own) this.#asked.delete(id) // nobody is left to answer
      // Still listed: the response has not come, so the server works for nobody.
      if (this.#inFlight.delete(own)) this.#send(cancellation(own))
      this.#onUse()
    })
    if (this.#broken) {
      queue.finish(this.#broken)
      return queue
    }
    this.#inFlight.set(own, { session, id: request.id, progressToken, queue })
    this.#onUse()
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true })
    const ownParams = progressToken === undefined ? params : { ...params, _meta: { ...meta, progressToken: own } }
    const hasParams = request.value['params'] !== undefined
    this.#send({ jsonrpc: '2.0', id: own, method: request.method, ...(hasParams && { params: ownParams }) })
    return queue
  }

  notify(session: string, { method, value }: JsonRpcNotification): void {
    const params = paramsOf({ kind: 'notification', method, value })
    if (method !== 'notifications/cancelled') {
      this.#send(value)
      return
    }
    for (const [own, call] of this.#inFlight) {
      if (call.session !== session || call.id !== params['requestId']) continue
      this.#inFlight.delete(own)
      this.#send(cancellation(own))
      call.queue.finish(new Fault('the caller cancelled', 'unknown'))
      return
    }
  }

  respond(response: JsonRpcResponse): void {
    if (response.id !== undefined && this.#asked.delete(response.id)) this.#send(response.value)
  }

  listen(signal: AbortSignal): AsyncIterable<JsonRpcMessage> {
    const leave = (): void => queue.finish()
    const queue: MessageQueue = new MessageQueue(this.#terms.messageBytesMax, () => {
      signal.removeEventListener('abort', leave)
      this.#listeners.delete(queue)
      this.#onUse()
    })
    this.#listeners.add(queue)
    this.#onUse()
    if (signal.aborted || this.#broken) leave()
    else signal.addEventListener('abort', leave, { once: true })
    return queue
  }

  async stop(): Promise<void> {
    this.#break(new Fault('the server is stopped', 'unknown'))
    await this.#program?.stop()
    await this.ended
  }

  async #initialize(starting: Promise<ChildProgram>): Promise<JsonObject> {
    this.#program = await starting.catch((error: unknown) => {
      throw this.#break(new Fault('the server cannot be started', 'not-done', error))
    })
    if (this.#broken) {
      await this.#program.stop()
      throw this.#broken
    }
    const { version, serverRequests, startDeadlineMs } = this.#terms
    const params = { protocolVersion: legacyRevision, capabilities: declaredCapabilities(serverRequests), clientInfo: { name: 'sallyport', version } }
    const handshake: JsonRpcRequest = { kind: 'request', id: 0, method: 'initialize', value: { jsonrpc: '2.0', id: 0, method: 'initialize', params } }
    try {
      for await (const message of this.request('', handshake, new AbortController().signal, startDeadlineMs)) {
        if (message.kind !== 'response') continue
        const { result } = message.value
        const revision = isJsonObject(result) ? result['protocolVersion'] : undefined
        if (!isJsonObject(result) || typeof revision !== 'string' || eraOf(revision) !== 'legacy') break
        this.#send({ jsonrpc: '2.0', method: 'notifications/initialized' })
        this.#isUp = true
        this.#onUse()
        return result
      }
    } catch (error) {
      throw error instanceof Fault ? this.#break(error) : error // one that did not come up in time makes room for another
    }
    throw this.#break(new Fault('the handshake of the server gives no known revision', 'unknown'))
  }

  #take(bytes: Uint8Array): void {
    if (this.#broken) return
    try {
      for (const line of this.#cutter.take(bytes)) {
        if (line.length > 0) this.#dispatch(readUpstreamMessage(line, this.#terms.messageBytesMax), line.length)
      }
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      this.#break(error) // whatever follows garbage may be the rest of it
    }
  }

  #dispatch(message: JsonRpcMessage, bytes: number): void {
    switch (message.kind) {
      case 'response':
        return this.#dispatchResponse(message, bytes)
      case 'notification':
        return this.#dispatchNotification(message, bytes)
      case 'request':
        return this.#dispatchRequest(message, bytes)
    }
  }

  #dispatchResponse(message: JsonRpcResponse, bytes: number): void {
    const own = message.id
    if (typeof own !== 'number' || own < 1 || own >= this.#nextId) throw new Fault('a response to no request', 'unknown')
    const call = this.#inFlight.get(own)
    if (!call) return // cancelled; the answer comes late
    this.#inFlight.delete(own)
    call.queue.push({ ...message, id: call.id, value: { ...message.value, id: call.id } }, bytes)
    call.queue.finish()
  }

  #dispatchNotification(message: JsonRpcNotification, bytes: number): void {
    if (message.method === 'notifications/tools/list_changed') this.#onToolsChanged()
    if (message.method !== 'notifications/progress') {
      for (const listener of this.#listeners) listener.push(message, bytes)
      return
    }
    const params = paramsOf(message)
    const { progressToken: own } = params
    const call = typeof own === 'number' ? this.#inFlight.get(own) : undefined
    if (call?.progressToken === undefined) return
    call.queue.push({ ...message, value: { ...message.value, params: { ...params, progressToken: call.progressToken } } }, bytes)
  }

  /** A request of the child says nothing of whom it is for; so it goes out only when all that is in flight belongs to one session. */
  #dispatchRequest(message: JsonRpcRequest, bytes: number): void {
    const calls = [...this.#inFlight]
    const [carrier, newest] = calls.at(-1) ?? []
    const isClear = newest !== undefined && newest.session !== '' && calls.every(([, { session }]) => session === newest.session)
    if (carrier === undefined || !isClear || !this.#terms.serverRequests.has(message.method) || this.#asked.size >= askedMax) {
      this.#send(answerForAgent(message).value)
      return
    }
    this.#asked.set(message.id, carrier)
    newest.queue.push(message, bytes)
  }

  #send(value: JsonObject): void {
    if (this.#broken || !this.#program) return
    if (!this.#program.write(JSON.stringify(value))) this.#break(new Fault('the server does not read its input', 'unknown'))
  }

  #break(fault: Fault): Fault {
    if (this.#broken) return this.#broken
    this.#broken = fault
    const calls = [...this.#inFlight.values()]
    this.#inFlight.clear()
    for (const { queue } of calls) queue.finish(fault)
    for (const listener of this.#listeners) listener.finish()
    this.#program?.kill()
    return fault
  }
}

function cancellation(requestId: number): JsonObject {
  return { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId } }
}
