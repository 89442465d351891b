import type {Command} from 'commander'
import {childObject, type JsonObject} from '#shared/model/manifest.ts'
import {formatRef, groupOf, type ObjectRef} from '#shared/model/object-ref.ts'
import {computeHealth, type ObjectHealth} from '#shared/plan/compute-health.ts'
import {layerHealthRules, noHealthRules} from '#shared/plan/health-rules/compile-health-rules.ts'
import type {HealthRules} from '#shared/plan/health-rules/health-rule.ts'
import {parseHealthRules} from '#shared/plan/health-rules/parse-health-rules.ts'
import {wellKnownHealthRules} from '#shared/plan/health-rules/well-known-rules.ts'
import {argoHealthOf} from '#shared/plan/health-words.ts'
import {CliError, type CliIo, type ExitStatus} from './io.ts'
import {type Column, type OutputFormat, parseOutputFormat, printRows} from './print-rows.ts'
import {readObjects, readValues} from './read-objects.ts'

interface HealthOptions {
  file: string
  output: OutputFormat
  header: boolean
  rules?: string
  wellKnown: boolean
}

interface HealthRow extends ObjectHealth {
  ref: ObjectRef
}

/** Adds `drawbridge health`: the health of objects as they are handed in, without a cluster. */
export function addHealthCommand(program: Command, io: CliIo, done: (status: ExitStatus) => void): void {
  program
    .command('health')
    .description('judge the health of objects that carry their status; no cluster is needed')
    .option('-f, --file <file>', 'a YAML stream, a JSON object, an array, a List or a line each; - is stdin', '-')
    .option('-o, --output <format>', 'json, yaml, wide or name', parseOutputFormat, 'table')
    .option('--no-header', 'no header line')
    .option('--rules <file>', 'rules of your own, put on top of those that come with Drawbridge')
    .option(
      '--no-well-known',
      'without the rules that come with Drawbridge: built-in kinds and the generic engine only',
    )
    .addHelpText(
      'after',
      `
Prints for each object, in their order, health (Current, InProgress, Failed, Terminating or Unknown) and its reason.
-o json prints an array of {"ref": {"group", "kind", "namespace", "name"}, "health", "reason"}.
Exit status: 0 whatever the health is, 2 where the input or a rule cannot be read.

  kubectl get deployments,certificates -A -o yaml | drawbridge health`,
    )
    .action(async (options: HealthOptions) => {
      const rules = await readRules(io, options)
      const now = new Date()
      const rows = (await readObjects(io, options.file)).map((object) => ({
        ref: refOfAny(object),
        ...computeHealth(object, {rules, now}),
      }))
      printRows<HealthRow>(io, {
        rows,
        columns,
        format: options.output,
        header: options.header,
        name: ({ref}) => formatRef(ref),
      })
      done(0)
    })
}

const columns: readonly Column<HealthRow>[] = [
  {title: 'OBJECT', value: ({ref}) => formatRef(ref)},
  {title: 'HEALTH', value: ({health}) => health},
  {title: 'ARGO CD', value: ({health}) => argoHealthOf[health], wide: true},
  {title: 'REASON', value: ({reason}) => reason},
]

async function readRules(io: CliIo, {rules, wellKnown}: HealthOptions): Promise<HealthRules> {
  const base = wellKnown ? wellKnownHealthRules : noHealthRules
  if (rules === undefined) return base
  const documents = await readValues(io, rules)
  const layers = documents.map(({value, place}) => {
    try {
      return parseHealthRules(value)
    } catch (cause) {
      throw new CliError(place, 2, {cause})
    }
  })
  return layerHealthRules(...layers, base)
}

// Without a name (what a generator made up, an example) it is judged all the same.
function refOfAny(object: JsonObject): ObjectRef {
  const metadata = childObject(object, 'metadata')
  const text = (value: unknown): string => (typeof value === 'string' ? value : '')
  return {
    group: groupOf(text(object.apiVersion)),
    kind: text(object.kind),
    namespace: text(metadata?.namespace),
    name: text(metadata?.name) || text(metadata?.generateName),
  }
}
