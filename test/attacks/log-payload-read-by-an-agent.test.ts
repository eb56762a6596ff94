// An agent asks every door that it can reach for what others, or it, said.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { Agent, request } from 'undici'
import { configureCapture, everythingSealed, firstCited, payloadFiles, refund, startedCapturing } from '../fixtures/captured.ts'

const said = 'what nobody else may read 5e1f'

test('no door of an agent leads to what was kept, and asking changes nothing', async () => {
  await using whole = await startedCapturing()
  await configureCapture(whole, everythingSealed)
  assert.equal(await refund(whole, { note: said }), '200')
  const { index } = await firstCited(whole)
  const files = await payloadFiles(whole)
  const read = (file: string): Promise<string> => readFile(join(whole.folder, 'bot', file), 'utf8')
  await using dispatcher = Object.assign(
    new Agent({ connect: { key: await read('agent.key'), cert: await read('agent.crt'), ca: await read('bundle.crt') } }),
    {
      [Symbol.asyncDispose]: () => dispatcher.destroy(),
    },
  )
  const { agents, enrolment, operations } = whole.running.addresses
  const doors = [`https://${agents}`, `https://${enrolment}`, `http://${operations}`]
  const [name = ''] = files.map((file) => basename(file))
  const paths = [
    '/v1/payload.read',
    '/v1/payload.erase',
    `/payloads/${name}`,
    `/sallyport/payload/${index}`,
    `/log/payload/${index}`,
    `/http/sallyport/payload.read`,
  ]
  for (const door of doors) {
    for (const path of paths) {
      for (const method of ['GET', 'POST'] as const) {
        const input =
          method === 'POST' ? { headers: { 'content-type': 'application/json' }, body: JSON.stringify({ entry: index, person: 'bot', isTrial: false }) } : {}
        const { statusCode, body } = await request(`${door}${path}`, { dispatcher, method, ...input })
        const text = await body.text()
        assert.ok(statusCode >= 400, `${door}${path}: ${statusCode}`)
        assert.ok(!text.includes(said) && !text.includes(name))
      }
    }
  }
  assert.deepEqual(await payloadFiles(whole), files)
  assert.ok(!(await whole.events()).some((event) => event.type === 'admin' && event.act.startsWith('payload.')))
})
