import type {HealthRule} from '../health-rule.ts'

export const deliveryRules: readonly HealthRule[] = [
  {
    kinds: ['flagger.app/Canary'],
    awaits: '.phase',
    verdicts: [
      ['Failed', '.phase=Failed'],
      ['Current', '.phase=Initialized|Succeeded'],
      ['InProgress', '.phase'],
    ],
  },
  {
    kinds: ['tekton.dev/PipelineRun', 'tekton.dev/TaskRun', 'tekton.dev/CustomRun'],
    awaits: 'Succeeded',
    verdicts: [
      ['Failed', 'Succeeded=False'],
      ['InProgress', 'Succeeded=Unknown'],
    ],
  },
  {
    kinds: ['operators.coreos.com/Subscription'],
    awaits: '.state',
    verdicts: [
      ['Failed', 'CatalogSourcesUnhealthy=True'],
      ['Failed', 'ResolutionFailed=True'],
      ['Failed', 'BundleUnpackFailed=True'],
      ['Failed', 'InstallPlanFailed=True'],
      ['Failed', '.state=UpgradeFailed'],
      [
        'Current',
        '.state=UpgradePending & .installedCSV & spec.installPlanApproval=Manual & InstallPlanPending=True(RequiresApproval)',
        'installed; an upgrade waits for approval',
      ],
      ['InProgress', 'InstallPlanPending=True'],
      ['InProgress', '.state=UpgradeAvailable|UpgradePending'],
      ['Current', '.state=AtLatestKnown'],
    ],
  },
  {
    kinds: ['operators.coreos.com/ClusterServiceVersion'],
    awaits: '.phase',
    verdicts: [
      ['Failed', '.phase=Failed|Unknown'],
      ['Current', '.phase=Succeeded'],
      ['InProgress', '.phase'],
    ],
  },
  {
    kinds: ['operators.coreos.com/InstallPlan'],
    awaits: '.phase',
    verdicts: [
      ['Failed', '.phase=Failed'],
      ['InProgress', '.phase=RequiresApproval', 'waits for approval'],
      ['Current', '.phase=Complete'],
      ['InProgress', '.phase'],
    ],
  },
  {
    kinds: ['operators.coreos.com/CatalogSource'],
    awaits: 'status',
    verdicts: [
      ['Failed', '.reason=SpecInvalidError|*Error'],
      ['Failed', '.connectionState.lastObservedState=TRANSIENT_FAILURE|SHUTDOWN'],
      ['Current', '.connectionState.lastObservedState=READY'],
      ['InProgress', '.connectionState.lastObservedState'],
    ],
  },
  {
    kinds: ['olm.operatorframework.io/ClusterExtension', 'olm.operatorframework.io/ClusterCatalog'],
    awaits: '.conditions',
    verdicts: [
      ['Failed', 'Progressing=False(Blocked|InvalidConfiguration)'],
      ['Failed', 'Progressing=True(Retrying)'],
      ['InProgress', 'Installed=False'],
    ],
  },
  {
    kinds: ['lifecycle.keptn.sh/*'],
    awaits: '.status',
    verdicts: [
      ['Failed', '.status=Failed'],
      ['Current', '.status=Succeeded|Warning|Deprecated'],
      ['InProgress', '.status'],
    ],
  },
  {
    kinds: ['lifecycle.keptn.sh/KeptnEvaluation'],
    awaits: '.overallStatus',
    verdicts: [
      ['Failed', '.overallStatus=Failed'],
      ['Current', '.overallStatus=Succeeded|Warning'],
      ['InProgress', '.overallStatus'],
    ],
  },
  {
    // Definitions, which are only read by others.
    kinds: [
      'lifecycle.keptn.sh/KeptnApp',
      'lifecycle.keptn.sh/KeptnAppContext',
      'lifecycle.keptn.sh/KeptnTaskDefinition',
      'lifecycle.keptn.sh/KeptnEvaluationDefinition',
    ],
  },
  {
    kinds: ['metrics.keptn.sh/Analysis'],
    awaits: '.state',
    verdicts: [
      ['Failed', '.state=Completed & .pass=false & !.warning=true', 'the analysis did not pass'],
      ['Current', '.state=Completed'],
      ['InProgress', '.state'],
    ],
  },
  {
    kinds: [
      'numaplane.numaproj.io/PipelineRollout',
      'numaplane.numaproj.io/MonoVertexRollout',
      'numaplane.numaproj.io/ISBServiceRollout',
      'numaplane.numaproj.io/NumaflowControllerRollout',
    ],
    awaits: '.phase',
    verdicts: [
      ['Failed', '.phase=Failed'],
      ['Failed', 'ProgressiveUpgradeSucceeded=False(!Progressing|InProgress|NotSet)'],
      ['InProgress', 'ChildResourcesHealthy=False(Progressing)'],
      ['Failed', 'ChildResourcesHealthy=False'],
      ['InProgress', '.phase=Pending'],
      ['InProgress', '.upgradeInProgress'],
    ],
  },
  {
    kinds: [
      'numaflow.numaproj.io/Pipeline',
      'numaflow.numaproj.io/Vertex',
      'numaflow.numaproj.io/MonoVertex',
      'numaflow.numaproj.io/InterStepBufferService',
    ],
    awaits: '.phase',
    verdicts: [
      ['Failed', '.phase=Failed|Unknown'],
      [
        'Failed',
        'metadata.labels[numaplane.numaproj.io/progressive-result-state]=failed',
        'its progressive upgrade failed',
      ],
      ['Current', '.phase=Paused', 'paused, as its spec asks'],
      ['InProgress', '.phase=Pending|Pausing|Deleting'],
      ['Failed', 'any .conditions: .status=False'],
    ],
  },
  {
    kinds: ['camel.apache.org/Integration', 'camel.apache.org/IntegrationKit', 'camel.apache.org/IntegrationPlatform'],
    awaits: '.phase',
    verdicts: [
      ['Failed', '.phase=*Error|Cannot*|Failed'],
      ['Current', '.phase=Running|Ready'],
      ['InProgress', '.phase'],
    ],
  },
  {
    kinds: ['tower.ansible.com/AnsibleJob'],
    awaits: '.ansibleJobResult.status',
    verdicts: [
      ['Failed', '.ansibleJobResult.status=failed|error|canceled'],
      ['Current', '.ansibleJobResult.status=successful'],
      ['InProgress', '.ansibleJobResult.status'],
    ],
  },
  {
    kinds: ['resources.teleport.dev/*'],
    awaits: '.conditions',
    verdicts: [['Failed', 'any .conditions: .status=False']],
  },
  {
    kinds: ['helm.cattle.io/HelmChart'],
    verdicts: [['Failed', 'Failed=True']],
  },
  {
    kinds: ['pulumi.com/Stack'],
    awaits: 'Ready',
  },
  {
    kinds: ['db.atlasgo.io/*'],
    awaits: 'Ready',
  },
]
