import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { leafHash, tileWidth, Tree, verifyLog, verifyProof } from '@sallyport/contract/log'
import { logKeyText, nodeLogCrypto } from '../../packages/gateway/src/audit/log-key.ts'
import { prove } from '../../packages/gateway/src/audit/prove.ts'
import { readBundle } from '../../packages/gateway/src/audit/reader.ts'
import { viewLogFolder } from '../../packages/gateway/src/drivers/posix-log/log-folder.ts'
import { cosignFolder, policyFor, verifyUnder } from '../fixtures/cosigned-log.ts'
import { layLog, newSigner, signCheckpoint, temporaryFolder } from '../fixtures/log-folder.ts'
import { mutationsOf } from '../fixtures/log-mutations.ts'
import { runningWitness } from '../fixtures/running-witness.ts'

for (const size of [65_535, 65_536, 65_537]) {
  test(`a cosigned log of ${size} entries verifies, from any prefix; any proof of it holds; and a change of any kind of byte is found [L1] [L5]`, async (t) => {
    const folder = temporaryFolder(t)
    const signer = newSigner()
    await using witness = await runningWitness([logKeyText(signer)])
    const policy = policyFor(signer, [witness.vkey])
    await layLog(folder, signer, size)
    await cosignFolder(folder, signer, [witness])
    const view = viewLogFolder(folder)

    const prefixes = new Set(
      [1, 2, 255, 256, 257, 511, 512, 513, 32_768, 65_279, 65_280, 65_281, 65_534, 65_535, 65_536, 65_537].filter((prefix) => prefix <= size),
    )
    const earlier: string[] = []
    const tree = new Tree(nodeLogCrypto.sha256, () => undefined)
    for (let bundle = 0; bundle * tileWidth < size; bundle += 1) {
      for (const entry of await readBundle(view, bundle, size)) {
        tree.append(leafHash(nodeLogCrypto.sha256, entry))
        if (prefixes.has(tree.size)) earlier.push(await signCheckpoint(signer, tree.size, tree.root()))
      }
    }
    const verdict = await verifyUnder(policy, folder, earlier)
    assert.ok(verdict.kind === 'verified', verdict.kind === 'fault' ? verdict.text : '')
    assert.deepEqual([verdict.size, earlier.length, verdict.cosigned?.size], [size, prefixes.size, size])

    for (const index of [0, 1, 254, 255, 256, 257, 32_767, 32_768, 65_279, 65_280, 65_534, 65_535, 65_536].filter((one) => one < size)) {
      const proved = await prove(view, index, policy)
      assert.ok(proved.kind === 'proved', proved.kind === 'refused' ? proved.reason : '')
      assert.equal(verifyProof(proved.proof, proved.entry, policy, nodeLogCrypto).kind, 'proved')
      const other = Buffer.concat([proved.entry, Buffer.of(0x20)])
      assert.equal(verifyProof(proved.proof, other, policy, nodeLogCrypto).kind, 'refused')
      const lines: readonly string[] = proved.proof.split('\n')
      for (const [at, line] of lines.entries()) {
        if (line === '') continue
        const changed: string = lines.with(at, line.startsWith('index ') ? `index ${(index + 1) % size}` : line.slice(0, -2)).join('\n')
        assert.equal(verifyProof(changed, proved.entry, policy, nodeLogCrypto).kind, 'refused', `${index}: line ${at}`)
      }
    }

    for (const { kind, file, at, index } of mutationsOf(folder, size)) {
      const good = readFileSync(file)
      writeFileSync(
        file,
        good.map((byte, where) => (where === at ? byte ^ 0x40 : byte)),
      )
      const found = await verifyLog(view, policy, nodeLogCrypto, { hashesOnly: true })
      writeFileSync(file, good)
      assert.ok(found.kind === 'fault', `${kind}: ${file} at ${at}`)
      if (index !== undefined) assert.equal(found.index, index, `${kind}: ${found.text}`)
    }
  })
}
