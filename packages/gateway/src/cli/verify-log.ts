import { resolve } from 'node:path'
import { parseTrustDomain } from '@sallyport/contract'
import { verifierKeyText, type LogFault, type VerifiedLog, type VerifyOptions } from '@sallyport/contract/log'
import { verifierKeyOf } from '../audit/log-key.ts'
import * as prove from '../audit/prove.ts'
import { refuseOtherTrustDomain } from '../control/authority/roots.ts'
import { loadConfiguration } from '../control/configuration/configuration-file.ts'
import { dataFolder, keptCheckpoint, readLogKey } from '../control/data-folder.ts'
import { prunedSizeIn, readPrunedLog, type PrunedLog } from '../control/pruned-log.ts'
import { readKeyFile } from '../drivers/key-file/key-file.ts'
import type { Terminal } from './operator-console.ts'
import { progressLine } from './progress-line.ts'
import { viewLogFolder } from '../drivers/posix-log/log-folder.ts'

/** Verifies the log in a folder against the text of its verifier key, without a gateway. @throws Fault when the folder cannot be read */
export async function verifyFolder(folder: string, vkey: string, options: VerifyOptions = {}): Promise<VerifiedLog | LogFault> {
  return prove.verifyFolder(viewLogFolder(folder), vkey, options)
}

/** The verifier key of the log in a data folder, from its private half. @throws Fault */
export async function ownVerifierKey(folder: string): Promise<string> {
  return verifierKeyText(verifierKeyOf(await readLogKey(folder)))
}

/** The verifier key of the log in a data folder, which must be of the configuration's trust domain. @throws Fault */
export async function configuredVerifierKey(folder: string, configurationFile: string): Promise<string> {
  const { trustDomain } = (await loadConfiguration(resolve(configurationFile))).configuration
  const named = parseTrustDomain(trustDomain)
  if (named) await refuseOtherTrustDomain(dataFolder(folder).authority, named)
  return ownVerifierKey(folder)
}

/** What was pruned from a data folder, if anything. @throws Fault */
export async function ownPrunedLog(folder: string): Promise<PrunedLog | undefined> {
  return (await prunedSizeIn(folder)) === 0 ? undefined : readPrunedLog(folder, await readKeyFile(dataFolder(folder).sealingKey))
}

/** Verifies the log of a data folder with its own key, and that it is not behind the newest checkpoint that was signed. @throws Fault */
export async function verifyOwnLog(folder: string, configurationFile: string, stderr: Terminal['stderr']): Promise<VerifiedLog | LogFault> {
  const earlier = await keptCheckpoint(folder).read()
  const progress = progressLine(stderr)
  return verifyFolder(dataFolder(folder).log, await configuredVerifierKey(folder, configurationFile), {
    earlier: earlier === undefined ? [] : [earlier],
    pruned: await ownPrunedLog(folder),
    onProgress: (entries, size) => progress.tell(entries, size),
  }).finally(() => progress.clear())
}
