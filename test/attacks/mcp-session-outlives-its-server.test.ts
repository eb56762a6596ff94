// A reload can put another server behind a name. The session that the gateway had with the old one is a credential there and must not be shown to the new one.
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { identityInFolder, openLink } from '@sallyport/runtime'
import { afterHandshake, json, scriptedUpstream } from '../fixtures/mcp-upstreams.ts'
import { clock, wholeGateway, type WholeGateway } from '../fixtures/whole-gateway.ts'

const answer = afterHandshake(({ id }, response) => json(response, { jsonrpc: '2.0', id, result: { content: [] } }))

async function putBehind(whole: WholeGateway, url: string): Promise<void> {
  const upstreams = { up: { protocol: 'mcp', tools: 'unpinned', url, addresses: { allow: ['127.0.0.1/32'] } } }
  const rules = [{ id: 'all', match: {}, then: 'permit' }]
  const [listen, enrolment, operations] = Array<string>(3).fill('127.0.0.1:0')
  await writeFile(whole.configurationFile, JSON.stringify({ version: 1, trustDomain: 'agents.example', listen, enrolment, operations, upstreams, rules }))
}

test('a session with one server is not used with the server that takes its place', async () => {
  await using before = await scriptedUpstream(answer)
  await using after = await scriptedUpstream(answer)
  await using whole = await wholeGateway()
  await putBehind(whole, before.url)
  const { addresses } = await whole.start()
  await whole.enrolAgent()
  const [host = '', port = ''] = addresses.agents.split(':')
  const link = await openLink({ identity: identityInFolder(join(whole.folder, 'bot')), gateway: { host, port: Number(port) }, clock, report: () => undefined })
  const call = async (): Promise<string> => {
    const body = Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'up__look', arguments: {} } }))
    return text((await link.request({ method: 'POST', path: '/mcp', headers: [['content-type', 'application/json']], body })).body)
  }
  assert.match(await call(), /content/)
  await putBehind(whole, after.url)
  await whole.admin('reload', { person: 'alice' })
  assert.match(await call(), /content/)
  await link.close()
  assert.ok(before.seen.some(({ headers }) => headers['mcp-session-id'] === 'the-upstreams-own-session'))
  assert.match(after.seen[0]?.body ?? '', /"initialize"/)
})
