import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { identityInFolder, openLink } from '@sallyport/runtime'
import { objectionToBubblewrap } from '../../packages/gateway/src/drivers/stdio-server/sandbox.ts'
import { clock, wholeGateway, type WholeGateway } from '../fixtures/whole-gateway.ts'

const script = fileURLToPath(new URL('../fixtures/mcp-spying-server.ts', import.meta.url))
const nobody = 65_534
const bwrap = spawnSync('sh', ['-c', 'command -v bwrap'], { encoding: 'utf8' }).stdout.trim()
const objection = bwrap === '' ? 'bubblewrap is not installed' : await objectionToBubblewrap(bwrap)
const canBeNobody = process.getuid?.() === 0 && spawnSync(process.execPath, ['--check', script], { uid: nobody, gid: nobody }).status === 0

const found = z.object({
  uid: z.number(),
  environment: z.record(z.string(), z.string()),
  capabilities: z.string(),
  opened: z.array(z.string()),
  read: z.array(z.string()),
  written: z.array(z.string()),
  dialled: z.array(z.string()),
})

/** What a hostile program finds of the gateway that runs it. */
async function spied(settings: object, whole: WholeGateway, ...write: readonly string[]): Promise<z.infer<typeof found>> {
  const spy = { protocol: 'mcp', tools: 'unpinned', command: [process.execPath, script], ...settings }
  await whole.configure([{ id: 'all', match: { upstream: 'spy', action: '*' }, then: 'permit' }], [], '127.0.0.1:0', { spy })
  const { addresses } = await whole.start()
  await whole.enrolAgent()
  const [host = '', port = ''] = addresses.agents.split(':')
  const link = await openLink({ identity: identityInFolder(join(whole.folder, 'bot')), gateway: { host, port: Number(port) }, clock, report: () => undefined })
  try {
    const read = ['sealing.key', 'log.key', 'state.db', 'ca/trust.json'].map((name) => join(whole.data, name))
    const dial = [join(whole.data, 'admin.sock'), whole.apiPort]
    const params = { name: 'spy', arguments: { read: [...read, whole.configurationFile], write, dial } }
    const answer = await link.request({
      method: 'POST',
      path: '/mcp/spy',
      headers: [
        ['content-type', 'application/json'],
        ['accept', 'application/json, text/event-stream'],
      ],
      body: Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params })),
      headMsMax: 20_000,
    })
    const text = Buffer.concat(await answer.body.toArray()).toString('utf8')
    const result: { readonly result?: { readonly content?: readonly { readonly text: string }[] } } = JSON.parse(text)
    return found.parse(JSON.parse(result.result?.content?.[0]?.text ?? assert.fail(text)))
  } finally {
    await link.close()
  }
}

test('without a sandbox a program reads every key and reaches the admin socket, and the gateway says so', async () => {
  await using whole = await wholeGateway()
  const { read, opened, dialled } = await spied({ sandbox: 'none' }, whole)
  assert.deepEqual(read, ['read', 'read', 'read', 'read', 'read'])
  assert.ok(opened.length > 0)
  assert.deepEqual(dialled, ['connected', 'connected'])
  assert.match(whole.running.warnings.join(), /upstreams\.spy runs without a sandbox/)
})

test(
  '[T15] under bubblewrap a program sees no key, no admin socket, no other process and no network, and may write its own folder',
  { skip: objection ?? false },
  async () => {
    await using whole = await wholeGateway()
    const outside = join(whole.folder, 'planted')
    const { read, opened, dialled, written, capabilities, environment } = await spied(
      { readable: [dirname(script), whole.folder] },
      whole,
      outside,
      '/etc/planted',
    )
    assert.deepEqual(read, ['ENOENT', 'ENOENT', 'ENOENT', 'ENOENT', 'EACCES'])
    assert.deepEqual(opened, [])
    assert.deepEqual(dialled, ['ENOENT', 'ECONNREFUSED'])
    assert.deepEqual(written, ['written', 'EROFS', 'EROFS'])
    assert.equal(capabilities, '0')
    assert.deepEqual(Object.keys(environment), ['PWD'])
    assert.deepEqual(whole.running.warnings, [])
  },
)

test(
  'under bubblewrap the network and further folders are there when the configuration says so, the keys even then not',
  { skip: objection ?? false },
  async () => {
    await using whole = await wholeGateway()
    const { read, dialled, written } = await spied({ readable: [dirname(script)], writable: [whole.folder], network: true }, whole, join(whole.folder, 'kept'))
    assert.ok(read.every((outcome) => outcome === 'ENOENT' || outcome === 'EACCES'))
    assert.deepEqual(dialled, ['ENOENT', 'connected'])
    assert.deepEqual(written, ['written', 'written'])
    assert.equal(await readFile(join(whole.folder, 'kept'), 'utf8'), 'x')
  },
)

test(
  'as another user a program reads no key and reaches no admin socket',
  { skip: canBeNobody ? false : 'only root can start a program as another user' },
  async () => {
    await using whole = await wholeGateway()
    const { uid, read, opened, dialled, written, capabilities } = await spied({ sandbox: `user:${nobody}` }, whole)
    assert.equal(uid, nobody)
    assert.ok(read.every((outcome) => outcome === 'EACCES'))
    assert.deepEqual(opened, [])
    assert.deepEqual(dialled, ['EACCES', 'connected'])
    assert.deepEqual(written, ['written'])
    assert.equal(capabilities, '0')
  },
)
