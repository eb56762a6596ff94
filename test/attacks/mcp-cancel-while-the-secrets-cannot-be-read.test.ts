// A cancellation makes the gateway send something of its own. Where that cannot be done, the failure must find someone who expects it, or it ends the process.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '@sallyport/contract'
import { McpBench } from '../fixtures/mcp-bench.ts'
import { afterHandshake, json, scriptedUpstream } from '../fixtures/mcp-upstreams.ts'

/** An upstream whose tool `hang` never answers and whose tool `lose` forgets the session while the store of secrets breaks. */
async function broken(work: (bench: McpBench, store: { isBroken: boolean }, cancelled: Promise<unknown>) => Promise<void>): Promise<void> {
  const { promise: cancelled, resolve: cancel } = Promise.withResolvers<unknown>()
  const store = { isBroken: false }
  const answer = afterHandshake(({ id, params }, response) => {
    if (params?.name === 'lose') {
      store.isBroken = true
      response.writeHead(404).end()
    } else if (params?.name !== 'hang') json(response, { jsonrpc: '2.0', id, result: { content: [] } })
  })
  await using upstream = await scriptedUpstream((request, response) => {
    if (request.body.includes('notifications/cancelled')) cancel(request.body)
    answer(request, response)
  })
  const secrets = {
    get token(): string {
      if (store.isBroken) throw new Fault('the store does not answer', 'not-done')
      return 'the-credential'
    },
  }
  await using bench = await McpBench.open({ upstreams: { up: { url: upstream.url, credential: { secret: 'token' } } }, secrets })
  await work(bench, store, cancelled)
}

function call(id: number, name: string): object {
  return { jsonrpc: '2.0', id, method: 'tools/call', params: { name: `up__${name}`, arguments: {} } }
}

function cancellation(requestId: number): object {
  return { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId } }
}

test('a cancellation that cannot be passed on ends the call here and nothing else', () =>
  broken(async (bench, store) => {
    const unhandled: unknown[] = []
    const notice = (error: unknown): void => void unhandled.push(error)
    process.on('unhandledRejection', notice)
    const hanging = bench.post('/mcp', call(1, 'hang'))
    await bench.post('/mcp', call(2, 'fine'))
    await bench.post('/mcp', call(3, 'lose')) // now the way to the upstream must be opened anew, and cannot be
    assert.ok(store.isBroken)
    await bench.post('/mcp', cancellation(1))
    await hanging
    await new Promise(setImmediate)
    process.off('unhandledRejection', notice)
    assert.deepEqual(unhandled, [])
  }))

test('a call that could not even be sent does not take the place of a later one with its id', { timeout: 10_000 }, () =>
  broken(async (bench, store, cancelled) => {
    store.isBroken = true
    await bench.post('/mcp', call(7, 'hang'))
    store.isBroken = false
    const hanging = bench.post('/mcp', call(7, 'hang'))
    await bench.post('/mcp', call(8, 'fine'))
    await bench.post('/mcp', cancellation(7))
    assert.match(String(await cancelled), /requestId/)
    await hanging
  }),
)
