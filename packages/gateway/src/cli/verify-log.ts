import type { LogFault, VerifiedLog, VerifyOptions } from '@sallyport/contract/log'
import * as prove from '../audit/prove.ts'
import { viewLogFolder } from '../drivers/posix-log/log-folder.ts'

/** Verifies the log in a folder against the text of its verifier key, without a gateway. @throws Fault when the folder cannot be read */
export async function verifyFolder(folder: string, vkey: string, options: VerifyOptions = {}): Promise<VerifiedLog | LogFault> {
  return prove.verifyFolder(viewLogFolder(folder), vkey, options)
}
