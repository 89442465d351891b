import type {HealthRule} from '../health-rule.ts'

export const workloadRules: readonly HealthRule[] = [
  {
    kinds: ['keda.sh/ScaledObject', 'keda.sh/ScaledJob'],
    awaits: 'Ready',
    verdicts: [
      ['Current', 'Paused=True', 'paused, as its annotations ask'],
      ['Failed', 'Ready=False'],
      ['Failed', 'Ready=Unknown(*Error)'],
    ],
  },
  {
    // Knative's convention: False is for good, Unknown is under way.
    kinds: ['*.knative.dev/*'],
    awaits: 'Ready',
    verdicts: [['Failed', 'Ready=False']],
  },
  {
    kinds: ['operator.knative.dev/KnativeServing', 'operator.knative.dev/KnativeEventing'],
    awaits: 'Ready',
    verdicts: [
      ['Failed', 'InstallSucceeded=False(!NotReady)'],
      ['InProgress', 'Ready=False'],
    ],
  },
  {
    kinds: ['serving.kserve.io/InferenceService', 'serving.kserve.io/InferenceGraph'],
    awaits: 'Ready',
    verdicts: [
      ['Current', 'Stopped=True'],
      ['Failed', '.modelStatus.transitionStatus=BlockedByFailedLoad|InvalidSpec'],
      ['InProgress', '.modelStatus.transitionStatus=InProgress & Ready=False'],
      ['Failed', 'Ready=False'],
    ],
  },
  {
    kinds: ['apps.kruise.io/StatefulSet', 'apps.kruise.io/CloneSet', 'game.kruise.io/GameServerSet'],
    awaits: 'status',
    verdicts: [
      ['Current', 'spec.updateStrategy.rollingUpdate.paused=true', 'its rollout is paused, as its spec asks'],
      ['Current', 'spec.updateStrategy.paused=true', 'its rollout is paused, as its spec asks'],
      ['Failed', 'FailedCreatePod=True'],
      ['Failed', 'FailedUpdatePod=True'],
      ['Failed', 'FailedScale=True'],
      ['Failed', 'FailedUpdate=True'],
      ['InProgress', '.replicas<spec.replicas'],
      ['InProgress', '.readyReplicas<.replicas & !.updatedReadyReplicas'],
      ['Current', 'spec.updateStrategy.rollingUpdate.partition>0', 'the rest of the rollout waits for its partition'],
      ['Current', 'spec.updateStrategy.partition>0', 'the rest of the rollout waits for its partition'],
      ['InProgress', '.updatedReadyReplicas<.replicas'],
    ],
  },
  {
    kinds: ['apps.kruise.io/DaemonSet'],
    awaits: 'status',
    verdicts: [
      ['Current', 'spec.updateStrategy.rollingUpdate.paused=true', 'its rollout is paused, as its spec asks'],
      ['InProgress', '.updatedNumberScheduled<.desiredNumberScheduled'],
      ['InProgress', '.numberAvailable<.desiredNumberScheduled'],
    ],
  },
  {
    kinds: ['apps.kruise.io/BroadcastJob'],
    awaits: '.phase',
    verdicts: [
      ['Failed', '.phase=failed'],
      ['Current', '.phase=completed'],
      ['Current', '.phase=paused', 'paused, as its spec asks'],
      ['InProgress', '.phase'],
    ],
  },
  {
    kinds: ['rollouts.kruise.io/Rollout'],
    awaits: '.phase',
    verdicts: [
      ['Current', '.phase=Disabled & spec.disabled=true', 'disabled, as its spec asks'],
      ['Failed', '.phase=Disabled|Terminating'],
      ['InProgress', '.phase=Progressing & .canaryStatus.currentStepState=StepPaused', 'paused until someone approves'],
      ['InProgress', '.phase=Initial|Progressing|Disabling'],
      ['Current', '.phase=Healthy'],
    ],
  },
  {
    kinds: ['apps.openshift.io/DeploymentConfig'],
    awaits: '.conditions',
    verdicts: [
      ['Failed', 'Progressing=False'],
      ['InProgress', 'Progressing=Unknown'],
      ['InProgress', 'Progressing=True(!NewReplicationControllerAvailable)'],
      ['InProgress', '.availableReplicas<spec.replicas & .replicas>0'],
      ['Current', 'Progressing=True(NewReplicationControllerAvailable)'],
    ],
  },
  {
    kinds: ['build.openshift.io/Build'],
    awaits: '.phase',
    verdicts: [
      ['Failed', '.phase=Failed|Error|Cancelled'],
      ['InProgress', '.phase=New|Pending|Running'],
    ],
  },
  {
    kinds: ['apps.3scale.net/APIManager'],
    awaits: 'Available',
    verdicts: [
      ['InProgress', '.deployments.starting', 'some of its deployments are starting'],
      ['InProgress', '.deployments.stopped', 'some of its deployments are stopped'],
      ['Failed', 'Available=False'],
    ],
  },
  {
    kinds: ['capabilities.3scale.net/*'],
    awaits: '.conditions',
    verdicts: [
      ['Current', '.state=suspended'],
      ['Failed', 'Failed=True'],
      ['Failed', 'Invalid=True'],
      ['Failed', 'Orphan=True'],
      ['Failed', 'Ready=False'],
      ['InProgress', 'Waiting=True'],
    ],
  },
  {
    kinds: ['ray.io/RayCluster'],
    awaits: 'status',
    verdicts: [
      ['Current', '.state=suspended', 'suspended, as its spec asks'],
      ['Failed', '.state=failed|unhealthy'],
      ['Failed', 'ReplicaFailure=True'],
      ['Current', '.state=ready'],
      ['InProgress', '!.state', 'its pods are not all ready'],
    ],
  },
  {
    kinds: ['ray.io/RayJob'],
    awaits: 'status',
    verdicts: [
      ['Failed', '.jobDeploymentStatus=Failed|ValidationFailed'],
      ['Failed', '.jobStatus=FAILED|STOPPED'],
      ['Current', '.jobStatus=SUCCEEDED'],
      ['Current', '.jobDeploymentStatus=Suspended|Complete'],
      ['InProgress', 'status'],
    ],
  },
  {
    kinds: ['ray.io/RayService'],
    awaits: 'status',
    verdicts: [
      ['InProgress', 'UpgradeInProgress=True'],
      ['Current', 'Ready=True'],
      ['Current', '.serviceStatus=Running'],
      ['InProgress', 'status'],
    ],
  },
  {
    kinds: ['sparkoperator.k8s.io/SparkApplication'],
    awaits: '.applicationState.state',
    verdicts: [
      ['Failed', '.applicationState.state=FAILED|SUBMISSION_FAILED|FAILING|UNKNOWN'],
      ['Current', '.applicationState.state=COMPLETED|SUSPENDED'],
      ['Current', '.applicationState.state=RUNNING'],
      ['InProgress', '.applicationState.state'],
    ],
  },
  {
    kinds: ['sparkoperator.k8s.io/ScheduledSparkApplication'],
    awaits: '.scheduleState',
    verdicts: [['Failed', '.scheduleState=FailedValidation']],
  },
  {
    kinds: ['flink.apache.org/FlinkDeployment'],
    awaits: '.jobManagerDeploymentStatus',
    verdicts: [
      ['Failed', '.reconciliationStatus.error'],
      ['Failed', '.jobManagerDeploymentStatus=ERROR'],
      ['Failed', '.jobStatus.state=FAILED|FAILING'],
      ['InProgress', '.jobManagerDeploymentStatus=DEPLOYING|DEPLOYED_NOT_READY'],
      [
        'Current',
        '.jobManagerDeploymentStatus=MISSING & .jobStatus.state=SUSPENDED|FINISHED',
        'not running, as its spec asks',
      ],
      ['InProgress', '.jobManagerDeploymentStatus=MISSING'],
      ['InProgress', '.jobStatus.state=CREATED|INITIALIZING|RESTARTING|RECONCILING|CANCELLING'],
      ['Current', '.jobManagerDeploymentStatus=READY'],
    ],
  },
  {
    kinds: ['flink.apache.org/FlinkSessionJob'],
    awaits: '.jobStatus.state',
    verdicts: [
      ['Failed', '.error'],
      ['Failed', '.jobStatus.state=FAILED|FAILING'],
      ['Current', '.jobStatus.state=RUNNING|FINISHED|SUSPENDED'],
      ['InProgress', '.jobStatus.state'],
    ],
  },
  {
    kinds: ['kubevirt.io/VirtualMachine'],
    awaits: '.printableStatus',
    verdicts: [
      ['Failed', '.printableStatus=*Error*|CrashLoopBackOff|ErrImagePull|ImagePullBackOff'],
      ['Unknown', '.printableStatus=Unknown'],
      ['Current', '.printableStatus=Stopped|Paused', 'not running, as someone asked'],
      ['InProgress', '.printableStatus=Starting|Provisioning|Stopping|Terminating|Migrating|WaitingFor*'],
      ['InProgress', '.printableStatus=Running & Ready=False'],
      ['Current', '.printableStatus=Running'],
    ],
  },
  {
    kinds: ['kubevirt.io/VirtualMachineInstance'],
    awaits: '.phase',
    verdicts: [
      ['Failed', '.phase=Failed'],
      ['Unknown', '.phase=Unknown'],
      ['Current', 'Paused=True'],
      ['Current', '.phase=Succeeded'],
      ['InProgress', '.phase=Pending|Scheduling|Scheduled|WaitingForSync'],
    ],
  },
  {
    kinds: ['kueue.x-k8s.io/Workload'],
    awaits: '.conditions',
    verdicts: [
      ['Current', 'Finished=True'],
      ['InProgress', 'Evicted=True'],
      ['InProgress', '!Admitted=True', 'it waits for quota'],
    ],
  },
  {
    kinds: ['workload.codeflare.dev/AppWrapper'],
    awaits: '.phase',
    verdicts: [
      ['Failed', '.phase=Failed'],
      ['Current', '.phase=Suspended|Succeeded'],
      ['InProgress', '.phase=Resuming|Resetting|Suspending'],
      ['InProgress', 'PodsReady=False'],
      ['Current', '.phase=Running'],
    ],
  },
  {
    kinds: ['jobset.x-k8s.io/JobSet'],
    verdicts: [
      ['Failed', 'Failed=True'],
      ['Current', 'Completed=True'],
      ['Current', 'Suspended=True'],
    ],
  },
  {
    kinds: ['core.spinkube.dev/SpinApp'],
    awaits: '.conditions',
  },
  {
    kinds: ['kiali.io/Kiali', 'awx.ansible.com/*', 'pulp.pulpproject.org/*'],
    awaits: '.conditions',
    verdicts: [
      ['Failed', 'Failure=True'],
      ['InProgress', 'Running=True(Running)'],
    ],
  },
  {
    // What an API server itself says of a budget that its controller can't keep.
    kinds: ['policy/PodDisruptionBudget'],
    verdicts: [['Failed', 'DisruptionAllowed=False(SyncFailed)']],
  },
]
