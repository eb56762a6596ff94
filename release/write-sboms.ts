/** `npm run sbom`: writes a bill of materials for each package of ours. `--out FOLDER` (default `dist`). */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { commitTime, ownPackages } from './packages.ts'
import { sbomName, sbomOf } from './sbom.ts'

const root = join(import.meta.dirname, '..')
const { out } = parseArgs({ options: { out: { type: 'string', default: 'dist' } } }).values
await mkdir(out, { recursive: true })
const time = commitTime(root, 'HEAD')
for (const one of ownPackages(root).packages) {
  await writeFile(join(out, sbomName(one)), sbomOf(one, root, time))
  process.stdout.write(`${join(out, sbomName(one))}\n`)
}
