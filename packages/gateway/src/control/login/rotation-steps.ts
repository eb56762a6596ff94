import type { ProviderDefinition } from './provider-definition.ts'

/** In their order. Each is done when its proof is there, whoever did it. */
const rotationStepIds = ['prepare', 'register', 'prove-new', 'switch', 'withdraw', 'prove-old-fails'] as const
export type RotationStepId = (typeof rotationStepIds)[number]

export interface RotationStep {
  readonly id: RotationStepId
  readonly by: 'gateway' | 'person'
  /** What is to be done, for a person to read. */
  readonly instruction: string
  readonly state: 'ahead' | 'here' | 'done'
}

/** What a provider knows the gateway by, in one word. */
export const credentialWords = { private_key_jwt: 'key', tls: 'certificate', secret: 'secret' } as const

/** @param here undefined when all are done; @param isAutomatic the gateway changes its registration itself */
export function rotationSteps({ name, clientId, proof }: ProviderDefinition, isAutomatic: boolean, here: RotationStepId | undefined): readonly RotationStep[] {
  const what = credentialWords[proof.method]
  const isKey = proof.method === 'private_key_jwt'
  const elsewhere = isAutomatic ? 'gateway' : 'person'
  const about: Readonly<Record<RotationStepId, Pick<RotationStep, 'by' | 'instruction'>>> = {
    prepare: {
      by: isKey ? 'gateway' : 'person',
      instruction: isKey
        ? 'A new key is made and sealed beside the one that counts.'
        : `Get a new ${what} for client ${clientId} from ${name}, and give it to this command.`,
    },
    register: { by: elsewhere, instruction: `Let client ${clientId} at ${name} have the new ${what} beside the old one.` },
    'prove-new': {
      by: 'gateway',
      instruction: `A request with the new ${what} shows that the provider takes it, and one with another that it does not take any.`,
    },
    switch: { by: 'gateway', instruction: `From the next request on the gateway shows the new ${what}.` },
    withdraw: { by: elsewhere, instruction: `Take the old ${what} away from client ${clientId} at ${name}.` },
    'prove-old-fails': {
      by: 'gateway',
      instruction: `A request with the old ${what} shows that the provider refuses it, and one with the new that it takes that.`,
    },
  }
  const at = here === undefined ? rotationStepIds.length : rotationStepIds.indexOf(here)
  return rotationStepIds.map((id, index) => ({ id, ...about[id], state: index < at ? 'done' : index === at ? 'here' : 'ahead' }))
}
