// OWASP Server-Side Request Forgery: an upstream's name, or its URL, leads to the gateway's own network.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseUpstreamName } from '@sallyport/contract'
import { compileUpstreamDefinition } from '../../packages/gateway/src/forward/upstream-definition.ts'
import { HttpForwarding } from '../fixtures/http-forwarding.ts'
import { answerText, RawUpstream } from '../fixtures/raw-upstream.ts'

const name = parseUpstreamName('crm') ?? assert.fail()

for (const address of ['127.0.0.1', '10.0.0.1', '192.168.1.1', '0.0.0.0', '::1', '::ffff:127.0.0.1', 'fe80::1', 'fc00::1', '2002:7f00:1::', 'localhost']) {
  test(`a name that resolves to ${address} is not dialled`, async () => {
    await using upstream = await RawUpstream.start((socket) => void socket.write(answerText('inside')))
    await using forwarding = new HttpForwarding({ url: `http://crm.example:${upstream.port}` }, { resolve: async () => [address] })
    const seen = await forwarding.call()
    assert.equal(seen.code, 'forward.address-refused')
    assert.equal(upstream.connections, 0)
  })
}

for (const url of [
  'http://127.0.0.1/',
  'http://10.0.0.1:8080/',
  'http://[::1]/',
  'http://localhost/',
  'http://api.localhost/',
  'http://[::ffff:127.0.0.1]/',
  'http://169.254.169.254/',
]) {
  test(`${url} is a fault of the configuration that says what to add`, () => {
    const compiled = compileUpstreamDefinition(name, { url })
    assert.ok(compiled.kind === 'invalid')
    assert.match(compiled.faults[0]?.hint ?? '', /addresses: \{ allow: \['/)
  })
}

for (const url of [
  'http://0x7f.1/',
  'http://0177.0.0.1/',
  'http://2130706433/',
  'http://127.1/',
  'http://0x08080808/',
  'http://8.8.2056/',
  'http://%31.1.1.1/',
  'http://1.1.1.1./',
]) {
  test(`${url} hides an address in an unusual form`, () => {
    const compiled = compileUpstreamDefinition(name, { url, addresses: { allow: ['127.0.0.0/8'] } })
    assert.ok(compiled.kind === 'invalid')
    assert.match(compiled.faults[0]?.message ?? '', /unusual form/)
  })
}
