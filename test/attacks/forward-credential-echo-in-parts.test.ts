// No piece of an answer holds the credential when an agent asks for five bytes at a time, and yet all of them together do.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HttpForwarding, loopbackAllowed } from '../fixtures/http-forwarding.ts'
import { RawUpstream } from '../fixtures/raw-upstream.ts'

const secret = 'sk-live-9f2c41e8aa'

async function asking(range: string, credential: { readonly credential?: { readonly secret: string } }) {
  await using upstream = await RawUpstream.start((socket, request) => {
    const [, from = 0, to = 99] = /^range: bytes=([0-9]+)-([0-9]+)/im.exec(request) ?? []
    const part = `authorization: Bearer ${secret}`.slice(Number(from), Number(to) + 1)
    const head = /^range:/im.test(request) || range === 'unasked' ? `206 Partial Content\r\ncontent-range: bytes ${from}-${to}/40` : '200 OK'
    socket.write(`HTTP/1.1 ${head}\r\ncontent-length: ${part.length}\r\n\r\n${part}`)
  })
  await using forwarding = new HttpForwarding({ url: upstream.url, ...loopbackAllowed, ...credential }, { secret })
  const headers = [
    ['range', range],
    ['if-range', '"v1"'],
  ] as const
  const seen = await forwarding.call({ headers })
  return { seen, request: upstream.requests[0] ?? '' }
}

test('an answer with a credential to hide is asked for as a whole [T15]', async () => {
  let collected = ''
  for (let from = 0; from < 40; from += 5) {
    const { seen, request } = await asking(`bytes=${from}-${from + 4}`, { credential: { secret: 'crm' } })
    assert.doesNotMatch(request, /range/i)
    collected += seen.body
  }
  assert.doesNotMatch(collected, /live|9f2c/)
})

test('a part that comes unasked is refused where there is a credential to hide [T15]', async () => {
  const { seen } = await asking('unasked', { credential: { secret: 'crm' } })
  assert.equal(seen.code, 'forward.upstream-failed')
  assert.equal(seen.body, '')
})

test('without a credential a part is an answer like any other', async () => {
  const { seen } = await asking('bytes=0-4', {})
  assert.equal(seen.status, 206)
  assert.equal(seen.body, 'autho')
})
