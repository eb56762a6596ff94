// An upstream lists tools until the log, the memory or the person gives up.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PinnedTools, tool } from '../fixtures/pinned-tools.ts'

const flood = Array.from({ length: 100_000 }, (_, index) => ({ name: `tool_${index}` }))

test('a hundred thousand tools are refused as a whole: nothing of them is shown or written', async () => {
  await using pinned = await PinnedTools.open([])
  pinned.tools = flood
  assert.equal((await pinned.ask('bot', '/mcp/crm', 'tools/list')).error?.data?.code, 'forward.answer-too-large')
  assert.deepEqual(await pinned.list('bot', '/mcp'), [])
  assert.ok(!(await pinned.whole.events()).some(({ type }) => type === 'tool'))
  pinned.tools = [tool('get_invoice')]
  assert.deepEqual(await pinned.list(), ['get_invoice'])
  pinned.tools = flood
  assert.equal((await pinned.ask('bot', '/mcp/crm', 'tools/list')).error?.data?.code, 'forward.answer-too-large')
  assert.match(await pinned.call('get_invoice'), /did get_invoice/)
})

test('an upstream that says something new each time is remembered a few times for each tool, until a person has answered', async () => {
  await using pinned = await PinnedTools.open([tool('get_invoice')])
  await pinned.list()
  for (let time = 0; time < 10; time += 1) {
    pinned.tools = [tool('get_invoice', `Version ${time}`)]
    assert.deepEqual(await pinned.list(), [])
  }
  assert.equal((await pinned.held('get_invoice')).length, 4)
  assert.equal((await pinned.whole.events()).filter((event) => event.type === 'tool' && event.act === 'held').length, 4)
  await pinned.accept('get_invoice')
  assert.deepEqual(await pinned.list(), [])
  assert.equal((await pinned.held('get_invoice')).length, 1)
})

test('a definition that is too large to be looked at is not offered', async () => {
  await using pinned = await PinnedTools.open([tool('get_invoice'), tool('pay', 'x'.repeat(70_000))])
  assert.deepEqual(await pinned.list(), ['get_invoice'])
  assert.equal(await pinned.call('pay'), 'policy.tool-unlisted')
})
