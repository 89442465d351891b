import {compileHealthRules} from './compile-health-rules.ts'
import type {HealthRule, HealthRules} from './health-rule.ts'
import {certificateAndSecretRules} from './well-known/certificates-and-secrets.ts'
import {cloudRules} from './well-known/cloud.ts'
import {clusterRules} from './well-known/clusters.ts'
import {dataStoreRules} from './well-known/data-stores.ts'
import {deliveryRules} from './well-known/delivery.ts'
import {fluxAndArgoRules} from './well-known/flux-and-argo.ts'
import {messagingRules} from './well-known/messaging.ts'
import {networkingRules} from './well-known/networking.ts'
import {observabilityRules} from './well-known/observability.ts'
import {workloadRules} from './well-known/workloads.ts'

/** The rules that come with Drawbridge, one entry for each family of kinds that tells its health in the same way. */
export const wellKnownRules: readonly HealthRule[] = [
  ...certificateAndSecretRules,
  ...cloudRules,
  ...clusterRules,
  ...dataStoreRules,
  ...deliveryRules,
  ...fluxAndArgoRules,
  ...messagingRules,
  ...networkingRules,
  ...observabilityRules,
  ...workloadRules,
]

/** The rules that come with Drawbridge, as `computeHealth` takes them. */
export const wellKnownHealthRules: HealthRules = compileHealthRules(wellKnownRules)
