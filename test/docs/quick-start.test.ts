import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { blocks, docsShell, freePorts, section } from '../fixtures/docs-shell.ts'

test('the quick start leads from nothing to a permitted and a denied call, word by word but for its ports', async () => {
  const [agents = 0, enrolment = 0, operations = 0, bridge = 0, api = 0] = await freePorts(5)
  const ports: Readonly<Record<string, number>> = { 8443: agents, 8444: enrolment, 8787: bridge, 9000: api }
  const [setUp = '', gateway = '', agent = '', call = '', ...more] = blocks(await section('README.md', 'Quick start'), 'sh').map((code) =>
    code
      .replaceAll(/\b(?:8443|8444|8787|9000)\b/g, (port) => String(ports[port]))
      .replace('version: 1', `$&\nlisten: 127.0.0.1:${agents}\nenrolment: 127.0.0.1:${enrolment}\noperations: 127.0.0.1:${operations}`)
      .replace(/sallyport connect --identity bot$/, `$& --listen 127.0.0.1:${bridge}`),
  )
  assert.deepEqual(more, [])
  await using shell = await docsShell()
  const made = await shell.run(setUp)
  assert.deepEqual([made.code, made.stderr], [0, ''])
  assert.match(made.stdout, /valid: revision/)
  await shell.start(gateway, /log key/)
  await shell.start(
    agent,
    /Enrolled as spiffe:\/\/agents\.example\/tenant\/acme\/agent\/bot[^]*the gateway answers at 127\.0\.0\.1:\d+[^]*Bridge to the gateway/,
  )
  const called = await shell.run(call)
  assert.equal(called.code, 0)
  assert.match(called.stdout, /^milk, bread\n\{.*"code":"policy\.no-rule".*\}/)
  assert.match(
    called.stdout,
    /DENY    acme\/bot  notes delete_note .*policy\.no-rule[^]*PERMIT  acme\/bot  notes read_note .*rule bot-reads-notes[^]*\nverified: \d+ entries/,
  )

  const direct = await section('docs/connect.md', 'Directly over mutual TLS')
  const [curl = ''] = blocks(direct, 'sh')
  const [script = ''] = blocks(direct, 'js')
  const placed = (code: string): string => code.replaceAll('localhost:8443', `localhost:${agents}`)
  const here = 'cd sallyport-try\n'
  assert.equal((await shell.run(here + placed(curl))).stdout, 'milk, bread\n')
  await writeFile(join(shell.home, 'sallyport-try', 'direct.mjs'), placed(script))
  assert.equal((await shell.run(`${here}node direct.mjs`)).stdout, '200 answered milk, bread\n')
  assert.equal((await readFile(join(shell.home, 'sallyport-try', 'token'), 'utf8')).length > 50, true)

  const [prove = ''] = blocks(await section('docs/operate/log.md', 'Show one entry to someone else'), 'sh')
  const key = `VKEY="$(sallyport status --json | node -p 'JSON.parse(require("fs").readFileSync(0)).log.key')"\n`
  assert.match((await shell.run(here + key + prove.replace('prove 7', 'prove 2'))).stdout, /^proved: the entry is number 2 /)
})
