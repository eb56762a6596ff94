import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseTenantName } from '@sallyport/contract'
import { injectCredential, objectionToSecret, type InjectedCredential } from './credentials.ts'

const tenant = parseTenantName('acme') ?? assert.fail()

async function inject(secret: string | undefined, format = 'Bearer {secret}') {
  return injectCredential({ reveal: async () => secret }, { secret: 'crm', header: 'authorization', format }, tenant)
}

async function injected(secret: string, format?: string): Promise<InjectedCredential> {
  const result = await inject(secret, format)
  assert.ok(!('kind' in result))
  return result
}

test('the secret stands in its format, whatever it holds', async () => {
  assert.deepEqual((await injected('s3cret-value')).header, ['authorization', 'Bearer s3cret-value'])
  assert.deepEqual((await injected('$&-$1-{secret}', 'k={secret};')).header, ['authorization', 'k=$&-$1-{secret};'])
})

test('a secret that is missing or cannot stand in a header is refused, and is not in the reason', async () => {
  for (const value of [undefined, 'tiny-7x', 'line\r\nbreak: x', 'nul\0-inside', 'schlüssel-ä', ' padded-value', 'x'.repeat(8193)]) {
    const result = await inject(value)
    assert.ok('kind' in result)
    assert.equal(result.problem.code, 'forward.credential-missing')
    if (value !== undefined) assert.ok(!JSON.stringify(result).includes(value))
  }
  assert.equal(objectionToSecret('x'.repeat(8)), undefined)
  assert.equal(objectionToSecret('x'.repeat(8192)), undefined)
})
