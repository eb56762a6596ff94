import assert from 'node:assert/strict'
import { request } from 'node:https'
import { test } from 'node:test'
import { invoiceBot, makeCsr, openGate, tokenFor, type Gate } from '../fixtures/identity-gate.ts'

async function post(
  gate: Gate,
  body: string,
  path = '/enroll',
  method = 'POST',
  type = 'application/json',
): Promise<{ readonly status: number; readonly text: string }> {
  const [host, port] = gate.enrolmentAddress.split(':')
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': type, 'content-length': Buffer.byteLength(body) }
    const outgoing = request({ host, port, path, method, agent: false, ca: [...gate.authority.serverCredentials.rootsPem], headers }, (incoming) => {
      let text = ''
      incoming.on('data', (piece) => (text += piece))
      incoming.once('end', () => resolve({ status: incoming.statusCode ?? 0, text }))
    })
    outgoing.once('error', reject)
    outgoing.end(body)
  })
}

test('the enrolment listener hears one question, and tells a stranger nothing about tokens or requests', async (t) => {
  const gate = await openGate()
  t.after(() => gate.close())
  const token = await tokenFor(gate)
  const { csrPem: csr } = await makeCsr()
  const notes = gate.notes.length

  for (const [what, status, answer] of [
    ['a duplicate member', 400, await post(gate, `{"token":${JSON.stringify(token)},"token":"x","csr":${JSON.stringify(csr)}}`)],
    ['an unknown member', 400, await post(gate, JSON.stringify({ token, csr, tenant: 'globex' }))],
    ['no JSON', 400, await post(gate, 'token')],
    ['too much', 413, await post(gate, JSON.stringify({ token, csr, padding: 'x'.repeat(9000) }))],
    ['another path', 404, await post(gate, '{}', '/sallyport/v1/whoami')],
    ['a query', 404, await post(gate, JSON.stringify({ token, csr }), '/enroll?token=x')],
    ['another method', 405, await post(gate, '{}', '/enroll', 'PUT')],
    ['a form', 415, await post(gate, 'token=x', '/enroll', 'POST', 'application/x-www-form-urlencoded')],
  ] as const) {
    assert.equal(answer.status, status, what)
    assert.ok(!answer.text.includes(token.slice(4, 20)), what)
  }
  const refusals = [
    await post(gate, JSON.stringify({ token: 'sp1.x.y', csr })),
    await post(gate, JSON.stringify({ token: token.replace('sp1.', 'sp1.A').slice(0, 91), csr })),
    await post(gate, JSON.stringify({ token, csr: 'x' })),
  ]
  const told = refusals.map(({ text }) => text.replace(/urn:uuid:[0-9a-f-]+/, ''))
  assert.equal(new Set(told).size, 1, 'a wrong token and a wrong request look the same')
  assert.match(told[0] ?? '', /identity\.enrolment-refused/)

  assert.equal(gate.notes.length, notes)
  assert.deepEqual(await gate.store.certificates(invoiceBot), [])
  assert.equal((await post(gate, JSON.stringify({ token, csr }))).status, 200)
})
