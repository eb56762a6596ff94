import assert from 'node:assert/strict'
import { request } from 'node:http'
import { test } from 'node:test'
import { wholeGateway } from '../fixtures/whole-gateway.ts'

test('a page has its own name point to the listener of the log: it is refused, and no page of another origin may read [L5]', async () => {
  await using whole = await wholeGateway()
  await whole.configure([], [], undefined, {}, { log: { listen: '127.0.0.1:0' }, names: ['gateway.example', '127.0.0.1'] })
  const { addresses } = await whole.start()
  const [hostname = '', port = ''] = (addresses.log ?? '').split(':')
  const ask = (host: string): Promise<{ status: number | undefined; allows: unknown; text: string }> =>
    new Promise((resolve, reject) => {
      const sent = request({ hostname, port, path: '/checkpoint', headers: { host, origin: 'https://evil.example' }, agent: false }, (answer) => {
        let text = ''
        answer.on('data', (piece: Buffer) => (text += piece.toString()))
        answer.on('end', () => resolve({ status: answer.statusCode, allows: answer.headers['access-control-allow-origin'], text }))
      })
      sent.on('error', reject)
      sent.end()
    })
  for (const host of ['evil.example', `evil.example:${port}`, '127.0.0.1.evil.example', 'localhost.evil.example', 'gateway.example.evil']) {
    const { status, text } = await ask(host)
    assert.equal(status, 421, host)
    assert.ok(!text.includes('agents.example'), host)
  }
  for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, 'gateway.example', '[::1]:8447']) {
    const { status, allows, text } = await ask(host)
    assert.deepEqual([status, allows], [200, undefined], host)
    assert.match(text, /^agents\.example\/sallyport\n/)
  }
})
