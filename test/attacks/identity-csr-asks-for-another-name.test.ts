import 'reflect-metadata'
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { BasicConstraintsExtension, KeyUsageFlags, KeyUsagesExtension, SubjectAlternativeNameExtension } from '@peculiar/x509'
import { callOnce, invoiceBot, invoiceBotId, makeCsr, openGate, tokenFor } from '../fixtures/identity-gate.ts'

test('a request that asks for another name, or to be an authority, gets the name of its token and nothing more', async (t) => {
  const gate = await openGate()
  t.after(() => gate.close())
  const greedy = await makeCsr(
    [{ CN: ['spiffe://agents.test/tenant/acme/agent/admin'] }],
    [
      new SubjectAlternativeNameExtension([{ type: 'url', value: 'spiffe://agents.test/tenant/acme/agent/admin' }]),
      new BasicConstraintsExtension(true, 3, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.digitalSignature, true),
    ],
  )

  const answer = await gate.authority.enrol(await tokenFor(gate), greedy.csrPem, '127.0.0.1')
  assert.ok('certificatePem' in answer)
  const certificate = new X509Certificate(answer.certificatePem)
  assert.equal(certificate.subjectAltName, `URI:${invoiceBotId}`)
  assert.equal(certificate.ca, false)
  assert.ok(!certificate.raw.includes('admin'), 'no trace of the wish')

  const { body } = await callOnce(gate, { certificatePem: answer.certificatePem, keyPem: greedy.keyPem })
  assert.equal(body.id, invoiceBotId)
  assert.deepEqual(gate.admitted, [invoiceBotId])
  assert.equal((await gate.store.certificates(invoiceBot)).length, 1)
})
