import type {KubeClient} from '../kube/kube-client.ts'
import {isKubeError} from '../kube/kube-error.ts'
import {FIELD_MANAGER} from '../marks.ts'
import type {AgentMetrics} from './create-metrics.ts'

/** Counts what is applied and deleted for apps by its result; the agent's own state is left out. */
export function countOperations(kube: KubeClient, metrics: Pick<AgentMetrics, 'operated'>): KubeClient {
  const counted = async <T>(
    operation: Parameters<AgentMetrics['operated']>[0],
    run: () => Promise<T>,
    resultOf: (answer: T) => string = () => 'ok',
  ): Promise<T> => {
    try {
      const answer = await run()
      metrics.operated(operation, resultOf(answer))
      return answer
    } catch (error) {
      metrics.operated(operation, isKubeError(error) ? error.code : 'UNEXPECTED')
      throw error
    }
  }
  return {
    ...kube,
    apply(type, target, body, options) {
      const run = () => kube.apply(type, target, body, options)
      if (options.fieldManager !== FIELD_MANAGER) return run()
      return counted(options.dryRun ? 'dry-run' : 'apply', run)
    },
    delete: (type, target, options) =>
      counted(
        'delete',
        () => kube.delete(type, target, options),
        (answer) => (answer === 'conflict' ? 'CONFLICT' : 'ok'),
      ),
  }
}
