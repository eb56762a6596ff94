/**
 * `npm run release:check -- --key KEY.pem --commit COMMIT --source URI --builder URI [--out FOLDER]`: makes the files of a release, checks them, and signs what they are.
 * Without a key it checks and signs nothing.
 */
import { createPrivateKey } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { assertCleanCommit, makeRelease, writeAll } from './make.ts'
import { ownPackages } from './packages.ts'
import { envelopeOf, sha256, statementOf } from './provenance.ts'
import { run } from './run.ts'

const root = join(import.meta.dirname, '..')
const { values } = parseArgs({
  options: {
    key: { type: 'string' },
    commit: { type: 'string' },
    source: { type: 'string' },
    builder: { type: 'string' },
    out: { type: 'string', default: 'dist' },
  },
})
const commit = values.commit ?? run('git', ['rev-parse', 'HEAD'], root).toString('utf8').trim()
assertCleanCommit(root, commit)
const files = await makeRelease(root, commit)
const subject = [...files].map(([name, bytes]) => ({ name, digest: { sha256: sha256(bytes) } }))
for (const { name, digest } of subject) process.stdout.write(`${digest.sha256}  ${name}\n`)
if (values.key === undefined) {
  process.stdout.write('all is as it should be; nothing was written, since there is no --key\n')
} else {
  const { source, builder } = values
  if (source === undefined || builder === undefined) throw new Error('a statement needs --source and --builder')
  const key = createPrivateKey(await readFile(values.key))
  if (key.asymmetricKeyType !== 'ed25519') throw new Error('the key is not an Ed25519 key')
  const { version } = ownPackages(root)
  const lockfile = sha256(await readFile(join(root, 'package-lock.json')))
  const statement = statementOf(subject, { source, commit, lockfile, builder, version })
  await mkdir(values.out, { recursive: true })
  const signed = new Map<string, Uint8Array | string>(files).set(`sallyport-${version}.dsse.json`, envelopeOf(statement, key))
  await writeAll(signed, values.out)
  process.stdout.write(`signed; all of it is in ${values.out}\n`)
}
