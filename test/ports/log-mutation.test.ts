import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { logKeyText } from '../../packages/gateway/src/audit/log-key.ts'
import { cosignFolder, policyFor, verifyUnder } from '../fixtures/cosigned-log.ts'
import { layLog, newSigner, temporaryFolder } from '../fixtures/log-folder.ts'
import { mutationsOf } from '../fixtures/log-mutations.ts'
import { runningWitness } from '../fixtures/running-witness.ts'

for (const size of [255, 256, 257]) {
  test(`whichever byte of a cosigned log of ${size} entries is changed, added or cut off, it does not verify [L1] [L5]`, async (t) => {
    const folder = temporaryFolder(t)
    const signer = newSigner()
    await using witness = await runningWitness([logKeyText(signer)])
    const policy = policyFor(signer, [witness.vkey])
    await layLog(folder, signer, size)
    await cosignFolder(folder, signer, [witness])
    assert.equal((await verifyUnder(policy, folder)).kind, 'verified')
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((file) => (file.isFile() ? [join(file.parentPath, file.name)] : []))
    assert.ok(files.length >= 4, `${files.length} files`)
    const change = fc.constantFrom('flip', 'cut', 'insert')
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...files),
        fc.double({ min: 0, max: 0.999_999, noNaN: true }),
        fc.integer({ min: 1, max: 255 }),
        change,
        async (file, where, mask, how) => {
          const good = readFileSync(file)
          const at = Math.floor(where * good.length)
          const bad =
            how === 'flip'
              ? good.map((byte, index) => (index === at ? byte ^ mask : byte))
              : Buffer.concat([good.subarray(0, at), how === 'insert' ? Buffer.of(mask) : Buffer.alloc(0), good.subarray(how === 'cut' ? at + 1 : at)])
          writeFileSync(file, bad)
          const verdict = await verifyUnder(policy, folder)
          writeFileSync(file, good)
          assert.equal(verdict.kind, 'fault', `${file} at ${at}: ${how} ${mask}`)
          assert.ok(verdict.kind === 'fault' && verdict.text.length > 0)
        },
      ),
      { numRuns: 60 },
    )
  })
}

for (const size of [255, 256, 257]) {
  test(`each kind of byte in a cosigned log of ${size} entries is changed: the fault is found, and an altered entry is named [L1] [L5]`, async (t) => {
    const folder = temporaryFolder(t)
    const signer = newSigner()
    await using witness = await runningWitness([logKeyText(signer)])
    const policy = policyFor(signer, [witness.vkey])
    await layLog(folder, signer, size)
    await cosignFolder(folder, signer, [witness])
    const mutations = mutationsOf(folder, size)
    for (const kind of ['line 0 of a note', 'line 4 of a note', 'the length of an entry', 'an entry', 'a hash of level 0']) {
      assert.ok(
        mutations.some((mutation) => mutation.kind === kind),
        kind,
      )
    }
    for (const { kind, file, at, index } of mutations) {
      const good = readFileSync(file)
      const bit = 1 << (at % 8)
      for (const mask of [bit, 0xff]) {
        writeFileSync(
          file,
          good.map((byte, where) => (where === at ? byte ^ mask : byte)),
        )
        const verdict = await verifyUnder(policy, folder)
        assert.ok(verdict.kind === 'fault', `${kind}: ${file} at ${at}, ${mask}`)
        if (index !== undefined) assert.equal(verdict.index, index, `${kind}: ${verdict.text}`)
      }
      writeFileSync(file, good)
    }
    assert.equal((await verifyUnder(policy, folder)).kind, 'verified')
  })
}
