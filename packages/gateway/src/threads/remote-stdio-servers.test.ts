import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { test } from 'node:test'
import { MessageChannel } from 'node:worker_threads'
import { Fault, parseAgentName, parseTenantName, parseUpstreamName } from '@sallyport/contract'
import type { JsonRpcMessage, JsonRpcRequest } from '../access/access-request.ts'
import type { ChildOwner, StdioServers } from '../forward/mcp/stdio-servers.ts'
import { offerStdioServers, remoteStdioServers } from './remote-stdio-servers.ts'

const request: JsonRpcRequest = { kind: 'request', id: 1, method: 'tools/call', value: { jsonrpc: '2.0', id: 1, method: 'tools/call' } }

function owner(): ChildOwner {
  const [tenant, agent, upstream] = [parseTenantName('acme'), parseAgentName('bot'), parseUpstreamName('files')]
  assert.ok(tenant && agent && upstream)
  return { tenant, agent, upstream }
}

interface Seen {
  produced: number
  readonly ended: PromiseWithResolvers<void>
  readonly signals: AbortSignal[]
}

/** Progress without end, or a break after so many messages. */
function servers(seen: Seen, breaksAfter = Number.POSITIVE_INFINITY): StdioServers {
  async function* messages(): AsyncGenerator<JsonRpcMessage> {
    try {
      for (; seen.produced < breaksAfter; seen.produced += 1) yield { kind: 'notification', method: 'notifications/progress', value: { at: seen.produced } }
      throw new Fault('the child ended', 'unknown')
    } finally {
      seen.ended.resolve()
    }
  }
  return {
    open: async () => ({ kind: 'refused', problem: { code: 'forward.credential-missing' }, reason: 'no secret' }),
    request: async (_, __, ___, signal) => {
      seen.signals.push(signal)
      return { kind: 'messages', messages: messages() }
    },
    listen: async () => ({ kind: 'messages', messages: messages() }),
    notify: async () => undefined,
    respond: async () => undefined,
  }
}

function bench(breaksAfter?: number): { remote: StdioServers; seen: Seen; close: () => void } {
  const { port1, port2 } = new MessageChannel()
  const seen: Seen = { produced: 0, ended: Promise.withResolvers(), signals: [] }
  offerStdioServers(port1, servers(seen, breaksAfter), (error) => assert.fail(String(error)))
  return { remote: remoteStdioServers(port2, randomUUID), seen, close: () => port2.close() }
}

test('messages cross one by one, as they are asked for, and their fault is the fault of the reader', async () => {
  const { remote, seen, close } = bench(3)
  const heard = await remote.request(owner(), '', request, new AbortController().signal)
  assert.ok(heard.kind === 'messages')
  const read: unknown[] = []
  await assert.rejects(async () => {
    for await (const { value } of heard.messages) {
      read.push(value['at'])
      assert.ok(seen.produced <= read.length, 'more was taken from the child than was read')
    }
  }, /the child ended/)
  assert.deepEqual(read, [0, 1, 2])
  assert.equal((await remote.open(owner())).kind, 'refused')
  close()
})

test('a reader that leaves, a caller that goes away and a thread that ends each end the stream at its source', async () => {
  const left = bench()
  const heard = await left.remote.listen(owner(), new AbortController().signal)
  assert.ok(heard.kind === 'messages')
  for await (const message of heard.messages) if (message) break
  await left.seen.ended.promise
  left.close()

  const aborted = bench()
  const caller = new AbortController()
  await aborted.remote.request(owner(), '', request, caller.signal)
  const [signal] = aborted.seen.signals
  assert.ok(signal && !signal.aborted)
  caller.abort()
  await once(signal, 'abort')
  aborted.close()

  const gone = bench()
  await gone.remote.request(owner(), '', request, new AbortController().signal)
  const [source] = gone.seen.signals
  assert.ok(source)
  gone.close()
  await once(source, 'abort')
})
