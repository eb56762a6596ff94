#!/usr/bin/env node
// Verifies files of a release: node verify.mjs --key KEY.pem STATEMENT.dsse.json FILE...
// Stands alone, so that it can be read in a minute and run by any Node from 20 on. What it checks, in this order, and refuses with exit code 1:
//   the envelope is DSSE, and one of its signatures is by this Ed25519 key over exactly this payload and type;
//   the payload is an in-toto statement with SLSA provenance;
//   each file is one of its subjects, by name and SHA-256.
// https://github.com/secure-systems-lab/dsse/blob/v1.0.2/protocol.md  https://in-toto.io/Statement/v1  https://slsa.dev/provenance/v1
import { createHash, createPublicKey, verify } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { basename } from 'node:path'

const payloadType = 'application/vnd.in-toto+json'
const envelopeBytesMax = 1024 * 1024

const [option, keyFile, statementFile, ...files] = process.argv.slice(2)
if (option !== '--key' || files.length === 0) {
  process.stderr.write('usage: node verify.mjs --key KEY.pem STATEMENT.dsse.json FILE...\n')
  process.exit(64)
}
try {
  const { subject, predicate } = statementOf(statementFile, createPublicKey(readFileSync(keyFile)))
  for (const file of files) {
    const name = basename(file)
    const known = subject.filter((one) => one.name === name)
    if (known.length !== 1) throw new Error(`${name} is not named in the statement`)
    const digest = createHash('sha256').update(readFileSync(file)).digest('hex')
    if (digest !== known[0].digest.sha256) throw new Error(`${name} is not the file that was released: its SHA-256 is ${digest}`)
    process.stdout.write(`ok  ${name}\n`)
  }
  const [source] = predicate.buildDefinition.resolvedDependencies
  process.stdout.write(`from commit ${source.digest.gitCommit} of ${source.uri}, built by ${predicate.runDetails.builder.id}\n`)
} catch (error) {
  process.stderr.write(`REFUSED: ${error instanceof Error ? error.message : error}\n`)
  process.exit(1)
}

function statementOf(file, key) {
  if (key.asymmetricKeyType !== 'ed25519') throw new Error('the key is not an Ed25519 key')
  if (statSync(file).size > envelopeBytesMax) throw new Error('the statement is too large')
  const envelope = JSON.parse(readFileSync(file, 'utf8'))
  const payload = bytesOf(envelope.payload)
  if (envelope.payloadType !== payloadType) throw new Error('the envelope does not hold an in-toto statement')
  const head = `DSSEv1 ${payloadType.length} ${payloadType} ${payload.length} `
  const signed = Buffer.concat([Buffer.from(head), payload])
  if (!Array.isArray(envelope.signatures) || !envelope.signatures.some(({ sig }) => verify(null, signed, key, bytesOf(sig))))
    throw new Error('no signature of the statement is by this key')
  const statement = JSON.parse(payload.toString('utf8'))
  if (statement._type !== 'https://in-toto.io/Statement/v1' || statement.predicateType !== 'https://slsa.dev/provenance/v1')
    throw new Error('the statement is no SLSA provenance')
  return statement
}

function bytesOf(text) {
  if (typeof text !== 'string' || !/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text))
    throw new Error('the envelope is not well-formed')
  return Buffer.from(text, 'base64')
}
