import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { envelopeOf, sha256, statementOf } from '../../release/provenance.ts'
import { blocks, section } from '../fixtures/docs-shell.ts'
import { npmTarball } from '../fixtures/npm-tarball.ts'

const program = join(import.meta.dirname, '../../release/verify.mjs')
const provenance = {
  source: 'git+https://git.example/sallyport.git',
  commit: 'a'.repeat(40),
  lockfile: 'b'.repeat(64),
  builder: 'https://ci.example/release',
  version: '0.1.0',
}
const names = ['sallyport-contract-0.1.0.tgz', 'sallyport-0.1.0.tar.gz'] as const
const statementName = 'sallyport-0.1.0.dsse.json'

interface Download {
  readonly folder: string
  readonly statement: object
  readonly key: KeyObject
}

/** What a user has downloaded, with the key that they got elsewhere. */
function download(t: TestContext): Download {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-release-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  for (const name of names) writeFileSync(join(folder, name), npmTarball([{ path: 'package/a.ts', content: name }]))
  const subject = names.map((name) => ({ name, digest: { sha256: sha256(readFileSync(join(folder, name))) } }))
  const statement = statementOf(subject, provenance)
  writeFileSync(join(folder, statementName), envelopeOf(statement, privateKey))
  writeFileSync(join(folder, 'sallyport-release.pem'), publicKey.export({ type: 'spki', format: 'pem' }))
  return { folder, statement, key: privateKey }
}

function verify(folder: string, files: readonly string[] = names, key = 'sallyport-release.pem'): { readonly code: number | null; readonly said: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, '--key', key, statementName, ...files], { cwd: folder, encoding: 'utf8' })
  return { code: status, said: stdout + stderr }
}

test('what was released is taken, and where it comes from is told', (t) => {
  const { folder } = download(t)
  assert.deepEqual(verify(folder), {
    code: 0,
    said: `ok  ${names[0]}\nok  ${names[1]}\nfrom commit ${provenance.commit} of ${provenance.source}, built by ${provenance.builder}\n`,
  })
})

test('a tarball that was tampered with is refused', (t) => {
  const { folder } = download(t)
  writeFileSync(join(folder, names[0]), npmTarball([{ path: 'package/a.ts', content: 'otherwise' }]))
  const { code, said } = verify(folder)
  assert.equal(code, 1)
  assert.match(said, /^REFUSED: sallyport-contract-0\.1\.0\.tgz is not the file that was released/)
})

test('a statement under another key is refused, and so is a key that is none', (t) => {
  const { folder, statement } = download(t)
  writeFileSync(join(folder, statementName), envelopeOf(statement, generateKeyPairSync('ed25519').privateKey))
  assert.match(verify(folder).said, /^REFUSED: no signature of the statement is by this key/)
  writeFileSync(join(folder, 'rsa.pem'), generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ type: 'spki', format: 'pem' }))
  assert.match(verify(folder, names, 'rsa.pem').said, /^REFUSED: the key is not an Ed25519 key/)
})

test('a file that the statement does not name is refused, under a name of one that it does, too', (t) => {
  const { folder } = download(t)
  writeFileSync(join(folder, 'sallyport-more-0.1.0.tgz'), 'more')
  assert.deepEqual(verify(folder, [...names, 'sallyport-more-0.1.0.tgz']).code, 1)
  writeFileSync(join(folder, names[1]), readFileSync(join(folder, names[0])))
  assert.match(verify(folder, [names[1]]).said, /^REFUSED: sallyport-0\.1\.0\.tar\.gz is not the file/)
})

test('a payload, a type or a kind of statement that was changed under the signature is refused', (t) => {
  const { folder, statement, key } = download(t)
  const envelope: Record<string, unknown> = JSON.parse(readFileSync(join(folder, statementName), 'utf8'))
  const payload = Buffer.from(JSON.stringify({ ...statement, subject: [] })).toString('base64')
  const changes: readonly (readonly [text: string, why: RegExp])[] = [
    [JSON.stringify({ ...envelope, payload }), /no signature/],
    [JSON.stringify({ ...envelope, payloadType: 'text/plain' }), /does not hold an in-toto statement/],
    [JSON.stringify({ ...envelope, signatures: [] }), /no signature/],
    [JSON.stringify({ ...envelope, signatures: [{ sig: 7 }] }), /not well-formed/],
    [JSON.stringify({ ...envelope, payload: `${String(envelope['payload'])}\n` }), /not well-formed/],
    [envelopeOf({ ...statement, predicateType: 'https://example/other' }, key), /no SLSA provenance/],
    ['{', /REFUSED/],
    [' '.repeat(1024 * 1024 + 1), /too large/],
  ]
  for (const [text, why] of changes) {
    writeFileSync(join(folder, statementName), text)
    const { code, said } = verify(folder)
    assert.equal(code, 1, said)
    assert.match(said, why)
  }
})

const missing = ['jq', 'openssl', 'sha256sum'].filter((name) => spawnSync(name, ['--version']).error)
test(
  'the commands of docs/operate/release.md that need nothing of ours take the same and refuse the same',
  { skip: missing.length > 0 && missing.join() },
  async (t) => {
    const { folder } = download(t)
    const [, script = ''] = blocks(await section('docs/operate/release.md', 'Verify what you downloaded'), 'sh')
    const run = (): number | null => spawnSync('bash', ['-e', '-o', 'pipefail', '-c', script], { cwd: folder }).status
    assert.equal(run(), 0)
    writeFileSync(join(folder, names[1]), 'other')
    assert.notEqual(run(), 0, 'a file that was tampered with')
    const other = download(t)
    writeFileSync(join(other.folder, 'sallyport-release.pem'), readFileSync(join(folder, 'sallyport-release.pem')))
    assert.notEqual(spawnSync('bash', ['-e', '-o', 'pipefail', '-c', script], { cwd: other.folder }).status, 0, 'another key')
  },
)
