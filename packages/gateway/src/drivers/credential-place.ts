/** What a sealed credential is bound to: it opens nowhere else. */
export function credentialPlace(provider: string): string {
  return `provider-credential|${provider}`
}
