import { createPrivateKey, createPublicKey, generateKeyPairSync, hash, sign, verify, type KeyObject } from 'node:crypto'
import { constants } from 'node:fs'
import { access, open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Fault } from '@sallyport/contract'
import {
  cosignerKey,
  cosignerKeyText,
  isKeyName,
  parseCosignerKey,
  parsePolicy,
  verifierKeyText,
  type CosignerKey,
  type LogCrypto,
  type VerifierKey,
} from '@sallyport/contract/log'
import { makeFolder, replaceFile } from './durable-files.ts'

/** Node's cryptography for the log's formats. */
export const witnessCrypto: LogCrypto = {
  sha256: (data) => hash('sha256', data, 'buffer'),
  verifyEd25519: (publicKey, message, signature) => {
    try {
      const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(publicKey).toString('base64url') }, format: 'jwk' })
      return verify(null, message, key, signature)
    } catch {
      return false // not a point of the curve
    }
  },
}

/** What lies where in the folder of a witness. */
export function witnessPlaces(folder: string): Readonly<Record<'key' | 'vkey' | 'logs' | 'state', string>> {
  return { key: join(folder, 'witness.key'), vkey: join(folder, 'witness.vkey'), logs: join(folder, 'logs'), state: join(folder, 'state') }
}

export interface WitnessIdentity {
  readonly key: CosignerKey
  readonly sign: (message: Uint8Array) => Uint8Array
}

const logsHeader = '# The logs that this witness cosigns, a line each: log VKEY\n'

/**
 * Makes a witness of this name, with a key of its own, and adds logs by their vkeys; keeps what is there. Safe to repeat.
 *
 * @throws Fault when the folder is that of a witness of another name, or a vkey is not one; nothing is added then
 */
export async function makeWitness(folder: string, name: string, logs: readonly string[]): Promise<WitnessIdentity> {
  const places = witnessPlaces(folder)
  await makeFolder(folder)
  await makeFile(places.key, generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }).toString())
  await makeFile(places.vkey, `${cosignerKeyText(keyOf(name, await readPrivateKey(places.key)))}\n`)
  await makeFile(places.logs, logsHeader)
  const identity = await readWitness(folder)
  if (identity.key.name !== name) throw new Fault(`${folder} is the folder of the witness ${identity.key.name}: give ${name} one of its own`, 'not-done')
  const known = new Set((await readLogs(folder)).map(verifierKeyText))
  const lines = logs.filter((vkey) => !known.has(vkey)).map((vkey) => `log ${vkey}\n`)
  const text = `${await readText(places.logs)}${lines.join('')}`
  parseLogs(Buffer.from(text), places.logs)
  if (lines.length > 0) await replaceFile(places.logs, text)
  return identity
}

/** @throws Fault when there is no witness, or its key is damaged, another's or open to others */
export async function readWitness(folder: string): Promise<WitnessIdentity> {
  const places = witnessPlaces(folder)
  const privateKey = await readPrivateKey(places.key)
  const key = parseCosignerKey((await readText(places.vkey)).trim(), witnessCrypto.sha256)
  if (!key || cosignerKeyText(keyOf(key.name, privateKey)) !== cosignerKeyText(key))
    throw new Fault(`${places.vkey} does not belong to ${places.key}`, 'not-done')
  return { key, sign: (message) => sign(null, message, privateKey) }
}

/** The keys of the logs that it knows; several may be of one log. @throws Fault that names the line which is wrong */
export async function readLogs(folder: string): Promise<readonly VerifierKey[]> {
  const { logs } = witnessPlaces(folder)
  return parseLogs(Buffer.from(await readText(logs)), logs)
}

/** Lines of a tlog-policy, of which there are only those that name logs. */
function parseLogs(bytes: Uint8Array, path: string): readonly VerifierKey[] {
  const parsed = parsePolicy(Buffer.concat([bytes, Buffer.from('quorum none\n')]), witnessCrypto.sha256)
  if (parsed.kind === 'refused') throw new Fault(`${path} line ${parsed.line}: ${parsed.reason}`, 'not-done')
  if (parsed.policy.witnesses.length > 0) throw new Fault(`${path} names a witness: it takes lines "log VKEY" only`, 'not-done')
  return parsed.policy.logs.map(({ key }) => key)
}

function keyOf(name: string, privateKey: KeyObject): CosignerKey {
  const { x } = createPublicKey(privateKey).export({ format: 'jwk' })
  if (privateKey.asymmetricKeyType !== 'ed25519' || x === undefined) throw new Fault('the key of the witness is no Ed25519 key', 'not-done')
  if (!isKeyName(name))
    throw new Fault(`${JSON.stringify(name)} is no name for a witness: use one such as witness.example/w1, without spaces and plus signs`, 'not-done')
  return cosignerKey(name, Buffer.from(x, 'base64url'), witnessCrypto.sha256)
}

/** The open file is what is checked: a check by name could look at one file and read another. */
async function readPrivateKey(path: string): Promise<KeyObject> {
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
    try {
      const { mode, uid } = await file.stat()
      if ((mode & 0o077) !== 0 || (process.getuid && uid !== process.getuid())) {
        throw new Fault(`${path} is open to others: chmod 600 it, and treat the key as stolen`, 'not-done')
      }
      return createPrivateKey(await file.readFile('utf8'))
    } finally {
      await file.close()
    }
  } catch (error) {
    if (error instanceof Fault) throw error
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    const what = isMissing ? `there is no witness: the file ${path} is missing` : `${path} cannot be read as a private key`
    throw new Fault(`${what}: run "sallyport witness init", or name its folder with --data`, 'not-done', error)
  }
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw new Fault(`${path} cannot be read`, 'not-done', error)
  }
}

/** Makes a file, unless there is one. */
async function makeFile(path: string, text: string): Promise<void> {
  const isThere = await access(path).then(
    () => true,
    () => false,
  )
  if (!isThere) await replaceFile(path, text)
}
