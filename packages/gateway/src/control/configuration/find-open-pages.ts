import type { Configuration } from '@sallyport/contract'
import { objectionToUrl } from '../login/provider-definition.ts'
import { addressOf } from './addresses.ts'
import type { FaultAt } from './read-configuration.ts'

/** Login pages that others could listen to, or that browsers could not reach where they are said to be. */
export function findOpenPages({ sessions }: Configuration): readonly FaultAt[] {
  if (!sessions || sessions.listen === 'off') return []
  const { listen, publicUrl } = sessions
  if (publicUrl === undefined) {
    if (listen === undefined || objectionToUrl(`http://${listen}`) === undefined) return []
    return [{ where: ['sessions', 'listen'], message: `${addressOf(listen).host} is open to others: say the https address of the pages in publicUrl` }]
  }
  const where = ['sessions', 'publicUrl']
  const url = new URL(publicUrl)
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '')
    return [{ where, message: 'the pages are at the root of their host: leave out what follows it' }]
  const objection = objectionToUrl(publicUrl)
  return objection === undefined ? [] : [{ where, message: objection }]
}
