// Lists come in pages: a changed tool waits on a page that nobody turned to, or a first sight is made to last for ever.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PinnedTools, tool } from '../fixtures/pinned-tools.ts'

test('every page is seen before any is shown, so a tool of a later page is pinned, and found when it changes', async () => {
  await using pinned = await PinnedTools.open([])
  let description = 'Pays'
  pinned.listing = (_, cursor) => (cursor === undefined ? { tools: [tool('get_invoice')], nextCursor: '2' } : { tools: [tool('pay', description)] })
  assert.deepEqual(await pinned.list(), ['get_invoice'])
  assert.match(await pinned.call('pay'), /did pay/)
  const second = async (): Promise<readonly string[]> =>
    ((await pinned.ask('bot', '/mcp/crm', 'tools/list', { cursor: '2' })).result?.tools ?? []).map(({ name }) => name)
  assert.deepEqual(await second(), ['pay'])

  description = 'Pays twice'
  assert.deepEqual(await second(), [])
  assert.equal(await pinned.call('pay'), 'policy.tool-changed')
  await pinned.restart()
  assert.deepEqual(await pinned.list('bot', '/mcp'), ['crm__get_invoice'])
})

test('a change on a page that no agent turns to is found the next time the gateway lists by itself', async () => {
  await using pinned = await PinnedTools.open([])
  let description = 'Pays'
  pinned.listing = (_, cursor) => (cursor === undefined ? { tools: [tool('get_invoice')], nextCursor: '2' } : { tools: [tool('pay', description)] })
  await pinned.list()
  description = 'Pays twice'
  pinned.announcedIn = 'tools/call'
  await pinned.call('get_invoice')
  pinned.announcedIn = undefined
  assert.equal(await pinned.call('pay'), 'policy.tool-changed')
})

test('pages without end are no first sight: nothing is pinned, shown or called', async () => {
  await using pinned = await PinnedTools.open([])
  let page = 0
  pinned.listing = () => ({ tools: [tool(`tool_${(page += 1)}`)], nextCursor: String(page) })
  const { error } = await pinned.ask('bot', '/mcp/crm', 'tools/list')
  assert.equal(error?.data?.code, 'forward.answer-too-large')
  assert.equal(await pinned.call('tool_1'), 'forward.answer-too-large')
  assert.deepEqual(await pinned.list('bot', '/mcp'), [])
  assert.ok(!(await pinned.whole.events()).some(({ type }) => type === 'tool'))
})
