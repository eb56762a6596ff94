// OWASP Server-Side Request Forgery: a cloud's metadata service hands out the machine's own credentials.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HttpForwarding } from '../fixtures/http-forwarding.ts'
import { answerText, RawUpstream } from '../fixtures/raw-upstream.ts'

const metadata = [
  '169.254.169.254',
  '::ffff:169.254.169.254',
  '64:ff9b::a9fe:a9fe',
  '2002:a9fe:a9fe::',
  'fd00:ec2::254',
  '100.100.100.200',
  '169.254.170.2',
  '168.63.129.16',
]

for (const address of metadata) {
  test(`a name that leads to the metadata service at ${address} is not dialled, even inside an allowed range`, async () => {
    const allow = ['169.254.0.0/16', '100.64.0.0/10', 'fd00::/8', '0.0.0.0/0', '::/0']
    await using forwarding = new HttpForwarding({ url: 'http://crm.example', addresses: { allow } }, { resolve: async () => [address] })
    const seen = await forwarding.call()
    assert.equal(seen.code, 'forward.address-refused')
    assert.match(seen.reason, /metadata/)
    assert.equal(seen.facts?.result, 'refused')
  })
}

test('a bad address in an answer does not stop the good one, nor is it tried', async () => {
  await using upstream = await RawUpstream.start((socket) => void socket.write(answerText('here')))
  await using forwarding = new HttpForwarding(
    { url: `http://crm.example:${upstream.port}`, addresses: { allow: ['127.0.0.1/32'] }, deadlines: { connect: '2s' } },
    { resolve: async () => ['169.254.169.254', '10.0.0.1', '127.0.0.1'] },
  )
  assert.equal((await forwarding.call()).body, 'here')
})
