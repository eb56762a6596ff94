import { unreachable, type Refused } from '@sallyport/contract'
import type { MessagePort } from 'node:worker_threads'
import type { JsonRpcMessage, JsonRpcNotification, JsonRpcRequest, JsonRpcResponse } from '../access/access-request.ts'
import type { ChildOwner, StdioServers } from '../forward/mcp/stdio-servers.ts'
import { callsOver, serveCalls, type Calls } from './calls.ts'

/** The children that the main thread supervises, for a thread that forwards. A stream of messages is read one message at a time, so nothing piles up between them. */
interface ChildrenApi {
  open(owner: ChildOwner): ReturnType<StdioServers['open']>
  request(stream: string, owner: ChildOwner, session: string, request: JsonRpcRequest): Promise<Refused | undefined>
  listen(stream: string, owner: ChildOwner): Promise<Refused | undefined>
  /** Undefined at the end. */
  next(stream: string): Promise<JsonRpcMessage | undefined>
  leave(stream: string): Promise<void>
  notify(owner: ChildOwner, session: string, notification: JsonRpcNotification): Promise<void>
  respond(owner: ChildOwner, response: JsonRpcResponse): Promise<void>
}

interface Stream {
  readonly leaving: AbortController
  messages: AsyncIterator<JsonRpcMessage> | undefined
}

type Heard = Awaited<ReturnType<StdioServers['request']>>

/** Offers the children to the thread behind the port; whatever that thread has open ends with it. */
export function offerStdioServers(port: MessagePort, servers: StdioServers, report: (error: unknown) => void): void {
  const streams = new Map<string, Stream>()
  const open = async (name: string, hear: (signal: AbortSignal) => Promise<Heard>): Promise<Refused | undefined> => {
    const stream: Stream = { leaving: new AbortController(), messages: undefined }
    streams.set(name, stream)
    const heard = await hear(stream.leaving.signal)
    switch (heard.kind) {
      case 'refused':
        streams.delete(name)
        return heard
      case 'messages':
        stream.messages = heard.messages[Symbol.asyncIterator]()
        return undefined
      default:
        return unreachable(heard)
    }
  }
  const leave = async (name: string): Promise<void> => {
    const stream = streams.get(name)
    streams.delete(name)
    stream?.leaving.abort()
    await stream?.messages?.return?.()
  }
  serveCalls<ChildrenApi>(
    port,
    {
      open: (owner) => servers.open(owner),
      request: (name, owner, session, request) => open(name, (signal) => servers.request(owner, session, request, signal)),
      listen: (name, owner) => open(name, (signal) => servers.listen(owner, signal)),
      next: async (name) => {
        const step = await streams.get(name)?.messages?.next()
        if (step?.done !== false) streams.delete(name)
        return step?.done === false ? step.value : undefined
      },
      leave,
      notify: (owner, session, notification) => servers.notify(owner, session, notification),
      respond: (owner, response) => servers.respond(owner, response),
    },
    report,
  )
  port.on('close', () => {
    for (const name of streams.keys()) void leave(name).catch(report)
  })
}

/** The children that another thread supervises. */
export function remoteStdioServers(port: MessagePort, newId: () => string): StdioServers {
  const calls = callsOver<ChildrenApi>(port, ['open', 'request', 'listen', 'next', 'leave', 'notify', 'respond'])
  const hear = async (signal: AbortSignal, open: (stream: string) => Promise<Refused | undefined>): Promise<Heard> => {
    const stream = newId()
    const leave = (): void => void calls.leave(stream).catch(() => undefined) // it is gone with its thread, then
    const opening = open(stream)
    if (signal.aborted) leave()
    else signal.addEventListener('abort', leave, { once: true })
    const refusal = await opening
    if (!refusal) return { kind: 'messages', messages: read(calls, stream, () => signal.removeEventListener('abort', leave)) }
    signal.removeEventListener('abort', leave)
    return refusal
  }
  return {
    open: (owner) => calls.open(owner),
    request: (owner, session, request, signal) => hear(signal, (stream) => calls.request(stream, owner, session, request)),
    listen: (owner, signal) => hear(signal, (stream) => calls.listen(stream, owner)),
    notify: (owner, session, notification) => calls.notify(owner, session, notification),
    respond: (owner, response) => calls.respond(owner, response),
  }
}

async function* read(calls: Calls<ChildrenApi>, stream: string, onEnd: () => void): AsyncGenerator<JsonRpcMessage> {
  try {
    for (let message = await calls.next(stream); message; message = await calls.next(stream)) yield message
  } finally {
    onEnd()
    await calls.leave(stream)
  }
}
