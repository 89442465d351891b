import type {HealthRule} from '../health-rule.ts'

export const messagingRules: readonly HealthRule[] = [
  {
    kinds: ['kafka.strimzi.io/*', 'core.strimzi.io/*'],
    awaits: 'status',
    verdicts: [
      ['Current', 'ReconciliationPaused=True', 'reconciliation is paused'],
      ['InProgress', 'NotReady=True(Creating)'],
      ['Failed', 'NotReady=True'],
      ['InProgress', 'PendingProposal=True'],
      ['InProgress', 'Rebalancing=True'],
      ['InProgress', '.readyPods<.pods'],
    ],
  },
  {
    kinds: ['rabbitmq.com/*'],
    awaits: 'Ready',
    verdicts: [['Failed', 'Ready=False']],
  },
  {
    kinds: ['rabbitmq.com/RabbitmqCluster'],
    awaits: '.conditions',
    verdicts: [
      ['Failed', 'ReconcileSuccess=False'],
      ['InProgress', 'ClusterAvailable!=True'],
      ['InProgress', 'AllReplicasReady!=True'],
    ],
  },
  {
    kinds: ['platform.confluent.io/*'],
    awaits: 'status',
    verdicts: [
      ['Failed', '.phase=FAILED|ERROR'],
      ['Failed', '.state=FAILED|ERROR'],
      ['Failed', '.appState=Failed'],
      ['Failed', '.connectorState=FAILED'],
      ['Failed', '.failedTasksCount>0'],
      ['InProgress', '.phase=PROVISIONING|PENDING|UPDATING|DELETING'],
      ['Current', '.phase=RUNNING'],
    ],
  },
  {
    // Koperator: a broker out of sync while nothing rolls will not mend by itself.
    kinds: ['kafka.banzaicloud.io/KafkaCluster'],
    awaits: '.state',
    verdicts: [
      ['InProgress', '.state=ClusterReconciling|ClusterRollingUpgrading|ClusterRollingUpgrade*'],
      ['InProgress', '.cruiseControlTopicStatus=CruiseControlTopicNotReady|ClusterRollingUpgrading'],
      ['Failed', 'any .brokersState: .configurationState=ConfigOutOfSync'],
      ['Current', '.state=ClusterRunning'],
    ],
  },
  {
    kinds: ['jetstream.nats.io/*'],
    awaits: 'Ready',
    verdicts: [['Failed', 'Ready=False(Errored)']],
  },
]
