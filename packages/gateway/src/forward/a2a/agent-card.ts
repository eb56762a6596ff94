import { parseJson, type JsonInput } from '@sallyport/contract'
import { z } from 'zod'

export const cardLimits = { bytesMax: 262_144, depthMax: 32, listMax: 256, nameLengthMax: 512, textLengthMax: 16_384 } as const

const name = z.string().max(cardLimits.nameLengthMax)
const text = z.string().max(cardLimits.textLengthMax)
const list = <Item extends z.ZodType>(item: Item): z.ZodArray<Item> => z.array(item).max(cardLimits.listMax)

/** What a card says that is true of the agent wherever it is called. Whatever else it says is left out. */
const card = z.object({
  name,
  description: text,
  version: name,
  capabilities: z.object({
    streaming: z.boolean().optional(),
    extensions: list(z.object({ uri: name, description: text.optional(), required: z.boolean().optional(), params: z.json().optional() })).optional(),
  }),
  defaultInputModes: list(name),
  defaultOutputModes: list(name),
  skills: list(
    z.object({
      id: name,
      name,
      description: text,
      tags: list(name),
      examples: list(text).optional(),
      inputModes: list(name).optional(),
      outputModes: list(name).optional(),
    }),
  ),
  supportedInterfaces: list(z.object({ url: z.string(), protocolBinding: name, protocolVersion: name, tenant: name.optional() })),
})

export type RewrittenCard = { readonly kind: 'unusable'; readonly reason: string } | { readonly kind: 'card'; readonly bytes: Uint8Array }

/**
 * The card of an agent, written anew for those who call it through the gateway: at one address, with mutual TLS as the one way in. Nothing of it leads anywhere else,
 * be it another address, another binding, a webhook, a page or a picture; and no signature is left, since the agent has not signed this.
 *
 * @see A2A 1.0 sections 4.4.1 and 8
 */
export function rewriteCard(bytes: Uint8Array, url: string): RewrittenCard {
  const parsed = parseJson(bytes, { bytesMax: cardLimits.bytesMax, depthMax: cardLimits.depthMax })
  if (parsed.kind === 'refused') return { kind: 'unusable', reason: `its card: ${parsed.reason}` }
  const read = card.safeParse(parsed.value)
  if (!read.success) return { kind: 'unusable', reason: `its card: ${z.prettifyError(read.error)}` }
  const { supportedInterfaces, capabilities, ...told } = read.data
  const spoken = supportedInterfaces.find(({ protocolBinding, protocolVersion }) => protocolBinding === 'JSONRPC' && protocolVersion === '1.0')
  if (!spoken) return { kind: 'unusable', reason: 'its card has no JSON-RPC interface of A2A 1.0' }
  const { tenant } = spoken
  const written: JsonInput = {
    ...told,
    supportedInterfaces: [{ url, protocolBinding: 'JSONRPC', protocolVersion: '1.0', tenant }],
    capabilities: { ...capabilities, pushNotifications: false, extendedAgentCard: false },
    securitySchemes: { gateway: { mtlsSecurityScheme: { description: 'The certificate of an agent of this gateway' } } },
    securityRequirements: [{ schemes: { gateway: { list: [] } } }],
  }
  return { kind: 'card', bytes: Buffer.from(JSON.stringify(written)) }
}
