import assert from 'node:assert/strict'
import { request } from 'node:http'
import test from 'node:test'
import { people, startLogin } from '../fixtures/people.ts'

test('the login pages answer to their own name alone (DNS rebinding)', async () => {
  await using all = await people()
  const { hostname, port, pathname, host } = new URL((await startLogin(all)).link)
  const ask = (name: string): Promise<number | undefined> =>
    new Promise((resolve, reject) =>
      request({ hostname, port, path: pathname, headers: { host: name }, agent: false }, (answer) => {
        answer.resume()
        resolve(answer.statusCode)
      })
        .once('error', reject)
        .end(),
    )
  assert.equal(await ask(host), 200)
  assert.equal(await ask(`evil.example:${port}`), 404)
  assert.equal(await ask(`localhost:${port}`), 404)
})
