import type {Health} from '../model/cluster-report.ts'

/** Argo CD's words for health. */
export type ArgoHealth = 'Healthy' | 'Progressing' | 'Degraded' | 'Suspended' | 'Missing' | 'Unknown'

/** How kstatus's words, which Drawbridge shows, read in Argo CD. */
export const argoHealthOf: Readonly<Record<Health, ArgoHealth>> = {
  Current: 'Healthy',
  InProgress: 'Progressing',
  Failed: 'Degraded',
  Terminating: 'Progressing',
  NotFound: 'Missing',
  Unknown: 'Unknown',
}

/**
 * Tells whether a kstatus word and an Argo CD word mean the same. `Suspended` has no word of its own in kstatus: what is suspended is either as its spec asks
 * (Current) or halfway and waiting for someone (InProgress).
 */
export function agreesWithArgo(health: Health, argo: string): boolean {
  return argo === 'Suspended' ? health === 'Current' || health === 'InProgress' : argoHealthOf[health] === argo
}
