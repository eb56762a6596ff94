import assert from 'node:assert/strict'
import { test } from 'node:test'
import { classifyAddress, objectionTo, parseAddress, parseRange, type AddressClass } from './address.ts'

function classOf(text: string): AddressClass | undefined {
  const address = parseAddress(text)
  return address && classifyAddress(address)
}

/** The first and last address of a range and the neighbours just outside. */
const edges: readonly (readonly [
  before: string,
  beforeIs: AddressClass,
  first: string,
  last: string,
  is: AddressClass,
  after: string,
  afterIs: AddressClass,
])[] = [
  ['255.255.255.255', 'broadcast', '0.0.0.0', '0.255.255.255', 'unspecified', '1.0.0.0', 'public'],
  ['9.255.255.255', 'public', '10.0.0.0', '10.255.255.255', 'private', '11.0.0.0', 'public'],
  ['100.63.255.255', 'public', '100.64.0.0', '100.127.255.255', 'carrier-nat', '100.128.0.0', 'public'],
  ['100.100.100.199', 'carrier-nat', '100.100.100.200', '100.100.100.200', 'metadata', '100.100.100.201', 'carrier-nat'],
  ['126.255.255.255', 'public', '127.0.0.0', '127.255.255.255', 'loopback', '128.0.0.0', 'public'],
  ['168.63.129.15', 'public', '168.63.129.16', '168.63.129.16', 'metadata', '168.63.129.17', 'public'],
  ['169.253.255.255', 'public', '169.254.0.0', '169.254.255.255', 'link-local', '169.255.0.0', 'public'],
  ['169.254.169.253', 'link-local', '169.254.169.254', '169.254.169.254', 'metadata', '169.254.169.255', 'link-local'],
  ['169.254.170.1', 'link-local', '169.254.170.2', '169.254.170.2', 'metadata', '169.254.170.3', 'link-local'],
  ['172.15.255.255', 'public', '172.16.0.0', '172.31.255.255', 'private', '172.32.0.0', 'public'],
  ['191.255.255.255', 'public', '192.0.0.0', '192.0.0.191', 'reserved', '192.0.1.0', 'public'],
  ['192.0.1.255', 'public', '192.0.2.0', '192.0.2.255', 'documentation', '192.0.3.0', 'public'],
  ['192.88.98.255', 'public', '192.88.99.0', '192.88.99.255', 'reserved', '192.88.100.0', 'public'],
  ['192.167.255.255', 'public', '192.168.0.0', '192.168.255.255', 'private', '192.169.0.0', 'public'],
  ['198.17.255.255', 'public', '198.18.0.0', '198.19.255.255', 'reserved', '198.20.0.0', 'public'],
  ['198.51.99.255', 'public', '198.51.100.0', '198.51.100.255', 'documentation', '198.51.101.0', 'public'],
  ['203.0.112.255', 'public', '203.0.113.0', '203.0.113.255', 'documentation', '203.0.114.0', 'public'],
  ['223.255.255.255', 'public', '224.0.0.0', '239.255.255.255', 'multicast', '240.0.0.0', 'reserved'],
  ['239.255.255.255', 'multicast', '240.0.0.0', '255.255.255.254', 'reserved', '255.255.255.255', 'broadcast'],
  ['1fff:ffff::', 'reserved', '2000::', '2000:ffff::', 'public', '2003::', 'public'],
  ['2000:ffff:ffff::', 'public', '2001:1::', '2001:1ff:ffff::', 'reserved', '2001:200::', 'public'],
  ['2001:db7:ffff::', 'public', '2001:db8::', '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff', 'documentation', '2001:db9::', 'public'],
  ['3ffe:ffff::', 'public', '3fff::', '3fff:fff:ffff::', 'documentation', '3fff:1000::', 'public'],
  ['3fff:ffff::', 'public', '4000::', '5f00::1', 'reserved', 'fbff::', 'reserved'],
  ['fbff:ffff::', 'reserved', 'fc00::', 'fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'unique-local', 'fe00::', 'reserved'],
  ['fd00:ec2::253', 'unique-local', 'fd00:ec2::254', 'fd00:ec2::254', 'metadata', 'fd00:ec2::255', 'unique-local'],
  ['fe7f:ffff::', 'reserved', 'fe80::', 'febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'link-local', 'fec0::', 'private'],
  ['febf::1', 'link-local', 'fec0::', 'feff::', 'private', 'ff00::', 'multicast'],
  ['feff:ffff::', 'private', 'ff00::', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'multicast', '::', 'unspecified'],
  ['::', 'unspecified', '::1', '::1', 'loopback', '::2', 'unspecified'],
  ['64:ff9b:0:ffff::', 'reserved', '64:ff9b:1::', '64:ff9b:1:ffff:ffff:ffff:ffff:ffff', 'private', '64:ff9b:2::', 'reserved'],
]

for (const [before, beforeIs, first, last, is, after, afterIs] of edges) {
  test(`${first} to ${last} is ${is}, and its neighbours are not`, () => {
    assert.deepEqual([before, first, last, after].map(classOf), [beforeIs, is, is, afterIs])
  })
}

const embeddings: readonly (readonly [text: string, is: AddressClass])[] = [
  ['::ffff:127.0.0.1', 'loopback'],
  ['::ffff:7f00:1', 'loopback'],
  ['::ffff:169.254.169.254', 'metadata'],
  ['::ffff:8.8.8.8', 'public'],
  ['::ffff:0:10.0.0.1', 'private'],
  ['::127.0.0.1', 'loopback'],
  ['::8.8.8.8', 'public'],
  ['64:ff9b::169.254.169.254', 'metadata'],
  ['64:ff9b::8.8.8.8', 'public'],
  ['2002:7f00:1::', 'loopback'],
  ['2002:a9fe:a9fe::1', 'metadata'],
  ['2002:808:808::1', 'public'],
  ['2003:7f00:1::', 'public'],
  ['2001:0:808:808::80ff:fffe', 'loopback'], // Teredo, client 127.0.0.1 inverted
  ['2001:0:a00:1::f7f7:f7f7', 'private'], // Teredo, server 10.0.0.1
  ['2001:0:808:808::f7f7:f7f7', 'public'],
  ['2a00::5efe:192.168.1.1', 'private'],
  ['2a00::200:5efe:127.0.0.1', 'loopback'],
  ['2a00::5eff:192.168.1.1', 'public'],
]

for (const [text, is] of embeddings) {
  test(`${text} carries a ${is} address`, () => {
    assert.equal(classOf(text), is)
  })
}

test('only plain spellings are addresses', () => {
  for (const text of [
    '0x7f.1',
    '0177.0.0.1',
    '2130706433',
    '127.1',
    '127.0.0.01',
    '127.0.0.1.',
    ' 127.0.0.1',
    'fe80::1%eth0',
    '::ffff:1.2.3',
    '',
    '1.2.3.4/32',
  ]) {
    assert.equal(parseAddress(text), undefined, text)
  }
})

test('a range has no bits beyond its prefix', () => {
  for (const text of ['10.0.0.1/8', '10.0.0.0/33', '10.0.0.0', '10.0.0.0/08', '10.0.0.0/8/8', 'fd00::1/8', 'fd00::/129', '/8'])
    assert.equal(parseRange(text), undefined, text)
  for (const text of ['10.0.0.0/8', '0.0.0.0/0', '127.0.0.1/32', 'fd00::/8', '::/0', '::1/128']) assert.notEqual(parseRange(text), undefined, text)
})

function objection(text: string, allow: readonly string[], pin: readonly string[] = []): string | undefined {
  const address = parseAddress(text)
  assert.ok(address)
  return objectionTo(address, { allow: allow.flatMap((range) => parseRange(range) ?? []), pin: pin.flatMap((one) => parseAddress(one) ?? []) })
}

test('a special address is dialled only where the upstream names it', () => {
  assert.equal(objection('8.8.8.8', []), undefined)
  assert.match(objection('10.1.0.1', []) ?? '', /private/)
  assert.equal(objection('10.1.0.1', ['10.1.0.0/16']), undefined)
  assert.match(objection('10.2.0.0', ['10.1.0.0/16']) ?? '', /private/)
  assert.equal(objection('::ffff:10.1.0.1', ['10.1.0.0/16']), undefined)
  assert.equal(objection('10.1.0.1', [], ['10.1.0.1']), undefined)
  assert.match(objection('10.1.0.2', [], ['10.1.0.1']) ?? '', /private/)
})

test('a metadata address must be named exactly, however wide the other ranges are', () => {
  assert.match(objection('169.254.169.254', ['0.0.0.0/0', '169.254.0.0/16', '169.254.169.254/31']) ?? '', /metadata/)
  assert.equal(objection('169.254.169.254', ['169.254.169.254/32']), undefined)
  assert.match(objection('64:ff9b::a9fe:a9fe', ['64:ff9b::/96']) ?? '', /metadata/)
})

test('what names no host is never dialled', () => {
  for (const text of ['0.0.0.0', '224.0.0.1', '255.255.255.255', '::', 'ff02::1'])
    assert.notEqual(objection(text, ['0.0.0.0/0', '::/0'], [text]), undefined, text)
})
