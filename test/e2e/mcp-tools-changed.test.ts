import assert from 'node:assert/strict'
import { setTimeout as wait } from 'node:timers/promises'
import { test } from 'node:test'
import { crookedServer, McpBench } from '../fixtures/mcp-bench.ts'
import { referenceServer } from '../fixtures/conformance/reference-server.ts'
import { PinnedTools, tool } from '../fixtures/pinned-tools.ts'

for (const mode of ['legacy', 'auto'] as const) {
  test(`a client in mode ${mode} that listens to all upstreams together hears that the tools of one have changed`, async () => {
    await using server = await referenceServer()
    await using bench = await McpBench.open({ upstreams: { crooked: crookedServer(), reference: { url: server.url } } })
    for (const name of ['crooked__change', 'reference__test_trigger_tool_change']) {
      const heard = Promise.withResolvers<void>()
      const listChanged = { tools: { autoRefresh: false, debounceMs: 0, onChanged: () => heard.resolve() } }
      await using client = await bench.connect('/mcp', { versionNegotiation: { mode }, listChanged })
      // The stream of a client opens on its own; until it has, a change is said to nobody.
      let isHeard = false
      void heard.promise.then(() => (isHeard = true))
      for (let tries = 0; tries < 200 && !isHeard; tries += 1) {
        await client.callTool({ name })
        await Promise.race([heard.promise, wait(20)])
      }
      assert.ok(isHeard, name)
    }
  })

  test(`a client in mode ${mode} that listens to an HTTP upstream hears that its tools have changed`, async () => {
    await using server = await referenceServer()
    await using bench = await McpBench.open({ upstreams: { reference: { url: server.url } } })
    const heard = Promise.withResolvers<void>()
    const listChanged = { tools: { autoRefresh: false, debounceMs: 0, onChanged: () => heard.resolve() } }
    await using client = await bench.connect('/mcp/reference', { versionNegotiation: { mode }, listChanged })
    let isHeard = false
    void heard.promise.then(() => (isHeard = true))
    for (let tries = 0; tries < 200 && !isHeard; tries += 1) {
      await client.callTool({ name: 'test_trigger_tool_change' })
      await Promise.race([heard.promise, wait(20)])
    }
    assert.ok(isHeard)
  })
}

test('a client that listens to all upstreams together hears that a person has accepted a tool', async () => {
  await using pinned = await PinnedTools.open([tool('get_invoice')])
  assert.deepEqual(await pinned.list('bot', '/mcp'), ['crm__get_invoice'])
  pinned.tools = [tool('get_invoice', 'Changed')]
  assert.deepEqual(await pinned.list('bot', '/mcp'), [])
  await using stream = await pinned.listen('bot')
  await pinned.accept('get_invoice')
  assert.match(await stream.next(), /notifications\/tools\/list_changed/)
  assert.deepEqual(await pinned.list('bot', '/mcp'), ['crm__get_invoice'])
})
