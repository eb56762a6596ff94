import { createHash } from 'node:crypto'
import { Fault } from '@sallyport/contract'
import { z } from 'zod'
import { packTar, unpackTar, type Member } from './tar.ts'

export const manifestName = 'manifest.json'
/** Some hundreds of thousands of files. */
const manifestBytesMax = 64 * 1024 ** 2

/** Nothing else is ever taken out of an archive, whatever it says. */
const memberName =
  /^(?:state\.db|sealing\.key|log\.key|log\.head|exports\/[a-z0-9-]{1,63}\.json|payloads\/[0-9]{13}-[A-Za-z0-9_-]{43}-[0-9a-f]{20}-[0-9]{1,8}|ca\/trust\.json|ca\/root-[A-Za-z0-9_-]{43}\.key|log\/checkpoint|log\/tile\/(?:entries|[0-9])\/(?:x[0-9]{3}\/){0,5}[0-9]{3}(?:\.p\/[0-9]{1,3})?)$/

const manifest = z.strictObject({
  format: z.literal(1),
  version: z.string().max(64).meta({ description: 'Of the Sallyport that made it' }),
  madeAt: z.iso.datetime({ precision: 3 }),
  trustDomain: z.string().max(253),
  log: z.strictObject({ size: z.number().int().min(0), key: z.string().max(512).meta({ description: 'The verifier key of the log' }) }),
  files: z.array(z.strictObject({ name: z.string().regex(memberName), bytes: z.number().int().min(0), sha256: z.string().regex(/^[0-9a-f]{64}$/) })),
})

export type Manifest = z.infer<typeof manifest>
export type BackupFacts = Omit<Manifest, 'format' | 'files'>

/** Packs the files and, as the last one, the manifest with the SHA-256 of each. */
export function packArchive(members: AsyncIterable<Member>, facts: BackupFacts): AsyncGenerator<Uint8Array> {
  return packTar(withManifest(members, facts), Date.parse(facts.madeAt) / 1000)
}

async function* withManifest(members: AsyncIterable<Member>, facts: BackupFacts): AsyncGenerator<Member> {
  const files: Manifest['files'] = []
  for await (const member of members) {
    const digest = createHash('sha256')
    yield { ...member, content: digesting(member.content, digest) }
    files.push({ name: member.name, bytes: member.bytes, sha256: digest.digest('hex') })
  }
  const text = Buffer.from(`${JSON.stringify({ format: 1, ...facts, files } satisfies Manifest, null, 1)}\n`)
  if (text.length > manifestBytesMax) throw new Fault('there are too many files for one archive', 'not-done')
  yield memberOf(manifestName, text)
}

/**
 * Hands every file to `keep` and gives the manifest, once each digest was compared with it.
 *
 * @throws Fault `not-done` for a name that no backup has, a digest that differs, a file too many or too few; what was kept until then is not to be used
 */
export async function unpackArchive(
  source: AsyncIterable<Uint8Array>,
  keep: (name: string, content: AsyncIterable<Uint8Array>) => Promise<void>,
): Promise<Manifest> {
  const found = new Map<string, string>()
  let said: Manifest | undefined
  for await (const { name, bytes, content } of unpackTar(source)) {
    if (said) throw new Fault('the archive has a file after its manifest', 'not-done')
    if (name === manifestName) {
      if (bytes > manifestBytesMax) throw new Fault('the manifest of the archive is too large', 'not-done')
      said = parseManifest((await gathered(content)).toString('utf8'))
      continue
    }
    if (!memberName.test(name) || found.has(name)) throw new Fault(`no backup has a file ${JSON.stringify(name)}, or has it twice`, 'not-done')
    const digest = createHash('sha256')
    await keep(name, digesting(content, digest))
    found.set(name, digest.digest('hex'))
  }
  if (!said) throw new Fault('the archive was cut: its manifest is missing', 'not-done')
  for (const { name, sha256 } of said.files) {
    if (found.get(name) !== sha256)
      throw new Fault(`${name} ${found.has(name) ? 'was altered: it is not what the manifest says' : 'is missing from the archive'}`, 'not-done')
  }
  if (said.files.length !== found.size) throw new Fault('the archive has files that its manifest does not name', 'not-done')
  return said
}

export function memberOf(name: string, bytes: Uint8Array): Member {
  return {
    name,
    bytes: bytes.length,
    content: (async function* () {
      yield bytes
    })(),
  }
}

async function* digesting(content: AsyncIterable<Uint8Array>, digest: { update(data: Uint8Array): unknown }): AsyncGenerator<Uint8Array> {
  for await (const piece of content) {
    digest.update(piece)
    yield piece
  }
}

async function gathered(content: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of content) pieces.push(piece)
  return Buffer.concat(pieces)
}

function parseManifest(text: string): Manifest {
  try {
    return manifest.parse(JSON.parse(text))
  } catch (error) {
    throw new Fault('the manifest of the archive is damaged, or of a newer version of Sallyport', 'not-done', error)
  }
}
