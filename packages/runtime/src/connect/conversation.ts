import { Fault, unreachable, type Problem, type ProblemDocument } from '@sallyport/contract'
import type { Clock } from '../link/clock.ts'
import type { GatewayLink } from '../link/gateway-link.ts'
import { firstHeader, mediaType, type HeaderPairs } from '../link/header-pairs.ts'
import { discard, readBytes, separateProblem, type LinkAnswer } from '../link/read-answer.ts'
import { readEvents } from './event-stream.ts'
import { faultProblem } from './fault-problem.ts'
import { claimedVersion, isInitialize, messageHeaders, noSession, sessionHeaders, type LegacySession } from './message-headers.ts'
import { mirroredArguments } from './mirrored-arguments.ts'
import { isObject, readPeerMessage, type ClientMessage, type ClientRequest, type PeerMessage, type RpcId } from './rpc-message.ts'

export const conversationLimits = {
  requestsMax: 64,
  answerBytesMax: 16_777_216,
  answerMsMax: 600_000,
  /** For what is only taken in: notifications, responses, the end of a session. */
  acceptMsMax: 30_000,
  idleMsMax: 3_600_000,
  resumesMax: 5,
  pauseMsMin: 500,
  pauseMsMax: 30_000,
  goodbyeMsMax: 2_000,
} as const

export interface ConversationPorts {
  readonly link: Pick<GatewayLink, 'request'>
  /** The MCP endpoint of the gateway. */
  readonly path: string
  readonly clock: Clock
  /** Hands one message to the client; resolves when it takes more. */
  deliver(line: string): Promise<void>
  refuse(id: RpcId, problem: Problem | ProblemDocument): Promise<void>
  /** For what has no answer in the protocol. */
  report(problem: Problem | ProblemDocument | string): Promise<void>
}

export interface Conversation {
  /** Resolves when the next message may be read: requests run beside each other, everything that sets up the session in its order. */
  take(message: ClientMessage): Promise<void>
  /** Aborts everything under way. */
  cut(): void
  /** Waits for answers under way, at most `drainMs`, then cuts the rest and ends the session. */
  end(drainMs: number): Promise<void>
}

interface Running {
  readonly isModern: boolean
  /** A subscription has no end of its own. */
  readonly isEndless: boolean
  readonly abort: AbortController
  readonly done: Promise<void>
}

/** One client's side of MCP streamable HTTP. */
export function openConversation({ link, path, clock, deliver, refuse, report }: ConversationPorts): Conversation {
  const running = new Map<string, Running>()
  const mirrored = mirroredArguments()
  const whole = new AbortController()
  let session: LegacySession = noSession
  let handshake: { readonly initialize: ClientRequest; readonly initialized?: ClientMessage } | undefined
  let listening = new AbortController()
  let reopening: Promise<boolean> | undefined

  const post = (message: ClientMessage, signal: AbortSignal, headMsMax: number): Promise<LinkAnswer> => {
    const params =
      message.kind === 'request' && message.method === 'tools/call' && claimedVersion(message) !== undefined ? mirrored.headers(message.params) : []
    const headers = [...messageHeaders(message, session), ...params]
    return link.request({ method: 'POST', path, headers, body: Buffer.from(message.text), signal, headMsMax, idleMsMax: conversationLimits.idleMsMax })
  }

  /** Sends; where the gateway no longer knows the session (it restarted, say), opens a new one and sends once more: the first time had no effect. */
  const send = async (message: ClientMessage, signal: AbortSignal, headMsMax: number): Promise<LinkAnswer> => {
    const used = session
    const answer = await post(message, signal, headMsMax)
    if (answer.status !== 404 || used.id === undefined || isInitialize(message) || claimedVersion(message) !== undefined) return answer
    const isNew = reopening ? await reopening : used.id !== session.id || (await (reopening = reopen().finally(() => (reopening = undefined))))
    if (!isNew) return answer
    discard(answer, clock)
    return post(message, signal, headMsMax)
  }

  const reopen = async (): Promise<boolean> => {
    if (!handshake) return false
    const answer = await post(handshake.initialize, whole.signal, conversationLimits.acceptMsMax)
    if (answer.status !== 200) {
      discard(answer, clock)
      return false
    }
    openSession(answer)
    if (await relay(handshake.initialize, answer, whole.signal, async () => {})) return false
    if (handshake.initialized) {
      const accepted = await post(handshake.initialized, whole.signal, conversationLimits.acceptMsMax)
      discard(accepted, clock)
      listen()
    }
    return true
  }

  const openSession = ({ headers }: LinkAnswer): void => {
    listening.abort()
    session = { id: firstHeader(headers, 'mcp-session-id'), version: undefined }
  }

  /** Learns from an answer what later requests must repeat. */
  const learn = (request: ClientRequest, { value: { result } }: PeerMessage): void => {
    if (request.method === 'initialize' && isObject(result) && typeof result['protocolVersion'] === 'string')
      session = { ...session, version: result['protocolVersion'] }
    if (request.method === 'tools/list') mirrored.learn(result)
  }

  /** Passes on what an answer to `request` carries. Resolves when the request has its own answer, or with the problem that takes its place. */
  const relay = async (
    request: ClientRequest,
    answer: LinkAnswer,
    signal: AbortSignal,
    pass: (line: string) => Promise<void>,
  ): Promise<Problem | undefined> => {
    let current = answer
    for (let resumes = 0; ; resumes++) {
      if (mediaType(current.headers) !== 'text/event-stream') {
        const message = readPeerMessage(Buffer.from(await readBytes(current, conversationLimits.answerBytesMax)).toString('utf8'))
        if (message?.answers === request.id) {
          learn(request, message)
          await pass(message.line)
          return undefined
        }
        return unanswered(`The upstream answered with status ${current.status} and no answer to the request${errorText(message)}.`)
      }
      const { isAnswered, lastId, retryMs } = await passEvents(current, pass, (message) => {
        if (message.answers !== request.id) return false
        learn(request, message)
        return true
      })
      if (isAnswered) return undefined
      // MCP 2025-11-25 lets a server end a stream early and be asked again from the last event on.
      if (lastId === undefined || claimedVersion(request) !== undefined || resumes >= conversationLimits.resumesMax) {
        return unanswered('The stream ended before the answer to the request.')
      }
      await pause(retryMs ?? conversationLimits.pauseMsMin, signal)
      current = await openStream(lastId, signal)
      if (current.status !== 200) {
        discard(current, clock)
        return unanswered(`The stream broke off and could not be taken up again (status ${current.status}).`)
      }
    }
  }

  const passEvents = async (
    answer: LinkAnswer,
    pass: (line: string) => Promise<void>,
    isAnswer: (message: PeerMessage) => boolean,
  ): Promise<{ readonly isAnswered: boolean; readonly lastId: string | undefined; readonly retryMs: number | undefined }> => {
    let lastId: string | undefined
    let retryMs: number | undefined
    try {
      for await (const event of readEvents(answer.body.iterator({ destroyOnReturn: false }), conversationLimits.answerBytesMax)) {
        lastId = event.id
        retryMs = event.retryMs ?? retryMs
        if (event.event !== 'message' || event.data === '') continue
        const message = readPeerMessage(event.data)
        if (!message) continue
        const isAnswered = isAnswer(message)
        await pass(message.line)
        if (isAnswered) return { isAnswered, lastId, retryMs }
      }
    } catch (error) {
      if (whole.signal.aborted || lastId === undefined) throw error
    } finally {
      discard(answer, clock)
    }
    return { isAnswered: false, lastId, retryMs }
  }

  const openStream = (lastId: string | undefined, signal: AbortSignal): Promise<LinkAnswer> => {
    const resume: HeaderPairs = lastId === undefined ? [] : [['Last-Event-ID', lastId]]
    const headers: HeaderPairs = [['Accept', 'text/event-stream'], ...sessionHeaders(session), ...resume]
    return link.request({ method: 'GET', path, headers, signal, headMsMax: conversationLimits.acceptMsMax, idleMsMax: conversationLimits.idleMsMax })
  }

  /** Takes what the server says on its own, for as long as the session lasts. A server that offers no such stream answers 405. */
  const listen = (): void => {
    listening.abort()
    listening = new AbortController()
    const signal = AbortSignal.any([listening.signal, whole.signal])
    const run = async (): Promise<void> => {
      let lastId: string | undefined
      let pauseMs: number = conversationLimits.pauseMsMin
      while (!signal.aborted) {
        try {
          const answer = await openStream(lastId, signal)
          if (answer.status !== 200 || mediaType(answer.headers) !== 'text/event-stream') return discard(answer, clock)
          const ended = await passEvents(answer, deliver, () => false)
          lastId = ended.lastId ?? lastId
          pauseMs = ended.retryMs ?? conversationLimits.pauseMsMin
        } catch (error) {
          if (signal.aborted) return
          if (!(error instanceof Fault)) await report(`the stream of the server broke off (${String(error)}); it is opened again`)
        }
        await pause(pauseMs, signal)
        pauseMs = Math.min(pauseMs * 2, conversationLimits.pauseMsMax)
      }
    }
    run().catch((error: unknown) => (signal.aborted ? undefined : report(`the stream of the server ended: ${String(error)}`)))
  }

  const pause = (delayMs: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const stopped = (): void => {
        cancel()
        reject(signal.reason)
      }
      const cancel = clock.after(Math.min(Math.max(delayMs, conversationLimits.pauseMsMin), conversationLimits.pauseMsMax), () => {
        signal.removeEventListener('abort', stopped)
        resolve()
      })
      if (signal.aborted) stopped()
      else signal.addEventListener('abort', stopped, { once: true })
    })

  const ask = async (request: ClientRequest, signal: AbortSignal): Promise<void> => {
    try {
      const separated = await separateProblem(await send(request, signal, conversationLimits.answerMsMax))
      if (separated.kind === 'refused') return await refuse(request.id, separated.problem)
      const { answer } = separated
      if (isInitialize(request) && answer.status === 200) {
        openSession(answer)
        handshake = { initialize: request }
      }
      const problem = await relay(request, answer, signal, deliver)
      if (problem) await refuse(request.id, problem)
    } catch (error) {
      if (signal.aborted) return
      await refuse(request.id, faultProblem(error instanceof Fault ? error : new Fault('the answer of the gateway broke off', 'unknown', error)))
    }
  }

  const tell = async (message: ClientMessage): Promise<void> => {
    try {
      const separated = await separateProblem(await send(message, whole.signal, conversationLimits.acceptMsMax))
      if (separated.kind === 'refused') return await report(separated.problem)
      const { answer } = separated
      discard(answer, clock)
      if (answer.status >= 300) await report(`a ${message.kind} was answered with status ${answer.status}`)
      if (message.kind !== 'notification' || message.method !== 'notifications/initialized' || !handshake) return
      handshake = { ...handshake, initialized: message }
      if (session.id !== undefined) listen()
    } catch (error) {
      if (whole.signal.aborted) return
      await report(error instanceof Fault ? faultProblem(error) : String(error))
    }
  }

  const start = (request: ClientRequest): Promise<void> => {
    const key = keyOf(request.id)
    if (running.has(key)) return report(`the id ${key} is already under way: the second request is dropped`)
    if (running.size >= conversationLimits.requestsMax) return refuse(request.id, { code: 'edge.overloaded', retryAfterSeconds: 1 })
    const abort = new AbortController()
    const done = ask(request, AbortSignal.any([abort.signal, whole.signal])).finally(() => running.delete(key))
    running.set(key, { isModern: claimedVersion(request) !== undefined, isEndless: request.method === 'subscriptions/listen', abort, done })
    return isInitialize(request) ? done : Promise.resolve()
  }

  /** Over HTTP, 2026-07-28 cancels a request by closing its stream; earlier revisions want to be told, and closing alone would say nothing. */
  const cancel = async ({ isModern, abort }: Running, message: ClientMessage): Promise<void> => {
    if (!isModern) await tell(message)
    abort.abort(new Error('the client cancelled the request'))
  }

  return {
    take: (message) => {
      switch (message.kind) {
        case 'request':
          return start(message)
        case 'notification': {
          const cancelled = message.method === 'notifications/cancelled' ? running.get(keyOf(message.params['requestId'])) : undefined
          return cancelled ? cancel(cancelled, message) : tell(message)
        }
        case 'response':
          return tell(message)
        default:
          return unreachable(message)
      }
    },
    cut: () => whole.abort(new Error('the conversation ended')),
    end: async (drainMs) => {
      const ending = [...running.values()].filter(({ isEndless }) => !isEndless).map(({ done }) => done)
      if (ending.length > 0 && !whole.signal.aborted) {
        const late = Promise.withResolvers<void>()
        const cancel = clock.after(drainMs, late.resolve)
        whole.signal.addEventListener('abort', () => late.resolve(), { once: true })
        await Promise.race([Promise.allSettled(ending), late.promise])
        cancel()
      }
      whole.abort(new Error('the conversation ended'))
      await Promise.allSettled([...running.values()].map(({ done }) => done))
      if (session.id !== undefined) await sayGoodbye()
    },
  }

  /** A server keeps a session until it is told, or forgets. */
  async function sayGoodbye(): Promise<void> {
    const late = new AbortController()
    const cancel = clock.after(conversationLimits.goodbyeMsMax, () => late.abort(new Error('too late')))
    try {
      const answer = await link.request({ method: 'DELETE', path, headers: sessionHeaders(session), signal: late.signal })
      discard(answer, clock)
    } catch {
      // The session ends by itself; there is nobody left to tell.
    } finally {
      cancel()
    }
  }
}

function unanswered(detail: string): Problem {
  return { code: 'forward.upstream-failed', detail: `${detail} The call may have taken effect: look before you repeat it.` }
}

function keyOf(id: unknown): string {
  return JSON.stringify(id) ?? 'none'
}

function errorText(message: PeerMessage | undefined): string {
  const error = message?.value['error']
  return isObject(error) && typeof error['message'] === 'string' ? `: ${error['message'].slice(0, 500)}` : ''
}
