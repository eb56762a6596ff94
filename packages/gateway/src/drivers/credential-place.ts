import { Fault } from '@sallyport/contract'

/** What a sealed credential is bound to: it opens nowhere else. */
export function credentialPlace(provider: string): string {
  return `provider-credential|${provider}`
}

/** @throws Fault when what is there is not what was read */
export function requireUnchanged(now: string | undefined, before: string | undefined): void {
  if (now !== before) throw new Fault('the credential was changed meanwhile, here or by another gateway: run it again', 'not-done')
}
