import type {HealthRule, Verdict} from '../health-rule.ts'

const suspended: Verdict = ['Current', 'spec.suspend=true', 'suspended, as its spec asks']

export const fluxAndArgoRules: readonly HealthRule[] = [
  {
    // Flux retries for ever, with Reconciling=True: what tells of the failure is Ready and its reason.
    kinds: [
      'source.toolkit.fluxcd.io/*',
      'image.toolkit.fluxcd.io/*',
      'source.extensions.fluxcd.io/*',
      'fluxcd.controlplane.io/*',
    ],
    awaits: 'Ready',
    verdicts: [suspended, ['Failed', 'Stalled=True'], ['Failed', 'Ready=False(!Progressing*)']],
  },
  {
    kinds: ['kustomize.toolkit.fluxcd.io/Kustomization', 'helm.toolkit.fluxcd.io/HelmRelease'],
    awaits: 'Ready',
    verdicts: [
      suspended,
      ['Failed', 'Stalled=True'],
      ['InProgress', 'Ready=False(DependencyNotReady)'],
      ['Failed', 'Ready=False(!Progressing*)'],
    ],
  },
  {
    kinds: ['source.toolkit.fluxcd.io/HelmRepository'],
    awaits: 'Ready',
    verdicts: [
      suspended,
      ['Current', 'spec.type=oci & !Ready', 'a repository of type oci has nothing to report'],
      ['Failed', 'Stalled=True'],
      ['Failed', 'Ready=False(!Progressing*)'],
    ],
  },
  {
    // Alert and Provider report nothing since v1beta3.
    kinds: ['notification.toolkit.fluxcd.io/*'],
    verdicts: [suspended, ['Failed', 'Stalled=True'], ['Failed', 'Ready=False(!Progressing*)']],
  },
  {
    kinds: ['infra.contrib.fluxcd.io/Terraform'],
    awaits: 'Ready',
    verdicts: [suspended, ['Failed', 'Ready=False(*Failed|*Error)']],
  },
  {
    kinds: ['argoproj.io/Application'],
    awaits: '.health.status',
    verdicts: [
      ['Failed', '.health.status=Degraded'],
      ['InProgress', '.health.status=Progressing|Missing'],
      ['Unknown', '.health.status=Unknown'],
      ['Current', '.health.status=Healthy|Suspended'],
    ],
  },
  {
    kinds: ['argoproj.io/ApplicationSet'],
    awaits: '.conditions',
    verdicts: [
      ['Failed', 'ErrorOccurred=True'],
      ['InProgress', 'RolloutProgressing=True'],
      ['Current', 'ResourcesUpToDate=True'],
      ['InProgress', 'ResourcesUpToDate'],
    ],
  },
  {
    kinds: ['argoproj.io/ArgoCD', 'argoproj.io/RolloutManager', 'argoproj.io/NotificationsConfiguration'],
    awaits: '.phase',
  },
  {
    kinds: ['argoproj.io/Rollout'],
    awaits: 'status',
    verdicts: [
      ['Failed', '.phase=Degraded'],
      ['Failed', 'InvalidSpec=True'],
      ['Failed', '.abort=true & Progressing=False'],
      ['Failed', 'Progressing=False(ProgressDeadlineExceeded|RolloutAborted)'],
      ['InProgress', '.workloadObservedGeneration<metadata.annotations[rollout.argoproj.io/workload-generation]'],
      ['InProgress', '.phase=Paused', 'the rollout is paused'],
      ['InProgress', 'Progressing=Unknown(RolloutPaused)'],
      ['InProgress', 'spec.paused=true', 'the rollout is paused, as its spec asks'],
      ['InProgress', '.phase=Progressing'],
      ['Current', '.phase=Healthy'],
      ['InProgress', 'Progressing=True(ReplicaSetUpdated|NewReplicaSetCreated|FoundNewReplicaSet)'],
      ['InProgress', '.updatedReplicas<spec.replicas'],
      ['InProgress', '.replicas>.updatedReplicas', 'old replicas are not gone yet'],
      ['InProgress', '.availableReplicas<.updatedReplicas'],
      ['InProgress', 'Available=False'],
      ['InProgress', '.blueGreen.activeSelector & .blueGreen.activeSelector!=.currentPodHash'],
    ],
  },
  {
    kinds: ['argoproj.io/AnalysisRun', 'argoproj.io/Experiment', 'argoproj.io/Workflow'],
    awaits: '.phase',
    verdicts: [
      ['Failed', '.phase=Failed|Error'],
      ['Unknown', '.phase=Inconclusive'],
      ['InProgress', '.phase=Pending|Running'],
      ['Current', '.phase=Successful|Succeeded'],
    ],
  },
  {
    kinds: ['argoproj.io/CronWorkflow'],
    verdicts: [suspended, ['Failed', 'SubmissionError=True'], ['Failed', 'SpecError=True']],
  },
  {
    kinds: ['argoproj.io/EventBus', 'argoproj.io/EventSource', 'argoproj.io/Sensor'],
    awaits: '.conditions',
    verdicts: [
      ['Failed', 'any .conditions: .status=False'],
      ['InProgress', 'any .conditions: .status=Unknown'],
    ],
  },
  {
    kinds: ['promoter.argoproj.io/*'],
    awaits: 'Ready',
    verdicts: [['Failed', 'Ready=False']],
  },
  {
    // Its phase is what it tells of a commit, not how it is itself.
    kinds: ['promoter.argoproj.io/CommitStatus'],
    awaits: 'Ready',
    verdicts: [
      ['Failed', 'Ready=False'],
      ['Current', 'Ready=True & .phase'],
    ],
  },
  {
    kinds: ['promoter.argoproj.io/ChangeTransferPolicy'],
    awaits: 'Ready',
    verdicts: [
      ['Failed', 'Ready=False'],
      ['InProgress', 'Ready=True & !.active.dry.sha', 'no active commit yet'],
      ['InProgress', 'Ready=True & !.proposed.dry.sha', 'no proposed commit yet'],
      ['InProgress', 'Ready=True & .active.dry.sha!=.proposed.dry.sha', 'a promotion is under way'],
    ],
  },
  {
    kinds: ['promoter.argoproj.io/PromotionStrategy'],
    awaits: 'Ready',
    verdicts: [
      ['Failed', 'Ready=False'],
      ['Failed', 'Ready=True & !.environments', 'it has no environments'],
      ['InProgress', 'any .environments: !.active.dry.sha', 'an environment has no active commit yet'],
      ['InProgress', 'any .environments: !.proposed.dry.sha', 'an environment has no proposed commit yet'],
      ['InProgress', 'any .environments: .active.dry.sha!=.proposed.dry.sha', 'a promotion is under way'],
    ],
  },
  {
    kinds: ['kargo.akuity.io/Stage'],
    awaits: 'status',
    verdicts: [
      ['Failed', '.health.status=Unhealthy'],
      ['InProgress', '.health.status=Progressing'],
    ],
  },
]
