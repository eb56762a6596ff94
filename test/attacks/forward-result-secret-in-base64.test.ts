// An agent that may read files asks for them encoded, as shells and APIs offer it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { denySecrets, credential, redactSecrets, seeAnswer } from '../fixtures/results.ts'

const file = `# settings of the deployment\nexport TOKEN=${credential}\nexport STAGE=production\n`
const encodings: Readonly<Record<string, string>> = {
  base64: Buffer.from(file).toString('base64'),
  base64url: Buffer.from(file).toString('base64url'),
  'lines of base64': (
    Buffer.from(file)
      .toString('base64')
      .match(/.{1,76}/g) ?? []
  ).join('\n'),
  hexadecimal: Buffer.from(file).toString('hex'),
  'percent encoding': Array.from(file, (character) => `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`).join(''),
}

for (const [name, encoded] of Object.entries(encodings)) {
  test(`a credential in ${name} is found, and what stands around it stays`, async () => {
    const body = JSON.stringify({ path: '.env', content: encoded, size: file.length })
    const pieces = body.match(/[^]{1,37}/g) ?? []
    const { body: seen, facts } = await seeAnswer({ pieces }, [redactSecrets])
    const { content, ...rest } = JSON.parse(seen)
    assert.deepEqual(rest, { path: '.env', size: file.length })
    assert.match(content, /\[redacted secret\/github-token\]/)
    const [before = '', after = ''] = content.split('[redacted secret/github-token]')
    assert.ok(encoded.startsWith(before) && encoded.endsWith(after) && before.length > 40)
    assert.ok(before.length + after.length < encoded.length - credential.length)
    assert.equal(facts?.found?.[0]?.count, 1)
    assert.equal((await seeAnswer({ pieces }, [denySecrets])).code, 'policy.result-denied')
  })
}
