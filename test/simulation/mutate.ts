import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Mutant } from './mutants.ts'

export interface Fate {
  readonly name: string
  readonly isCaught: boolean
  /** What gave it away, or what it did instead of running. */
  readonly by: string
}

/** For a mutant that nothing catches. */
const secondsMax = 120

/** Plants a mutant in a copy of the sources and lets the simulation look for it. Throws when it cannot be planted: then it would prove nothing. */
export async function plant({ name, patches }: Mutant, seconds = secondsMax): Promise<Fate> {
  const copy = mkdtempSync(join(tmpdir(), 'sallyport-mutant-'))
  try {
    for (const folder of ['packages', 'test/simulation'])
      cpSync(folder, join(copy, folder), { recursive: true, filter: (path) => !path.includes('node_modules') })
    writeFileSync(join(copy, 'package.json'), JSON.stringify({ type: 'module' }))
    symlinkSync(join(process.cwd(), 'node_modules'), join(copy, 'node_modules'))
    for (const { file, find, put } of patches) {
      const path = join(copy, file)
      const parts = readFileSync(path, 'utf8').split(find)
      if (parts.length !== 2) throw new Error(`${name} is to change one place of ${file}, and there are ${parts.length - 1}: ${find}`)
      writeFileSync(path, parts.join(put))
    }
    return await hunt(name, copy, seconds)
  } finally {
    rmSync(copy, { recursive: true })
  }
}

function hunt(name: string, copy: string, seconds: number): Promise<Fate> {
  return new Promise((resolve, reject) => {
    const hunting = spawn(process.execPath, ['test/simulation/run.ts', '--seconds', String(seconds), '--seed', '1', '--json'], {
      cwd: copy,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let [told, complained] = ['', '']
    hunting.stdout.on('data', (data) => (told += String(data)))
    hunting.stderr.on('data', (data) => (complained += String(data)))
    hunting.once('error', reject)
    hunting.once('close', () => {
      // It must have run and have broken a rule: a mutant that does not even start would prove nothing.
      const last = told.trim().split('\n').at(-1) ?? ''
      if (!last.startsWith('{')) return reject(new Error(`${name} did not run: ${complained.slice(-2000)}`))
      const { violation }: { readonly violation: string | null } = JSON.parse(last)
      resolve({ name, isCaught: violation !== null, by: violation ?? `nothing within ${seconds} s` })
    })
  })
}
