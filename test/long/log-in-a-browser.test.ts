// The verifier runs where nothing of Node is: Chromium loads the modules of the contract as they are, types taken off, with cryptography in pure JavaScript.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import { stripTypeScriptTypes } from 'node:module'
import { join, normalize } from 'node:path'
import { test } from 'node:test'
import type { LogFault, VerifiedLog } from '@sallyport/contract/log'
import { chromium } from 'playwright-core'
import { logKeyText } from '../../packages/gateway/src/audit/log-key.ts'
import { layLog, newSigner, temporaryFolder } from '../fixtures/log-folder.ts'

const browser = '/usr/bin/chromium'
const root = join(import.meta.dirname, '..', '..')
const folders: readonly (readonly [string, string])[] = [
  ['/contract/', join(root, 'packages', 'contract', 'src')],
  ['/npm/', join(root, 'node_modules')],
]

const imports = {
  zod: '/npm/zod/index.js',
  '@noble/hashes/': '/npm/@noble/hashes/',
  '@noble/curves/': '/npm/@noble/curves/',
}

const page = (vkey: string): string => `<!doctype html>
<script type="importmap">${JSON.stringify({ imports })}</script>
<script type="module">
  import { parseVerifierKey, verifyLog } from '/contract/log/index.ts'
  import { sha256 } from '@noble/hashes/sha2.js'
  import { ed25519 } from '@noble/curves/ed25519.js'
  const crypto = {
    sha256,
    verifyEd25519: (publicKey, message, signature) => {
      try {
        return ed25519.verify(signature, message, publicKey, { zip215: false })
      } catch {
        return false
      }
    },
  }
  const read = async (path) => {
    const answer = await fetch('/log/' + path)
    return answer.ok ? answer : undefined
  }
  const reader = {
    checkpoint: async () => (await read('checkpoint'))?.text(),
    tile: async (path) => (await read(path))?.bytes(),
  }
  const key = parseVerifierKey(${JSON.stringify(vkey)}, sha256)
  window.verified = verifyLog(reader, key, crypto)
</script>`

function serve(response: ServerResponse, path: string, log: string, vkey: string): void {
  if (path === '/') return void response.writeHead(200, { 'content-type': 'text/html' }).end(page(vkey))
  const [prefix, folder] = [...folders, ['/log/', log] as const].find(([begins]) => path.startsWith(begins)) ?? []
  const file = folder && join(folder, normalize(path.slice(prefix?.length)))
  if (file === undefined || !existsSync(file)) return void response.writeHead(404).end()
  if (prefix === '/log/') return void response.writeHead(200).end(readFileSync(file))
  const text = readFileSync(file, 'utf8')
  response.writeHead(200, { 'content-type': 'text/javascript' }).end(file.endsWith('.ts') ? stripTypeScriptTypes(text) : text)
}

test('[L1] a browser verifies a log, and names the entry that was altered', { skip: existsSync(browser) ? false : 'chromium is not installed' }, async (t) => {
  const log = temporaryFolder(t)
  const signer = newSigner()
  await layLog(log, signer, 600)
  const server = createServer((request, response) => serve(response, request.url ?? '', log, logKeyText(signer))).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(typeof address === 'object' && address)
  const chrome = await chromium.launch({
    executablePath: browser,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  })
  try {
    const verify = async (): Promise<VerifiedLog | LogFault> => {
      const tab = await chrome.newPage()
      const errors: string[] = []
      tab.on('pageerror', (error) => errors.push(error.message))
      await tab.goto(`http://127.0.0.1:${address.port}/`)
      try {
        return await tab.evaluate(() => (globalThis as unknown as { verified: Promise<VerifiedLog | LogFault> }).verified) // set by the page
      } finally {
        assert.deepEqual(errors, [])
        await tab.close()
      }
    }
    const whole = await verify()
    assert.equal(whole.kind === 'verified' ? whole.size : whole.text, 600)

    const bundle = join(log, 'tile', 'entries', '001')
    const bytes = readFileSync(bundle)
    bytes[bytes.indexOf('test.event', 4000)] = 0x54
    writeFileSync(bundle, bytes)
    const altered = await verify()
    assert.equal(altered.kind === 'fault' && altered.check, 'entry-altered')
    assert.ok(altered.kind === 'fault' && (altered.index ?? 0) > 256 && (altered.index ?? 0) < 512)
  } finally {
    await chrome.close()
    server.close()
    server.closeAllConnections()
  }
})
