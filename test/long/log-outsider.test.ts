import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { bundleWidth, leafHash, verifierKeyText } from '@sallyport/contract/log'
import { nodeLogCrypto, verifierKeyOf } from '../../packages/gateway/src/audit/log-key.ts'
import { readLogKey } from '../../packages/gateway/src/control/data-folder.ts'
import { checkpointIn } from '../fixtures/cosigned-log.ts'
import { publishedFile, replaceEntry } from '../fixtures/log-folder.ts'
import { operator } from '../fixtures/operator.ts'
import { buildOutsider } from '../fixtures/outsider/build.ts'
import { runningWitness } from '../fixtures/running-witness.ts'
import { wholeGateway } from '../fixtures/whole-gateway.ts'

const sizeIn = (text: string): number => Number(text.split('\n')[1])

test('golang.org/x/mod verifies the log of a running gateway: checkpoint, cosignatures, tiles, entries, inclusion, consistency and a receipt [L5]', async (t) => {
  await using whole = await wholeGateway()
  const built = buildOutsider(whole.folder)
  if ('missing' in built) return t.skip(built.missing)
  const vkey = verifierKeyText(verifierKeyOf(await readLogKey(whole.data)))
  await using one = await runningWitness([vkey], 'witness.example/w1')
  await using two = await runningWitness([vkey], 'witness.example/w2')
  const log = { listen: '127.0.0.1:0', witnesses: [one, two].map((witness) => ({ vkey: witness.vkey, url: witness.url })) }
  await whole.configure([{ id: 'get', match: { upstream: 'api' }, then: 'permit' }], [], undefined, {}, { log })
  const { addresses } = await whole.start()
  await whole.enrolAgent()
  const agent = await whole.agent()
  const folder = join(whole.data, 'log')
  const call = async (count: number): Promise<number> => {
    for (let id = 0; id < count; id += 1) {
      const answer = await agent.callHttp('api', { method: 'GET', path: `/things/${id}` })
      if (answer.kind === 'answer') answer.body.resume()
    }
    const size = (await whole.events()).length
    for (const end = Date.now() + 20_000; ; await wait(50)) {
      const cosigned = await operator(whole, ['status', '--json'])
      if (JSON.parse(cosigned.stdout).log.cosignedSize >= size) return sizeIn(checkpointIn(folder, 'cosigned'))
      assert.ok(Date.now() < end, cosigned.stdout)
    }
  }
  await call(40)
  const earlier = join(whole.folder, 'earlier')
  await copyFile(join(folder, 'checkpoint'), earlier)
  const size = await call(300)
  assert.ok(size > 512, `${size}`)
  const receipt = join(whole.folder, 'receipt')
  const policy = join(whole.folder, 'policy')
  await writeFile(policy, (await operator(whole, ['log', 'policy'])).stdout)
  await writeFile(receipt, JSON.parse((await operator(whole, ['log', 'prove', '300', '--policy', policy, '--json'])).stdout).proof)
  const asOutsider = async (): Promise<{ status: unknown; text: string }> => {
    // Beside this process, which serves what the program asks for.
    const child = spawn(built.program, [`http://${addresses.log}`, vkey, earlier, receipt, one.vkey, two.vkey], { stdio: ['ignore', 'pipe', 'inherit'] })
    let text = ''
    child.stdout.on('data', (piece: Buffer) => (text += piece.toString()))
    const [status] = await once(child, 'close')
    return { status, text }
  }
  const honest = await asOutsider()
  assert.equal(honest.status, 0, honest.text)
  const [checkpoint, tiles, entries, consistent, received] = honest.text.trim().split('\n')
  assert.match(checkpoint ?? '', /^checkpoint \d+ \S{44}$/)
  assert.deepEqual([tiles, entries, received], ['tiles', `entries ${checkpoint?.split(' ')[1]}`, 'receipt 300'])
  assert.equal(consistent, `consistent with ${sizeIn(await readFile(earlier, 'utf8'))}`)

  // The same program convicts a lie in an entry that the gateway serves.
  assert.equal(bundleWidth(1, size), 256)
  const forged = replaceEntry(folder, 300, size, (entry) => Buffer.from(Buffer.from(entry).toString().replace('"type":"', '"type":"X').slice(0, entry.length)))
  const lied = await asOutsider()
  assert.equal(lied.status, 1)
  assert.match(lied.text, /FAIL (?:the entries hash to the root|entry \d+ is in the log)/)

  // With its hash in the tile exchanged too, the entry fits the tile, and a client that stops there believes it (CVE-2026-56865).
  const tile = publishedFile(folder, 0, 1, size)
  const hashes = await readFile(tile)
  hashes.set(leafHash(nodeLogCrypto.sha256, forged), (300 - 256) * 32)
  await writeFile(tile, hashes)
  const forgedToo = await asOutsider()
  assert.equal(forgedToo.status, 1)
  assert.match(forgedToo.text, /FAIL (?:inclusion|a proof out of the tiles)/) // x/mod before 0.40 hands out the forged hash; the proof made of it fails
})
