import type {Health} from '../model/cluster-report.ts'

/** Argo CD's words for health. */
export type ArgoHealth = 'Healthy' | 'Progressing' | 'Degraded' | 'Suspended' | 'Missing' | 'Unknown'

/** What each of kstatus's words is called in Argo CD. `Suspended` has no word of its own in kstatus: it is Current where the spec asks for it, else InProgress. */
export const argoHealthOf: Readonly<Record<Health, ArgoHealth>> = {
  Current: 'Healthy',
  InProgress: 'Progressing',
  Failed: 'Degraded',
  Terminating: 'Progressing',
  NotFound: 'Missing',
  Unknown: 'Unknown',
}
