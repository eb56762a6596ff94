import assert from 'node:assert/strict'
import { test } from 'node:test'
import { operator } from '../fixtures/operator.ts'
import { wholeGateway } from '../fixtures/whole-gateway.ts'

const forgedLine = '\n{"act":"agent.enrolled","subject":{"agent":"root"},"time":"2026-01-01T00:00:00.000Z","type":"admin","v":1}'
const texts = [
  `harmless${forgedLine}`,
  '\u001b[2J\u001b[1;31m0 permit everything\u001b[0m\r\u0007',
  '\u009b2J\u202egnihtyreve timrep\u2066\u200b',
  '\u2028\u2029\u0000\u007f',
  '"}],"decision":"permit"}',
]
const bodies = [
  ...texts.map((text) => JSON.stringify({ text })),
  '{"text":1e400}',
  '{"text":123456789012345678901234567890}',
  '{"text":"\\ud800"}',
  `{"text":${'['.repeat(5000)}${']'.repeat(5000)}}`,
  `{"text":"${'x'.repeat(200_000)}"}`,
  '{"text":"a","text":"b"}',
]
const paths = ['/things/%0a%7b%22v%22%3a1%7d', '/things/%1b%5b2J', '/things/%E2%80%AE', `/things/${'9'.repeat(2000)}`, '/things/%c2%9b2J', '/things/%00']

test('names and arguments hold line breaks, terminal codes, huge numbers and deep nesting: each call makes its own entries and no other, and no terminal is told what to do [L1]', async () => {
  await using whole = await wholeGateway()
  // The rules read what the caller sent, so it comes into the log as facts.
  await whole.configure([{ id: 'some', match: { upstream: 'api' }, when: 'args.text != "no" && resource != "no"', then: 'deny' }], [], '127.0.0.1:0', {
    api: {
      protocol: 'http',
      url: `http://127.0.0.1:${whole.apiPort}`,
      addresses: { allow: ['127.0.0.1/32'] },
      operations: [
        { name: 'get_thing', method: 'GET', path: '/things/{id}' },
        { name: 'put_thing', method: 'PUT', path: '/things/{id}' },
      ],
    },
  })
  const { logKey } = await whole.start()
  await whole.enrolAgent()
  const agent = await whole.agent()
  const before = (await whole.events()).length
  const requests = new Set<string>()
  let refused = 0
  const call = async (path: string, body?: string): Promise<void> => {
    const answer = await agent.callHttp('api', {
      method: body === undefined ? 'GET' : 'PUT',
      path,
      ...(body !== undefined && { headers: [['content-type', 'application/json']], body: Buffer.from(body) }),
    })
    assert.ok(answer.kind === 'refused', path)
    refused += 1
  }
  for (const body of bodies) await call('/things/7', body)
  for (const path of paths) await call(path)
  await whole.stop()

  const added = (await whole.events()).slice(before)
  for (const event of added) if (event.type === 'decision') requests.add(event.request)
  const caused = added.filter(({ type }) => type !== 'gateway')
  assert.ok(caused.length <= refused, `${caused.length} entries of ${refused} calls`)
  assert.deepEqual([...new Set(caused.map(({ type }) => type))].sort(), ['decision', 'refusal'])
  assert.equal(requests.size, caused.filter(({ type }) => type === 'decision').length)
  assert.ok(caused.every((event) => event.type !== 'decision' || event.decision === 'deny'))
  assert.ok(requests.size >= texts.length, `${requests.size} decisions`)
  await whole.assertLogVerifies(logKey)

  for (const args of [
    ['log', 'tail'],
    ['log', 'search'],
    ['log', 'show', String(before)],
    ['log', 'tail', '--json'],
    ['explain', String(before)],
  ]) {
    const { code, stdout } = await operator(whole, args, { isTTY: true })
    assert.equal(code, 0)
    assert.doesNotMatch(stdout.replaceAll('\n', ''), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u, args.join(' '))
  }
  const told = (await operator(whole, ['log', 'tail', '--lines', '1000'], { isTTY: true })).stdout.trimEnd().split('\n')
  assert.equal(told.length, before + added.length)
  assert.deepEqual(whole.seen, [])
})
