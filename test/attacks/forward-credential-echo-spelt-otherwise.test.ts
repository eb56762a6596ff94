// A server repeats what it was sent in the spelling of its language and framework, often in several on top of each other.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { HttpForwarding, loopbackAllowed } from '../fixtures/http-forwarding.ts'
import { RawUpstream } from '../fixtures/raw-upstream.ts'

const secret = 'ab/cdEF+gh&ij/kl=='

async function seenOf(body: string, of = secret, header = ''): Promise<{ readonly body: string; readonly header: string | undefined }> {
  await using upstream = await RawUpstream.start(
    (socket) => void socket.write(`HTTP/1.1 200 OK\r\nx-echo: ${header}\r\ncontent-length: ${body.length}\r\n\r\n${body}`),
  )
  await using forwarding = new HttpForwarding({ url: upstream.url, ...loopbackAllowed, credential: { secret: 'crm' } }, { secret: of })
  const seen = await forwarding.call()
  return { body: seen.body, header: seen.headers.get('x-echo') }
}

const encoders: Readonly<Record<string, (text: string) => string>> = {
  'JSON of PHP': (text) => JSON.stringify(text).slice(1, -1).replaceAll('/', '\\/'),
  'JSON of Go': (text) =>
    JSON.stringify(text)
      .slice(1, -1)
      .replace(/[&<>+]/g, (found) => `\\u00${found.charCodeAt(0).toString(16)}`),
  'JSON in upper-case hexadecimal': (text) => text.replace(/[&/+=]/g, (found) => `\\u00${found.charCodeAt(0).toString(16).toUpperCase()}`),
  'HTML of Handlebars': (text) => text.replaceAll('&', '&amp;').replaceAll('=', '&#x3D;').replaceAll('/', '&#x2F;').replaceAll("'", '&#39;'),
  'HTML of Go': (text) => text.replaceAll('&', '&amp;').replaceAll('+', '&#43;'),
  'HTML with names': (text) => text.replaceAll('&', '&amp;').replaceAll('+', '&plus;').replaceAll('/', '&sol;').replaceAll('=', '&equals;'),
  'a URL': encodeURIComponent,
  'a URL in lower case': (text) => encodeURIComponent(text).replace(/%../g, (found) => found.toLowerCase()),
  'a form': (text) => new URLSearchParams({ a: text }).toString().slice('a='.length),
  'a string of Python': (text) => text.replace(/[&/+=]/g, (found) => `\\x${found.charCodeAt(0).toString(16)}`),
  'upper case': (text) => text.toUpperCase(),
}

const digests: Readonly<Record<string, (text: string) => string>> = {
  hexadecimal: (text) => Buffer.from(text).toString('hex'),
  'upper-case hexadecimal': (text) => Buffer.from(text).toString('hex').toUpperCase(),
  base64: (text) => Buffer.from(text).toString('base64'),
  base64url: (text) => Buffer.from(text).toString('base64url'),
  'base64 of a text around it, at one offset': (text) => Buffer.from(`{"a":"${text}"}`).toString('base64'),
  'base64 of a text around it, at another': (text) => Buffer.from(`{"ab":"${text}"}`).toString('base64'),
  'base64 of a text around it, at the third': (text) => Buffer.from(`{"abc":"${text}"}`).toString('base64url'),
}

function assertMasked(text: string, aroundMax: number): void {
  assert.match(text, /\*{16}/)
  const longest = Math.max(...text.split('*').map(({ length }) => length))
  assert.ok(longest <= aroundMax, `${text} shows more than what stands around the credential`)
}

for (const [name, encode] of Object.entries({ ...encoders, ...digests })) {
  test(`an echo as ${name} does not show the credential [T15]`, async () => {
    const { body, header } = await seenOf(`<${encode(`Bearer ${secret}`)}>`, secret, encode(secret))
    assertMasked(body, 24)
    assertMasked(header ?? '', 12)
  })
}

test('any credential in any of these spellings, on top of each other, is masked [T15]', async () => {
  const character = fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code).replace('\\', 'b'))
  const printable = fc.string({ unit: character, minLength: 12, maxLength: 40 })
  const layers = fc.array(fc.constantFrom(...Object.values(encoders)), { maxLength: 3 })
  await fc.assert(
    fc.asyncProperty(printable, layers, async (value, encode) => {
      const text = `<${encode.reduce((spelt, layer) => layer(spelt), value)}>`
      assert.match((await seenOf(text, value)).body, /^<\*+>$/, text)
    }),
    { numRuns: 100 },
  )
})

test('of a Basic credential the password alone is masked [T15]', async () => {
  const basic = Buffer.from('svcuser:hunter2hunter2x').toString('base64')
  const { body } = await seenOf('user=svcuser wrong password=hunter2hunter2x', basic)
  assert.equal(body, `user=svcuser wrong password=${'*'.repeat(15)}`)
})

test('what only looks like the beginning of an escape hides no credential behind it [T15]', async () => {
  for (const before of ['%', '%4', '\\u00', '\\x', '&#', '&amp', '\\', '%%', '&#x2']) {
    const { body } = await seenOf(`${before}${secret}`)
    assert.ok(!/cdEF/i.test(body), body)
  }
})
