import {API_VERSION} from '#shared/model/api-version.ts'
import {digestHex, digestOf} from '#shared/model/digest.ts'
import {type Sweep, sweepSchema} from '#shared/model/push-event.ts'

/**
 * The message that the schedule sends. A schedule cannot make random ids, so all sweeps have this one traceparent; render
 * begins a trace of its own for each push that a sweep finds.
 */
export function sweepMessage(): Sweep {
  const id = digestHex(digestOf('drawbridge sweep'))
  return sweepSchema.parse({
    apiVersion: API_VERSION,
    kind: 'Sweep',
    trace: {traceparent: `00-${id.slice(0, 32)}-${id.slice(32, 48)}-01`, stages: {}},
  })
}
