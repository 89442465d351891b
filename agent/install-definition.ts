import {describeError} from '#shared/model/drawbridge-error.ts'
import {childObject, isJsonObject} from '#shared/model/manifest.ts'
import type {AgentPorts} from './agent-context.ts'
import {appDefinition, DEFINITION_ANNOTATION, definitionDigest, definitionType} from './app-definition.ts'
import type {KubeClient} from './kube/kube-client.ts'
import {isKubeError} from './kube/kube-error.ts'
import {annotationsOf} from './kube/kube-object.ts'
import {STATE_MANAGER} from './marks.ts'

const target = {namespace: '', name: appDefinition.metadata.name}

/** Installs the definition of App objects, or brings it up to date, where that is allowed. */
export async function installDefinition({kube, log}: Pick<AgentPorts, 'kube' | 'log'>): Promise<void> {
  try {
    const present = await kube.get(definitionType, target, 'metadata')
    if (present !== 'absent' && annotationsOf(present)[DEFINITION_ANNOTATION] === definitionDigest) return
    await kube.apply(definitionType, target, JSON.stringify(appDefinition), {
      fieldManager: STATE_MANAGER,
      force: true,
      detail: 'metadata',
    })
  } catch (error) {
    if (!isKubeError(error)) throw error
    log(
      'info',
      `the definition ${target.name} cannot be kept; apps are shown where it is installed: ${describeError(error)}`,
    )
  }
}

/**
 * Tells why App objects may be there although they could not be listed, or `'none'`: their definition was never in effect. A server that has
 * just started answers 404 for kinds that it serves a moment later.
 */
export async function mayHideApps(kube: Pick<KubeClient, 'get' | 'isReady'>): Promise<string> {
  if (!(await kube.isReady())) return 'the API server is not ready yet'
  try {
    const present = await kube.get(definitionType, target, 'whole')
    const conditions = present === 'absent' ? [] : childObject(present, 'status')?.conditions
    const established = (Array.isArray(conditions) ? conditions : []).some(
      (condition) => isJsonObject(condition) && condition.type === 'Established' && condition.status === 'True',
    )
    return established ? `the definition ${target.name} is there, and App objects cannot be read` : 'none'
  } catch (error) {
    if (isKubeError(error, 'FORBIDDEN')) return 'none'
    throw error
  }
}
