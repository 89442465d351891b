import {nearestName} from '#shared/plan/nearest-name.ts'
import {inFolder} from '../resolve-path.ts'
import type {BoxFiles} from './box-files.ts'

/** The path that was most likely meant by one that leads to nothing: another name where it goes wrong, and the rest the same where that exists. */
export function nearestPath(files: BoxFiles, path: string): string | undefined {
  const parts = path.split('/')
  const wrong = parts.findIndex((_, index) => files.stat(parts.slice(0, index + 1).join('/')).type === 'absent')
  if (wrong < 0) return undefined
  const folder = parts.slice(0, wrong).join('/')
  const names = (files.list(folder) ?? []).filter(({stat}) => stat.type !== 'submodule').map(({name}) => name)
  const nearest = nearestName(parts[wrong] ?? '', names)
  if (nearest === undefined) return undefined
  const whole = [inFolder(folder, nearest), ...parts.slice(wrong + 1)].join('/')
  return files.stat(whole).type === 'absent' ? inFolder(folder, nearest) : whole
}
