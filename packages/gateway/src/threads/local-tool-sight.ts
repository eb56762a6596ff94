import { ToolWatchers, type ToolSight } from '../forward/mcp/tool-sight.ts'
import type { ToolRegister } from '../tool-register.ts'

/** The register of tools, where it is on the same thread. */
export function localToolSight(register: ToolRegister): ToolSight {
  const watchers = new ToolWatchers()
  register.onAnnounce((owner) => watchers.tell(owner))
  return {
    look: async (source) => register.look(source),
    mayHaveChanged: (owner) => register.mayHaveChanged(owner),
    announce: (owner) => register.announce(owner),
    watch: (owner, tell) => watchers.watch(owner, tell),
    see: async (source, seen) => new Set(await register.see(source, seen)),
  }
}
