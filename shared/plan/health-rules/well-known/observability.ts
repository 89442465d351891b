import type {HealthRule} from '../health-rule.ts'

export const observabilityRules: readonly HealthRule[] = [
  {
    kinds: [
      'monitoring.coreos.com/Prometheus',
      'monitoring.coreos.com/PrometheusAgent',
      'monitoring.coreos.com/Alertmanager',
      'monitoring.coreos.com/ThanosRuler',
    ],
    awaits: 'Available',
    verdicts: [
      ['Failed', 'Available=False'],
      ['Failed', 'Reconciled=False'],
      ['InProgress', 'Available!=True'],
    ],
  },
  {
    kinds: ['grafana.integreatly.org/Grafana'],
    awaits: '.stage',
    verdicts: [
      ['Failed', '.stageStatus=failed'],
      ['Current', '.stage=complete & .stageStatus=success'],
      ['InProgress', '.stage'],
    ],
  },
  {
    kinds: ['grafana.integreatly.org/*'],
    awaits: 'status',
    verdicts: [
      ['Failed', 'InvalidSpec=True'],
      ['Failed', 'any .conditions: .type=*Synchronized & .status=False'],
    ],
  },
  {
    kinds: ['grafana-org-operator.kubitus-project.gitlab.io/*'],
    awaits: 'Ready',
    verdicts: [['Failed', 'Ready=False']],
  },
  {
    kinds: ['jaegertracing.io/Jaeger'],
    awaits: '.phase',
    verdicts: [
      ['Failed', '.phase=Failed'],
      ['Current', '.phase=Running'],
    ],
  },
  {
    kinds: ['opentelemetry.io/OpenTelemetryCollector'],
    awaits: '.version',
    verdicts: [['Failed', '.scale.statusReplicas=0/* & !.scale.statusReplicas=0/0', 'no replica is ready']],
  },
  {
    kinds: ['loki.grafana.com/LokiStack', 'tempo.grafana.com/TempoStack', 'tempo.grafana.com/TempoMonolithic'],
    awaits: '.conditions',
    verdicts: [
      ['Failed', 'Failed=True'],
      ['Failed', 'ConfigurationError=True'],
      ['Failed', 'Degraded=True'],
      ['InProgress', 'Pending=True'],
    ],
  },
  {
    kinds: ['logging.banzaicloud.io/*'],
    verdicts: [
      ['Failed', '.problemsCount>0'],
      ['InProgress', '.active=false', 'nothing uses it'],
    ],
  },
  {
    kinds: ['datadoghq.com/DatadogMetric'],
    awaits: '.conditions',
    verdicts: [
      ['Failed', 'Error=True'],
      ['Failed', 'Valid=False & Active=True'],
    ],
  },
  {
    kinds: ['operator.victoriametrics.com/*'],
    verdicts: [
      ['Failed', '.updateStatus=failed'],
      ['InProgress', '.updateStatus=expanding'],
      ['Current', '.updateStatus=operational|paused'],
    ],
  },
  {
    kinds: ['coralogix.com/*'],
    awaits: '.conditions',
    verdicts: [['Failed', 'RemoteSynced=False']],
  },
  {
    kinds: ['core.humio.com/*'],
    awaits: '.state',
    verdicts: [
      ['Failed', '.state=ConfigError'],
      ['Unknown', '.state=Unknown'],
      ['InProgress', '.state=NotFound', 'it does not exist in LogScale'],
      ['InProgress', '.state=Pending|Restarting|Upgrading'],
      ['Current', '.state=Running|Exists'],
    ],
  },
]
