import {homedir} from 'node:os'
import {join} from 'node:path'

/** Where programs that are built or unpacked once are kept: `$XDG_CACHE_HOME/drawbridge`, or `~/.cache/drawbridge`. */
export function cacheDirOf(env: Readonly<Record<string, string | undefined>>): string {
  return join(env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache'), 'drawbridge')
}
