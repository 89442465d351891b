import type {HealthRule} from '../health-rule.ts'

export const clusterRules: readonly HealthRule[] = [
  {
    kinds: ['*.cluster.x-k8s.io/*'],
    verdicts: [
      ['Failed', '.failureMessage'],
      ['Failed', '.failureReason'],
    ],
  },
  {
    kinds: [
      'cluster.x-k8s.io/Cluster',
      'cluster.x-k8s.io/Machine',
      'cluster.x-k8s.io/MachineDeployment',
      'cluster.x-k8s.io/MachinePool',
      'cluster.x-k8s.io/MachineSet',
      'controlplane.cluster.x-k8s.io/KubeadmControlPlane',
    ],
    awaits: 'status',
    verdicts: [
      ['Failed', '.failureMessage'],
      ['Failed', '.failureReason'],
      ['Failed', '.phase=Failed'],
      ['InProgress', '.phase=Pending|Provisioning|ScalingUp|ScalingDown|Deleting'],
      ['InProgress', 'RollingOut=True'],
      ['InProgress', 'ScalingUp=True'],
      ['InProgress', 'ScalingDown=True'],
    ],
  },
  {
    kinds: [
      'controlplane.cluster.x-k8s.io/AWSManagedControlPlane',
      'controlplane.cluster.x-k8s.io/RosaControlPlane',
      'infrastructure.cluster.x-k8s.io/AzureManagedControlPlane',
      'infrastructure.cluster.x-k8s.io/GCPManagedControlPlane',
    ],
    awaits: 'status',
    verdicts: [
      ['Failed', '.failureMessage'],
      ['InProgress', 'EKSControlPlaneUpdating=True', 'the control plane is being updated'],
      ['InProgress', 'EKSControlPlaneCreating=True', 'the control plane is being created'],
    ],
  },
  {
    kinds: ['addons.cluster.x-k8s.io/ClusterResourceSet'],
    awaits: 'ResourcesApplied',
    verdicts: [['Failed', 'ResourcesApplied=False(*Failed|*Error)']],
  },
  {
    kinds: ['cluster.x-k8s.io/MachineHealthCheck'],
    awaits: 'status',
    verdicts: [
      ['Failed', 'RemediationAllowed=False'],
      ['InProgress', '.currentHealthy<.expectedMachines'],
    ],
  },
  {
    kinds: ['hive.openshift.io/ClusterDeployment'],
    awaits: 'status',
    verdicts: [
      ['Failed', 'ProvisionStopped=True'],
      ['Failed', 'ProvisionFailed=True'],
      ['Failed', 'RequirementsMet=False'],
      ['InProgress', 'spec.installed=false', 'the cluster is not installed yet'],
    ],
  },
  {
    kinds: ['operator.openshift.io/IngressController'],
    awaits: 'Available',
    verdicts: [
      ['InProgress', 'Available=True & DeploymentReplicasAllAvailable=False'],
      ['InProgress', 'DeploymentRollingOut=True'],
      ['InProgress', 'Progressing=True'],
      ['Failed', 'Degraded=True'],
      ['Failed', 'Available=False'],
    ],
  },
  {
    kinds: ['config.openshift.io/ClusterOperator', 'config.openshift.io/ClusterVersion'],
    awaits: 'Available',
    verdicts: [
      ['Failed', 'Degraded=True'],
      ['Failed', 'Failing=True'],
      ['Failed', 'Available=False'],
      ['InProgress', 'Progressing=True'],
    ],
  },
  {
    kinds: ['machineconfiguration.openshift.io/MachineConfigPool'],
    awaits: '.conditions',
    verdicts: [
      ['Failed', 'Degraded=True'],
      ['Failed', 'NodeDegraded=True'],
      ['Failed', 'RenderDegraded=True'],
      ['InProgress', 'Updating=True'],
      ['Current', 'spec.paused=true', 'the pool is paused, as its spec asks'],
      ['InProgress', 'Updated=False'],
    ],
  },
  {
    kinds: ['policy.open-cluster-management.io/ConfigurationPolicy'],
    awaits: '.compliant',
    verdicts: [
      ['InProgress', '.lastEvaluatedGeneration<metadata.generation', 'not evaluated since its spec changed'],
      ['Failed', '.compliant=NonCompliant'],
      ['InProgress', '.compliant=Pending'],
    ],
  },
  {
    kinds: ['policy.open-cluster-management.io/OperatorPolicy'],
    awaits: 'Compliant',
    verdicts: [
      ['Failed', '.compliant=NonCompliant'],
      ['InProgress', '.compliant=Pending'],
    ],
  },
  {
    kinds: ['policy.open-cluster-management.io/CertificatePolicy', 'policy.open-cluster-management.io/Policy'],
    awaits: '.compliant',
    verdicts: [
      ['Failed', '.compliant=NonCompliant'],
      ['InProgress', '.compliant=Pending'],
    ],
  },
  {
    kinds: ['work.open-cluster-management.io/ManifestWork'],
    awaits: 'Applied',
    verdicts: [
      ['Failed', 'Applied=False'],
      ['InProgress', 'Available=False'],
    ],
  },
  {
    kinds: ['cluster.open-cluster-management.io/ManagedCluster'],
    awaits: 'status',
    verdicts: [
      ['Failed', 'HubAcceptedManagedCluster=False'],
      ['InProgress', '!ManagedClusterConditionAvailable=True'],
    ],
  },
  {
    kinds: ['work.karmada.io/ResourceBinding', 'work.karmada.io/ClusterResourceBinding'],
    awaits: 'status',
    verdicts: [
      ['Failed', 'Scheduled=False'],
      ['Failed', 'any .aggregatedStatus: .health=Unhealthy'],
      ['Failed', 'any .aggregatedStatus: .applied=false'],
      ['InProgress', 'FullyApplied=False'],
    ],
  },
  {
    kinds: ['work.karmada.io/Work'],
    awaits: 'Applied',
    verdicts: [['Failed', 'Applied=False']],
  },
  {
    kinds: ['templates.gatekeeper.sh/ConstraintTemplate'],
    awaits: 'status',
    verdicts: [
      ['Failed', 'any .byPod: .errors', 'a gatekeeper pod refuses the template'],
      ['Current', '.created=true'],
      ['InProgress', '!.created=true', 'its constraint kind is not created yet'],
    ],
  },
  {
    kinds: ['constraints.gatekeeper.sh/*'],
    awaits: '.byPod',
    verdicts: [
      ['Failed', 'any .byPod: .errors', 'a gatekeeper pod refuses the constraint'],
      ['InProgress', 'any .byPod: .enforced=false'],
    ],
  },
  {
    kinds: ['kyverno.io/ClusterPolicy', 'kyverno.io/Policy'],
    verdicts: [
      ['Failed', 'Ready=False'],
      ['InProgress', '.ready=false'],
    ],
  },
  {
    kinds: ['metal3.io/BareMetalHost'],
    awaits: '.provisioning.state',
    verdicts: [
      ['Failed', '.operationalStatus=error'],
      ['Failed', '.errorMessage'],
      ['Current', '.provisioning.state=available|provisioned|externally provisioned|unmanaged'],
      ['InProgress', '.provisioning.state'],
    ],
  },
]
