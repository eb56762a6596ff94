import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { OwnPackage } from './packages.ts'
import { run } from './run.ts'

const component = z.looseObject({ 'bom-ref': z.string() })
const bom = z.looseObject({
  serialNumber: z.string(),
  metadata: z.looseObject({ timestamp: z.string(), component }),
  components: z.array(component),
  dependencies: z.array(z.looseObject({ ref: z.string(), dependsOn: z.array(z.string()) })),
})

/**
 * What a package is made of, its dependencies' dependencies included, in CycloneDX 1.5 as npm tells it from the lockfile; but about the package and not the workspace, in a fixed order, with the time
 * of the commit and a serial number that follows from the rest. The same commit and npm give the same bytes, wherever it is made.
 *
 * @see https://cyclonedx.org/docs/1.5/json/
 */
export function sbomOf({ name, version }: OwnPackage, root: string, time: Date): string {
  const told = run('npm', ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only', '--omit', 'dev', '--workspace', name], root)
  const given = bom.parse(JSON.parse(told.toString('utf8')))
  const ref = `${name}@${version}`
  const own = given.components.find((one) => one['bom-ref'] === ref)
  if (!own) throw new Error(`npm does not tell of ${ref}`)
  const byRef = <One>(key: (one: One) => string, all: readonly One[]): One[] => all.toSorted((a, b) => (key(a) < key(b) ? -1 : 1))
  const workspaceRef = given.metadata.component['bom-ref']
  const document = {
    ...given,
    metadata: { ...given.metadata, timestamp: time.toISOString(), component: own },
    components: byRef((one) => one['bom-ref'], given.components).filter((one) => one !== own),
    dependencies: byRef(({ ref: of }) => of, given.dependencies)
      .filter(({ ref: of }) => of !== workspaceRef)
      .map((one) => ({ ...one, dependsOn: one.dependsOn.toSorted() })),
  }
  const serialNumber = `urn:uuid:${uuidOf(JSON.stringify({ ...document, serialNumber: '' }))}`
  return `${JSON.stringify({ ...document, serialNumber }, null, 2)}\n`
}

/** As npm names the tarball of the package. */
export function sbomName({ name, version }: OwnPackage): string {
  return `${name.replace('@', '').replace('/', '-')}-${version}.cdx.json`
}

/** @see RFC 9562 section 5.8 */
function uuidOf(text: string): string {
  const bytes = createHash('sha256').update(text).digest().subarray(0, 16)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}
