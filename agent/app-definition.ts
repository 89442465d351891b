import {canonicalJson} from '#shared/bundle/canonical-json.ts'
import {HEALTH} from '#shared/model/cluster-report.ts'
import {digestOf} from '#shared/model/digest.ts'
import type {JsonObject, Manifest} from '#shared/model/manifest.ts'
import type {ResourceType} from './kube/kube-client.ts'

/** The kind in which apps are seen from within the cluster. It holds a status only: what runs is said in git. */
export const appType: ResourceType = {
  group: 'drawbridge.dev',
  version: 'v1alpha1',
  kind: 'App',
  plural: 'apps',
  namespaced: true,
}

export const definitionType: ResourceType = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  namespaced: false,
}

const text = (description?: string): JsonObject => ({
  type: 'string',
  ...(description === undefined ? {} : {description}),
})
const time = (description?: string): JsonObject => ({...text(description), format: 'date-time'})
const count = (description?: string): JsonObject => ({
  type: 'integer',
  format: 'int64',
  minimum: 0,
  ...(description === undefined ? {} : {description}),
})
const object = (properties: Record<string, JsonObject>, required: string[] = []): JsonObject => ({
  type: 'object',
  properties,
  ...(required.length === 0 ? {} : {required}),
})
const list = (items: JsonObject, maxItems: number): JsonObject => ({
  type: 'array',
  maxItems,
  items,
  'x-kubernetes-list-type': 'atomic',
})

const conditions: JsonObject = {
  type: 'array',
  description: 'Ready, Healthy, and where they hold Reconciling and Stalled, as kstatus reads them',
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['type'],
  items: object(
    {
      type: text(),
      status: {...text(), enum: ['True', 'False', 'Unknown']},
      reason: text(),
      message: text(),
      lastTransitionTime: time(),
      observedGeneration: count(),
    },
    ['type', 'status', 'reason', 'message', 'lastTransitionTime'],
  ),
}

const status = object({
  observedGeneration: count(),
  conditions,
  lastAppliedRevision: text('the revision that is applied in full'),
  lastAttemptedRevision: text('the revision last tried'),
  lastHandledReconcileAt: text('the value of the annotation that last asked for a reconcile and was answered'),
  bundle: text('digest of the bundle last tried'),
  health: {...text('the worst health of its objects'), enum: [...HEALTH]},
  suspended: {type: 'boolean', description: 'seen, and not touched'},
  inventory: object({count: count('how many objects it applied')}, ['count']),
  drift: count('how many objects are not as desired, and not healed yet'),
  drifted: list(object({object: text(), what: text('field paths, never values'), manager: text(), since: time()}), 20),
  unhealthy: list(object({object: text(), health: text(), reason: text()}), 20),
  history: list(
    object({
      revision: text(),
      digest: text(),
      firstReconciled: time(),
      lastReconciled: time(),
      lastReconciledStatus: text('the reason of Ready by then'),
    }),
    10,
  ),
})

const column = (name: string, jsonPath: string, more: JsonObject = {}): JsonObject => ({
  name,
  type: 'string',
  jsonPath,
  ...more,
})

const definition: Manifest = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: {name: 'apps.drawbridge.dev', labels: {'app.kubernetes.io/part-of': 'drawbridge'}},
  spec: {
    group: appType.group,
    scope: 'Namespaced',
    names: {
      kind: appType.kind,
      listKind: 'AppList',
      plural: appType.plural,
      singular: 'app',
      categories: ['drawbridge'],
    },
    versions: [
      {
        name: appType.version,
        served: true,
        storage: true,
        subresources: {status: {}},
        additionalPrinterColumns: [
          column('Revision', '.status.lastAppliedRevision'),
          column('Ready', '.status.conditions[?(@.type=="Ready")].status'),
          column('Health', '.status.health'),
          column('Drift', '.status.drift', {type: 'integer'}),
          column('Suspended', '.status.suspended', {type: 'boolean', priority: 1}),
          column('Message', '.status.conditions[?(@.type=="Ready")].message', {priority: 1}),
          column('Age', '.metadata.creationTimestamp', {type: 'date'}),
        ],
        schema: {
          openAPIV3Schema: {
            description:
              'An app as the agent sees it, written by the agent. Annotate it reconcile.drawbridge.dev/requestedAt to ask for a reconcile, drawbridge.dev/suspend="true" to have the app left alone, drawbridge.dev/approve-prune=REVISION to let that revision delete more than its limit.',
            ...object({apiVersion: text(), kind: text(), metadata: {type: 'object'}, status}),
          },
        },
      },
    ],
  },
}

/** On the definition: the digest of all the rest of it. */
export const DEFINITION_ANNOTATION = 'drawbridge.dev/definition'

export const definitionDigest = digestOf(canonicalJson(definition))

/**
 * The CustomResourceDefinition `apps.drawbridge.dev`: its name column is the app. An agent that finds its own digest on the one in the
 * cluster leaves it alone.
 */
export const appDefinition: Manifest = {
  ...definition,
  metadata: {...definition.metadata, annotations: {[DEFINITION_ANNOTATION]: definitionDigest}},
}
