// CVE-2018-0114 and kin: a key id that is a path, a query, a URL or a name that every object has.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decoded, encoded, ticketBench } from '../fixtures/tickets.ts'

test('[S3] a key id is the name of a key that is held, or nothing', async () => {
  const bench = await ticketBench()
  const genuine = await bench.mint()
  const [, payload = '', signature = ''] = genuine.split('.')
  const header = decoded(genuine, 0)
  const kids: unknown[] = [
    '../../../../dev/null',
    '/etc/passwd',
    "' OR '1'='1",
    'https://attacker.example/jwks.json',
    '__proto__',
    'constructor',
    'toString',
    '',
    `${String(header['kid'])} `,
    String(header['kid']).toLowerCase().padEnd(43, 'a'),
    [header['kid']],
    { kid: header['kid'] },
    null,
    0,
  ]
  for (const kid of kids) assert.match(await bench.ask(`${encoded({ ...header, kid })}.${payload}.${signature}`), /^identity\.ticket-invalid/)
  for (const member of ['jwk', 'jku', 'x5u', 'x5c', 'x5t', 'crit', 'b64', 'zip', 'cty', 'enc'])
    assert.match(await bench.ask(`${encoded({ ...header, [member]: 'x' })}.${payload}.${signature}`), /no ticket of this profile/)
  assert.equal(await bench.ask(genuine), 'session-1 of alice')
})
