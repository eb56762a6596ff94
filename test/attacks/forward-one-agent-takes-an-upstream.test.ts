// One agent opens as many calls as an upstream has connections and leaves them hanging: event streams stay for as long as it likes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { principalOf } from '../fixtures/access-request.ts'
import { HttpForwarding, loopbackAllowed } from '../fixtures/http-forwarding.ts'
import { answerText, RawUpstream } from '../fixtures/raw-upstream.ts'

const greedy = await principalOf('acme', 'greedy')
const other = await principalOf('acme', 'other')
const namesake = await principalOf('globex', 'greedy')

test('an agent that holds its share open leaves connections and a queue to the others', async () => {
  await using upstream = await RawUpstream.start((socket, request) => {
    if (request.startsWith('GET /now')) socket.write(answerText('now'))
  })
  const configuration = { url: upstream.url, ...loopbackAllowed, connections: 4, deadlines: { headers: '5s' } }
  await using forwarding = new HttpForwarding(configuration, { limits: { waitingMax: 4 } })
  const leaving = new AbortController()
  const hanging = Array.from({ length: 4 }, () => forwarding.call({ by: greedy, path: '/hang', signal: leaving.signal }))
  const over = await forwarding.call({ by: greedy, path: '/now' })
  assert.equal(over.code, 'forward.upstream-busy')
  for (const by of [other, namesake, other]) assert.equal((await forwarding.call({ by, path: '/now' })).body, 'now')
  assert.equal(upstream.requests.filter((request) => request.startsWith('GET /hang')).length, 2)
  leaving.abort()
  await Promise.all(hanging)
  assert.equal((await forwarding.call({ by: greedy, path: '/now' })).body, 'now')
})
