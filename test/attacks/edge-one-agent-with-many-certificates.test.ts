// A renewal gives an agent another certificate while the old one still counts. Limits that count by certificate give it that many shares, enough to stop the others.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { gatewayClient, identityInFolder, openLink } from '@sallyport/runtime'
import { clock, wholeGateway } from '../fixtures/whole-gateway.ts'

test('an agent has its share of the requests in flight over all its certificates, and others have theirs', async () => {
  const waiting: ServerResponse[] = []
  const slow = createServer((request, response) => {
    if (request.url === '/things/now') response.end('now')
    else waiting.push(response)
  })
  slow.listen(0, '127.0.0.1')
  await once(slow, 'listening')
  const address = slow.address()
  assert.ok(typeof address === 'object' && address)
  await using whole = await wholeGateway()
  await whole.configure([{ id: 'things', match: { action: 'get_thing' }, then: 'permit' }])
  const configuration = JSON.parse((await readFile(whole.configurationFile, 'utf8')).replace(`:${whole.apiPort}`, `:${address.port}`))
  await writeFile(whole.configurationFile, JSON.stringify({ ...configuration, limits: { requestsInFlight: 8 } }))
  const { addresses } = await whole.start()
  await whole.enrolAgent('greedy')
  await whole.enrolAgent('other')
  const [host = '', port = ''] = addresses.agents.split(':')
  const open = async (agent: string) =>
    openLink({ identity: identityInFolder(join(whole.folder, agent)), gateway: { host, port: Number(port) }, clock, report: () => undefined })
  const links = [await open('greedy'), await open('other')] as const
  const [greedy, other] = links.map(gatewayClient)
  assert.ok(greedy && other)

  const hanging = [greedy.callHttp('api', { method: 'GET', path: '/things/1' })]
  await once(slow, 'request')
  assert.equal((await greedy.renew()).kind, 'renewed')
  hanging.push(greedy.callHttp('api', { method: 'GET', path: '/things/2' }))
  await once(slow, 'request')
  const over = await greedy.callHttp('api', { method: 'GET', path: '/things/now' })
  assert.ok(over.kind === 'refused' && over.problem.code === 'edge.overloaded')
  const answered = await other.callHttp('api', { method: 'GET', path: '/things/now' })
  assert.equal(answered.kind, 'answer')

  for (const response of waiting) response.end()
  for (const call of hanging) assert.equal((await call).kind, 'answer')
  const again = await greedy.callHttp('api', { method: 'GET', path: '/things/now' })
  assert.equal(again.kind, 'answer')
  for (const link of links) await link.close()
  slow.closeAllConnections()
  slow.close()
})
