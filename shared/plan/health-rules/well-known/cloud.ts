import type {HealthRule} from '../health-rule.ts'

export const cloudRules: readonly HealthRule[] = [
  {
    // Managed resources and composites (Crossplane's resource model): Synced is whether the provider accepts it, Ready whether it is usable.
    kinds: ['*.crossplane.io/*', '*.upbound.io/*'],
    awaits: 'Ready',
    verdicts: [
      ['Current', 'Synced=False(ReconcilePaused)', 'reconciliation is paused'],
      ['Failed', 'Synced=False'],
      ['Failed', 'LastAsyncOperation=False'],
    ],
  },
  {
    // These report nothing, or only who uses them.
    kinds: [
      '*.crossplane.io/ProviderConfig',
      '*.crossplane.io/ClusterProviderConfig',
      '*.crossplane.io/ProviderConfigUsage',
      '*.crossplane.io/StoreConfig',
      '*.upbound.io/ProviderConfig',
      '*.upbound.io/ClusterProviderConfig',
      '*.upbound.io/ProviderConfigUsage',
      '*.upbound.io/StoreConfig',
      'apiextensions.crossplane.io/*',
      'pkg.crossplane.io/*',
    ],
  },
  {
    kinds: ['apiextensions.crossplane.io/CompositeResourceDefinition'],
    awaits: 'Established',
    verdicts: [
      ['InProgress', 'Established=False'],
      ['InProgress', 'Offered=False(!Offering*|NoClaim*)'],
    ],
  },
  {
    kinds: [
      'pkg.crossplane.io/Provider',
      'pkg.crossplane.io/Configuration',
      'pkg.crossplane.io/Function',
      'pkg.crossplane.io/ProviderRevision',
      'pkg.crossplane.io/ConfigurationRevision',
      'pkg.crossplane.io/FunctionRevision',
    ],
    awaits: 'Healthy',
    verdicts: [
      ['Failed', 'Installed=False(!InactivePackageRevision|*Unpack*ing)'],
      ['InProgress', 'Healthy!=True'],
      ['Current', 'Healthy=True'],
    ],
  },
  {
    // AWS Controllers for Kubernetes; what is Recoverable is tried again by the controller.
    kinds: ['*.services.k8s.aws/*'],
    awaits: '[ACK.ResourceSynced]',
    verdicts: [
      ['Failed', '[ACK.Terminal]=True'],
      ['InProgress', '[ACK.Recoverable]=True'],
      ['InProgress', '[ACK.ReferencesResolved]=False'],
      ['InProgress', '[ACK.ResourceSynced]!=True'],
      ['Current', '[ACK.ResourceSynced]=True'],
    ],
  },
  {
    kinds: ['services.k8s.aws/*'],
  },
  {
    // Google Config Connector.
    kinds: ['*.cnrm.cloud.google.com/*'],
    awaits: 'Ready',
    verdicts: [
      ['Failed', 'Ready=False(*Failed|*Invalid|*Error|Unreconcilable|ManagementConflict|DeletionPolicy*)'],
      ['InProgress', 'Ready=False'],
    ],
  },
  {
    // Azure Service Operator; the severity of Ready tells a failure from waiting, which the generic engine reads.
    kinds: ['*.azure.com/*'],
    awaits: 'Ready',
  },
  {
    kinds: ['services.cloud.sap.com/*'],
    awaits: 'Ready',
    verdicts: [
      ['Failed', 'Failed=True'],
      ['InProgress', 'Succeeded=False(*InProgress)'],
    ],
  },
  {
    kinds: ['iammanager.keikoproj.io/Iamrole'],
    awaits: '.state',
    verdicts: [
      ['Failed', '.state=Error|*Reached|*NotAllowed|*Failed'],
      ['InProgress', '.state=*InProgress'],
      ['Current', '.state=Ready'],
    ],
  },
  {
    kinds: ['karpenter.sh/NodeClaim'],
    awaits: 'Ready',
    verdicts: [
      ['InProgress', 'Disrupting=True', 'the node is being replaced'],
      ['Failed', 'Launched=False(*Fail*|*Error*)'],
      ['Failed', 'Initialized=True & Ready=False'],
    ],
  },
  {
    kinds: ['karpenter.sh/NodePool'],
    awaits: 'Ready',
    verdicts: [['Failed', 'Ready=False']],
  },
  {
    kinds: ['karpenter.k8s.aws/*', 'karpenter.azure.com/*'],
    awaits: 'Ready',
  },
  {
    kinds: ['core.gardener.cloud/Shoot'],
    awaits: 'metadata.labels[shoot.gardener.cloud/status]',
    verdicts: [
      ['Failed', 'metadata.labels[shoot.gardener.cloud/status]=unhealthy'],
      ['InProgress', 'metadata.labels[shoot.gardener.cloud/status]=progressing'],
      ['Unknown', 'metadata.labels[shoot.gardener.cloud/status]=unknown'],
      ['Current', 'metadata.labels[shoot.gardener.cloud/status]=healthy'],
    ],
  },
]
