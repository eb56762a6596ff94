#!/usr/bin/env node
// Runs on any Node: checks the version and, where it is too old, runs Sallyport on the Node 24 that npm installed beside it.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const required = [24, 12]
const root = dirname(dirname(fileURLToPath(import.meta.url)))
const program = join(root, 'bin', 'sallyport.ts')
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)

if (major > required[0] || (major === required[0] && minor >= required[1])) {
  await import(program)
} else {
  const carried = process.env.SALLYPORT_NODE ?? join(root, 'node_modules', '.bin', 'node')
  if (!existsSync(carried)) {
    process.stderr.write(
      `sallyport needs Node ${required.join('.')} or later; this is ${process.versions.node}.\n` +
        `Run "npm ci" in the folder of Sallyport to get one (Linux x64 and arm64), install Node 24, or set SALLYPORT_NODE to its path.\n`,
    )
    process.exit(78)
  }
  const child = spawn(carried, [program, ...process.argv.slice(2)], { stdio: 'inherit' })
  const passed = ['SIGTERM', 'SIGINT', 'SIGHUP']
  const pass = (signal) => child.kill(signal)
  for (const signal of passed) process.on(signal, pass)
  child.on('error', (error) => {
    process.stderr.write(`sallyport cannot start ${carried}: ${error.message}\n`)
    process.exit(78)
  })
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1)
    // To die by the child's signal, our own listeners must go first.
    for (const name of passed) process.removeListener(name, pass)
    process.kill(process.pid, signal)
  })
}
