import { verifierKeyText, type LogFault, type VerifiedLog, type VerifyOptions } from '@sallyport/contract/log'
import { verifierKeyOf } from '../audit/log-key.ts'
import * as prove from '../audit/prove.ts'
import { readLogKey } from '../control/data-folder.ts'
import { viewLogFolder } from '../drivers/posix-log/log-folder.ts'

/** Verifies the log in a folder against the text of its verifier key, without a gateway. @throws Fault when the folder cannot be read */
export async function verifyFolder(folder: string, vkey: string, options: VerifyOptions = {}): Promise<VerifiedLog | LogFault> {
  return prove.verifyFolder(viewLogFolder(folder), vkey, options)
}

/** The verifier key of the log in a data folder, from its private half. @throws Fault */
export async function ownVerifierKey(folder: string, trustDomain: string): Promise<string> {
  return verifierKeyText(verifierKeyOf(await readLogKey(folder), `${trustDomain}/sallyport`))
}
