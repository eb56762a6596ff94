import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { reportSchema, type LoadReport, type Order } from './orders.ts'

/** The load generator, seen from the process that conducts the measurement. */
export class Load implements Disposable {
  readonly #child: ChildProcess = fork(join(import.meta.dirname, 'load-program.ts'))

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** @throws Error when a request failed: what is measured then is not what it seems. */
  async order(order: Order): Promise<LoadReport> {
    this.#child.send(order)
    const [message] = await once(this.#child, 'message')
    const report = reportSchema.parse(message)
    if (report.failure !== undefined) throw new Error(`the load failed: ${report.failure}`)
    return report
  }

  [Symbol.dispose](): void {
    this.#child.kill()
  }
}
