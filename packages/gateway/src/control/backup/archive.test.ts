import assert from 'node:assert/strict'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import { Fault } from '@sallyport/contract'
import { memberOf, packArchive, unpackArchive } from './archive.ts'
import { packTar, type Member } from './tar.ts'

const facts = { version: '0.1.0', madeAt: '2026-01-01T00:00:00.000Z', trustDomain: 'agents.example', log: { size: 1, key: 'vkey' } }

async function* these<Value>(values: readonly Value[]): AsyncGenerator<Value> {
  yield* values
}

const members = (): AsyncGenerator<Member> =>
  these([memberOf('log.key', Buffer.from('key')), memberOf('log/tile/entries/x001/234.p/7', Buffer.alloc(1024, 1)), memberOf('log.head', Buffer.alloc(0))])

async function unpacked(archive: Uint8Array): Promise<Record<string, number>> {
  const found: Record<string, number> = {}
  await unpackArchive(these([archive]), async (name, content) => void (found[name] = (await buffer(content)).length))
  return found
}

test('every file comes out as it went in', async () => {
  assert.deepEqual(await unpacked(await buffer(packArchive(members(), facts))), { 'log.key': 3, 'log/tile/entries/x001/234.p/7': 1024, 'log.head': 0 })
})

test('a name that no backup has is never taken out, nor is a link, a name that is there twice or an archive without its manifest', async () => {
  for (const name of ['../log.key', '/etc/passwd', 'log/../../x', 'ca/root-x.key', 'log/journal/1.batches', 'admin.sock', 'log/tile/entries/../001']) {
    const archive = await buffer(packTar(these([memberOf(name, Buffer.from('x'))]), 0))
    await assert.rejects(unpacked(archive), (error) => error instanceof Fault && error.message.includes('no backup has'), name)
  }
  const twice = these([memberOf('log.key', Buffer.from('a')), memberOf('log.key', Buffer.from('b'))])
  await assert.rejects(unpacked(await buffer(packArchive(twice, facts))), /twice/)
  await assert.rejects(unpacked(await buffer(packTar(members(), 0))), /manifest is missing/)
  const linked = await buffer(packTar(members(), 0))
  linked.write('2', 156)
  await assert.rejects(unpacked(linked), /no archive of Sallyport/)
})

test('bytes after the end, and a file that grew while it was copied, are refused', async () => {
  const archive = await buffer(packArchive(members(), facts))
  await assert.rejects(unpacked(Buffer.concat([archive, Buffer.from([0])])), /after its end/)
  await assert.rejects(buffer(packTar(these([{ ...memberOf('log.key', Buffer.from('longer')), bytes: 3 }]), 0)), /changed while/)
})
