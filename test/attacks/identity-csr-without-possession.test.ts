import assert from 'node:assert/strict'
import { test } from 'node:test'
import { invoiceBot, makeCsr, openGate, tokenFor } from '../fixtures/identity-gate.ts'

function reversed(csrPem: string, change: (der: Buffer) => void): string {
  const der = Buffer.from(csrPem.replace(/-----[A-Z ]+-----|\s/g, ''), 'base64')
  change(der)
  return `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`
}

test('a request over a key that the sender does not hold gets no certificate and burns no token', async (t) => {
  const gate = await openGate()
  t.after(() => gate.close())
  const token = await tokenFor(gate)
  const mine = await makeCsr()
  const theirs = await makeCsr()
  const theirKey = Buffer.from(theirs.csrPem.replace(/-----[A-Z ]+-----|\s/g, ''), 'base64')
  const point = (der: Buffer): number => der.indexOf(Buffer.from('03420004', 'hex')) + 4

  const refusedRequests = {
    'their key under my signature': reversed(mine.csrPem, (der) => theirKey.copy(der, point(der), point(theirKey), point(theirKey) + 64)),
    'a flipped bit in the signature': reversed(mine.csrPem, (der) => der.writeUInt8((der.at(-1) ?? 0) ^ 1, der.length - 1)),
    'a point that is not on the curve': reversed(mine.csrPem, (der) => der.fill(1, point(der), point(der) + 64)),
    'no request at all': 'hello',
    'an empty request': '-----BEGIN CERTIFICATE REQUEST-----\n\n-----END CERTIFICATE REQUEST-----\n',
  }
  for (const [what, csr] of Object.entries(refusedRequests)) {
    const answer = await gate.authority.enrol(token, csr, '127.0.0.1')
    assert.ok('kind' in answer && answer.problem.code === 'identity.enrolment-refused', what)
    assert.equal(answer.problem.detail, undefined)
  }
  assert.deepEqual(await gate.store.certificates(invoiceBot), [])
  assert.ok(!gate.notes.some(({ act }) => act === 'agent.enrolled'))

  assert.ok('certificatePem' in (await gate.authority.enrol(token, mine.csrPem, '127.0.0.1')), 'the token still works for an honest request')
})
