import { createPrivateKey, createPublicKey } from 'node:crypto'
import { calculateJwkThumbprint, exportJWK, importPKCS8 } from 'jose'
import * as oauth from 'oauth4webapi'
import type { ClientProof } from './provider-definition.ts'
import { NotSent } from './provider-http.ts'

/** The proof as the provider takes it. @throws NotSent when there is none to be had */
export async function clientProof(
  proof: ClientProof,
  server: oauth.AuthorizationServer,
  reveal: (secret: string) => Promise<string | undefined>,
): Promise<oauth.ClientAuth> {
  switch (proof.method) {
    case 'tls':
      return oauth.TlsClientAuth()
    case 'secret': {
      const secret = await reveal(proof.secret)
      if (secret === undefined) throw new NotSent(`the secret ${proof.secret} is not set`)
      // RFC 8414 section 2: what says nothing takes client_secret_basic.
      const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic']
      return methods.includes('client_secret_basic') ? oauth.ClientSecretBasic(secret) : oauth.ClientSecretPost(secret)
    }
    case 'private_key_jwt':
      return oauth.PrivateKeyJwt(await signingKey(proof, server.token_endpoint_auth_signing_alg_values_supported ?? []))
  }
}

/** The RFC 7638 thumbprint, by which a key is known where nobody gave it another name. */
export async function keyIdOf(keyPem: string): Promise<string> {
  return calculateJwkThumbprint(await exportJWK(createPublicKey(keyPem)))
}

async function signingKey({ keyPem, keyId }: Extract<ClientProof, { method: 'private_key_jwt' }>, offered: readonly string[]): Promise<oauth.PrivateKey> {
  const key = createPrivateKey(keyPem)
  const algorithms = new Map([
    ['ec', 'ES256'],
    ['ed25519', offered.includes('Ed25519') ? 'Ed25519' : 'EdDSA'],
    ['rsa', offered.includes('PS256') ? 'PS256' : 'RS256'],
  ])
  const algorithm = algorithms.get(key.asymmetricKeyType ?? '')
  if (algorithm === undefined) throw new NotSent('the key of the client is none of P-256, Ed25519 and RSA')
  return { key: await importPKCS8(key.export({ type: 'pkcs8', format: 'pem' }).toString(), algorithm), kid: keyId ?? (await keyIdOf(keyPem)) }
}
