import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { calculateJwkThumbprint, exportJWK, importPKCS8, type JWK } from 'jose'
import * as oauth from 'oauth4webapi'
import { z } from 'zod'
import { NotSent } from './provider-http.ts'

const pem = z.string().min(1).max(32_768)

/** By what a provider knows this gateway as its client. */
export const clientCredential = z.discriminatedUnion('method', [
  z.strictObject({
    method: z.literal('private_key_jwt'),
    keyPem: pem,
    /** The `kid`; without one its RFC 7638 thumbprint. */
    keyId: z.string().min(1).max(256).exactOptional(),
  }),
  z.strictObject({ method: z.literal('tls'), keyPem: pem, certificatePem: pem }),
  z.strictObject({ method: z.literal('secret'), secret: z.string().min(1).max(16_384) }),
])

export type ClientCredential = z.infer<typeof clientCredential>

/** What a request can show, a credential that counts or not. */
export type ShownCredential = ClientCredential | { readonly method: 'no-certificate' }

const rsaModulusBits = 3072

/** The credential as a provider takes it in a request. @throws NotSent when it is of a kind that cannot be used */
export async function proofOf(credential: ShownCredential, server: oauth.AuthorizationServer): Promise<oauth.ClientAuth> {
  switch (credential.method) {
    case 'tls':
    case 'no-certificate':
      return oauth.TlsClientAuth()
    case 'secret': {
      // RFC 8414 section 2: what says nothing takes client_secret_basic.
      const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic']
      return methods.includes('client_secret_basic') ? oauth.ClientSecretBasic(credential.secret) : oauth.ClientSecretPost(credential.secret)
    }
    case 'private_key_jwt': {
      const algorithm = algorithmOf(createPrivateKey(credential.keyPem), server.token_endpoint_auth_signing_alg_values_supported ?? [])
      return oauth.PrivateKeyJwt({ key: await importPKCS8(pkcs8(credential.keyPem), algorithm), kid: await keyIdOf(credential) })
    }
  }
}

/** Under which name the provider knows the key. */
export async function keyIdOf({ keyPem, keyId }: Extract<ClientCredential, { method: 'private_key_jwt' }>): Promise<string> {
  return keyId ?? (await thumbprintOf(keyPem))
}

/** RFC 7638. */
export async function thumbprintOf(keyPem: string): Promise<string> {
  return calculateJwkThumbprint(await exportJWK(createPublicKey(keyPem)))
}

/** The public half of a key, as a provider wants it; undefined for what is no key. */
export async function publicJwkOf(credential: ClientCredential): Promise<JWK | undefined> {
  if (credential.method !== 'private_key_jwt') return undefined
  return { ...(await exportJWK(createPublicKey(credential.keyPem))), kid: await keyIdOf(credential), use: 'sig' }
}

/** A key that nobody has seen, of the kind of this one: a provider may take no other. */
export function newKeyLike(keyPem: string): string {
  return newKeyOf(createPrivateKey(keyPem).asymmetricKeyType).export({ type: 'pkcs8', format: 'pem' }).toString()
}

function newKeyOf(type: KeyObject['asymmetricKeyType']): KeyObject {
  if (type === 'rsa') return generateKeyPairSync('rsa', { modulusLength: rsaModulusBits }).privateKey
  return type === 'ed25519' ? generateKeyPairSync('ed25519').privateKey : generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
}

/** What no provider can know: a key or secret that was made this moment, or no certificate. */
export function strangerLike(credential: ClientCredential, newSecret: () => string): ShownCredential {
  switch (credential.method) {
    case 'private_key_jwt':
      return { method: credential.method, keyPem: newKeyLike(credential.keyPem) }
    case 'tls':
      return { method: 'no-certificate' }
    case 'secret':
      return { method: credential.method, secret: newSecret() }
  }
}

/** Tells credentials apart without holding them. */
export function credentialDigest(credential: ClientCredential): string {
  const parts: readonly (string | undefined)[] =
    credential.method === 'secret' ? [credential.secret] : [credential.keyPem, credential.method === 'tls' ? credential.certificatePem : credential.keyId]
  return createHash('sha256')
    .update(JSON.stringify([credential.method, ...parts]))
    .digest('base64url')
}

function algorithmOf({ asymmetricKeyType: type }: KeyObject, offered: readonly string[]): string {
  switch (type) {
    case 'ec':
      return 'ES256'
    case 'ed25519':
      return offered.includes('Ed25519') ? 'Ed25519' : 'EdDSA'
    case 'rsa':
      return offered.includes('PS256') ? 'PS256' : 'RS256'
    default:
      throw new NotSent('the key of the client is none of P-256, Ed25519 and RSA')
  }
}

function pkcs8(keyPem: string): string {
  return createPrivateKey(keyPem).export({ type: 'pkcs8', format: 'pem' }).toString()
}
