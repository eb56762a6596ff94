import { createSecureContext } from 'node:tls'
import {
  durationMs,
  sizeBytes,
  type A2aUpstreamConfiguration,
  type HttpUpstreamConfiguration,
  type LlmUpstreamConfiguration,
  type McpHttpUpstreamConfiguration,
  type SpiffeId,
  type UpstreamName,
} from '@sallyport/contract'
import { exactRange, objectionTo, parseAddress, parseRange, type Address, type AddressRange, type AddressRules } from './address.ts'
import type { CredentialRule } from './credentials.ts'

/** Everything that the exchange with one upstream needs. Two definitions are the same when their JSON is. */
export interface UpstreamDefinition {
  readonly name: UpstreamName
  readonly scheme: 'http' | 'https'
  /** A name or an address, without brackets. */
  readonly host: string
  readonly port: number
  /** Goes before every target; empty or starts with a slash, never ends with one. */
  readonly basePath: string
  readonly credential: CredentialRule | undefined
  readonly allow: readonly string[]
  readonly pin: readonly string[]
  readonly tls: UpstreamTls
  readonly deadlines: UpstreamDeadlines
  readonly connectionsMax: number
  readonly answerBytesMax: number
  /** The agent that it must be, by its certificate; undefined for what is no agent. */
  readonly peer?: SpiffeId
}

/** PEM texts. */
export interface UpstreamTls {
  readonly ca: string | undefined
  readonly certificate: string | undefined
  readonly key: string | undefined
  readonly serverName: string
}

export interface UpstreamDeadlines {
  readonly connectMs: number
  /** Without progress of the request, until the answer begins. */
  readonly headersMs: number
  readonly idleMs: number
  readonly eventStreamIdleMs: number
  readonly totalMs: number
  /** Whether `totalMs` holds for event streams too: an answer in pieces, and not a subscription. */
  readonly eventStreamsEnd: boolean
}

/** Event streams are silent for long and open for longer; `deadlines.idle` shortens or lengthens their silence too. */
const defaults = {
  connectMs: 5000,
  headersMs: 30_000,
  idleMs: 60_000,
  eventStreamIdleMs: 600_000,
  totalMs: 600_000,
  connectionsMax: 64,
  answerBytesMax: 268_435_456,
} as const

export interface DefinitionFault {
  readonly path: readonly (string | number)[]
  readonly message: string
  readonly hint?: string
}

export type CompiledDefinition =
  { readonly kind: 'invalid'; readonly faults: readonly DefinitionFault[] } | { readonly kind: 'compiled'; readonly definition: UpstreamDefinition }

/** The contents of the files that the upstream's `tls` names. */
export interface TlsFiles {
  readonly ca?: string
  readonly certificate?: string
  readonly key?: string
}

type Configured = Pick<
  HttpUpstreamConfiguration | McpHttpUpstreamConfiguration | LlmUpstreamConfiguration,
  'url' | 'credential' | 'addresses' | 'tls' | 'deadlines' | 'connections' | 'answerBytesMax'
>

/**
 * Checks and compiles how to reach an upstream over HTTP; paths of faults start below the upstream's own entry.
 *
 * Besides forms, finds what could never be dialled: an address in the URL or a pin that is special and not allowed, certificates that do not load.
 */
export function compileUpstreamDefinition(name: UpstreamName, configured: Configured, files: TlsFiles = {}, eventStreamsEnd = false): CompiledDefinition {
  const faults: DefinitionFault[] = []
  const rules = readAddressRules(configured.addresses, faults)
  const location = readLocation(configured.url, rules, faults)
  checkTls(configured, files, faults)
  const { deadlines, credential } = configured
  if (faults.length > 0 || !location) return { kind: 'invalid', faults }
  const idleMs = deadlines?.idle === undefined ? undefined : durationMs(deadlines.idle)
  return {
    kind: 'compiled',
    definition: {
      name,
      ...location,
      credential: credential && { secret: credential.secret, header: credential.header ?? 'authorization', format: credential.format ?? 'Bearer {secret}' },
      allow: configured.addresses?.allow ?? [],
      pin: configured.addresses?.pin ?? [],
      tls: { ca: files.ca, certificate: files.certificate, key: files.key, serverName: configured.tls?.serverName ?? location.host },
      deadlines: {
        connectMs: deadlines?.connect === undefined ? defaults.connectMs : durationMs(deadlines.connect),
        headersMs: deadlines?.headers === undefined ? defaults.headersMs : durationMs(deadlines.headers),
        idleMs: idleMs ?? defaults.idleMs,
        eventStreamIdleMs: idleMs ?? defaults.eventStreamIdleMs,
        totalMs: deadlines?.total === undefined ? defaults.totalMs : durationMs(deadlines.total),
        eventStreamsEnd,
      },
      connectionsMax: configured.connections ?? defaults.connectionsMax,
      answerBytesMax: configured.answerBytesMax === undefined ? defaults.answerBytesMax : sizeBytes(configured.answerBytesMax),
    },
  }
}

/** The same for an agent that others call: the path of its URL belongs to its calls and not to its card. */
export function compilePeerDefinition(
  name: UpstreamName,
  peer: SpiffeId,
  { url, addresses, deadlines, connections, answerBytesMax }: A2aUpstreamConfiguration,
): CompiledDefinition {
  // An agent can think for long before the first byte.
  const patient = { headers: '10m', total: '30m', ...deadlines }
  const compiled = compileUpstreamDefinition(name, { url, addresses, deadlines: patient, connections, answerBytesMax })
  return compiled.kind === 'invalid' ? compiled : { kind: 'compiled', definition: { ...compiled.definition, basePath: '', peer } }
}

/** As an HTTP client writes it. */
export function originOf({ scheme, host, port }: UpstreamDefinition): string {
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** The rules of a definition that was compiled. */
export function addressRulesOf({ allow, pin }: Pick<UpstreamDefinition, 'allow' | 'pin'>): AddressRules {
  return { allow: allow.flatMap((text) => parseRange(text) ?? []), pin: pin.flatMap((text) => parseAddress(text) ?? []) }
}

/** Reads `addresses`; what does not fit goes to `faults`. */
export function readAddressRules(addresses: Configured['addresses'], faults: DefinitionFault[]): AddressRules {
  const allow: AddressRange[] = []
  for (const [index, text] of (addresses?.allow ?? []).entries()) {
    const range = parseRange(text)
    if (range) allow.push(range)
    else
      faults.push({
        path: ['addresses', 'allow', index],
        message: `${text} is not an address range`,
        hint: 'write the first address of the range and the length of its prefix, such as 10.1.0.0/16',
      })
  }
  const pin: Address[] = []
  for (const [index, text] of (addresses?.pin ?? []).entries()) {
    const address = parseAddress(text)
    const objection = address ? objectionTo(address, { allow: [], pin: [address] }) : `${text} is not an IP address`
    if (objection === undefined && address) pin.push(address)
    else faults.push({ path: ['addresses', 'pin', index], message: objection ?? text })
  }
  return { allow, pin }
}

type Location = Pick<UpstreamDefinition, 'scheme' | 'host' | 'port' | 'basePath'>

function readLocation(text: string, rules: AddressRules, faults: DefinitionFault[]): Location | undefined {
  const fault = (message: string, hint?: string): undefined => {
    faults.push({ path: ['url'], message, ...(hint === undefined ? {} : { hint }) })
  }
  const url = URL.parse(text)
  const scheme = url?.protocol === 'https:' ? 'https' : url?.protocol === 'http:' ? 'http' : undefined
  if (!url || !scheme) return fault('not an http or https URL')
  if (url.username !== '' || url.password !== '') return fault('credentials do not belong into the URL', 'use `credential` and `sallyport secret set`')
  if (url.search !== '' || url.hash !== '' || text.includes('?') || text.includes('#')) return fault('a base URL has no query and no fragment')
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const address = parseAddress(host)
  // URL parsers read 0x7f.1, 0177.0.0.1 and 2130706433 as 127.0.0.1: whoever reviews the file must see what is dialled.
  if (address?.family === 4 && !host.includes(':') && writtenHost(text) !== host)
    return fault(`the address ${host} is written in an unusual form`, `write ${host}`)
  if (!/^[a-z0-9.:-]+$/i.test(host)) return fault('the host has characters that no host name has')
  const objection = rules.pin.length > 0 ? undefined : address ? objectionTo(address, rules) : loopbackName(host, rules)
  if (objection !== undefined) {
    const range = address ? exactRange(address) : '127.0.0.1/32'
    return fault(`${objection} and would never be dialled`, `if this upstream is meant to live there, add addresses: { allow: ['${range}'] }`)
  }
  const basePath = url.pathname.replace(/\/$/, '')
  if (/%2f|%5c|\/\/|;/i.test(basePath)) return fault('the path of the base URL has encoded slashes, empty segments or semicolons')
  return { scheme, host, port: url.port === '' ? (scheme === 'https' ? 443 : 80) : Number(url.port), basePath }
}

function writtenHost(text: string): string | undefined {
  return /^https?:\/\/([^/:]+)/i.exec(text)?.[1]
}

/** RFC 6761 section 6.3: these names always mean this host. */
function loopbackName(host: string, { allow }: AddressRules): string | undefined {
  const isLoopback = /(?:^|\.)localhost\.?$/.test(host)
  const isAllowed = ['127.0.0.1', '::1'].some((text) => {
    const address = parseAddress(text)
    return address !== undefined && objectionTo(address, { allow, pin: [] }) === undefined
  })
  return isLoopback && !isAllowed ? `${host} is a loopback name` : undefined
}

function checkTls({ url, tls }: Configured, { certificate, key }: TlsFiles, faults: DefinitionFault[]): void {
  if (!tls) return
  if (!/^https:/i.test(url)) faults.push({ path: ['tls'], message: 'tls needs an https URL' })
  if ((tls.certificate === undefined) !== (tls.key === undefined)) faults.push({ path: ['tls'], message: 'certificate and key come together' })
  if (!isPair(certificate, key)) faults.push({ path: ['tls', 'certificate'], message: 'not a PEM certificate with its PEM private key' })
}

function isPair(cert: string | undefined, key: string | undefined): boolean {
  try {
    createSecureContext({ cert, key })
    return true
  } catch {
    return false
  }
}
