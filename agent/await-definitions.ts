import {setTimeout as sleep} from 'node:timers/promises'
import {formatRef, groupOf} from '#shared/model/object-ref.ts'
import type {AgentContext} from './agent-context.ts'
import {AppFailure} from './app-failure.ts'
import type {LoadedBundle} from './app-state.ts'
import {apiVersionOf} from './kube/kube-client.ts'
import type {PlannedObject} from './plan-objects.ts'

const DEFINITION_LIMIT_MS = 60_000

/** Definitions must be established, and their kinds known, before the objects that they define are applied. */
export async function awaitDefinitions(
  ctx: AgentContext,
  bundle: LoadedBundle,
  stage: PlannedObject[],
  signal: AbortSignal,
): Promise<void> {
  const definitions = stage.filter(
    ({ref}) => ref.kind === 'CustomResourceDefinition' && ref.group === 'apiextensions.k8s.io',
  )
  if (definitions.length === 0) return
  const giveUpAt = performance.now() + DEFINITION_LIMIT_MS
  for (const definition of definitions) {
    while (ctx.live.get(definition.key)?.health !== 'Current') {
      if (signal.aborted) return
      if (performance.now() > giveUpAt) {
        const reason = ctx.live.get(definition.key)?.healthReason ?? 'is not there'
        throw new AppFailure('NOT_ESTABLISHED', `${formatRef(definition.ref)} is not established: ${reason}`)
      }
      await sleep(20)
    }
  }
  // What a definition of a later wave brings is not served yet.
  const names = new Set(definitions.map(({ref}) => ref.name))
  const defined = [...bundle.objects.values(), ...[...bundle.hooks.values()].map(({object}) => object)].filter(
    ({type}) => type !== undefined && names.has(`${type.plural}.${type.group}`),
  )
  const unserved = new Map(
    defined.map(({type, apiVersion, ref}) => [`${ref.group}/${ref.kind}`, {type, apiVersion, ref}]),
  )
  for (const {type, apiVersion, ref} of unserved.values()) {
    if (type === undefined || ctx.discovery.known(apiVersion, ref.kind) !== undefined) continue
    ctx.discovery.forget(groupOf(apiVersionOf(type)))
    while ((await ctx.discovery.find(apiVersion, ref.kind)) === undefined) {
      if (signal.aborted) return
      if (performance.now() > giveUpAt)
        throw new AppFailure('NOT_ESTABLISHED', `${ref.kind} in ${apiVersion} is not served though it is defined`)
      await sleep(50)
      ctx.discovery.forget(groupOf(apiVersion))
    }
    await ctx.live.follow(type)
  }
}
