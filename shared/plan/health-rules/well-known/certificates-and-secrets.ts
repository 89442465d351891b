import type {HealthRule} from '../health-rule.ts'

export const certificateAndSecretRules: readonly HealthRule[] = [
  {
    kinds: ['cert-manager.io/Certificate', 'certmanager.k8s.io/Certificate'],
    awaits: 'Ready',
    verdicts: [
      ['InProgress', 'Issuing=True & !Ready=True'],
      ['Failed', 'Ready=False'],
    ],
  },
  {
    kinds: ['cert-manager.io/CertificateRequest'],
    awaits: 'Ready',
    verdicts: [
      ['Failed', 'InvalidRequest=True'],
      ['Failed', 'Denied=True'],
      ['Failed', 'Ready=False(!Pending)'],
    ],
  },
  {
    kinds: [
      'cert-manager.io/Issuer',
      'cert-manager.io/ClusterIssuer',
      'certmanager.k8s.io/Issuer',
      'certmanager.k8s.io/ClusterIssuer',
      'policy.cert-manager.io/CertificateRequestPolicy',
      'external-secrets.io/*',
      'onepassword.com/OnePasswordItem',
    ],
    awaits: 'Ready',
    verdicts: [['Failed', 'Ready=False']],
  },
  {
    kinds: ['acme.cert-manager.io/Order', 'acme.cert-manager.io/Challenge'],
    awaits: '.state',
    verdicts: [
      ['Failed', '.state=invalid|expired|errored'],
      ['InProgress', '.state=pending|processing|ready'],
      ['Current', '.state=valid'],
    ],
  },
  {
    kinds: ['bitnami.com/SealedSecret', 'trust.cert-manager.io/Bundle'],
    awaits: 'Synced',
    verdicts: [['Failed', 'Synced=False']],
  },
  {
    kinds: ['kubernetes-client.io/ExternalSecret'],
    awaits: '.status',
    verdicts: [
      ['Failed', '.status=ERROR*'],
      ['Current', '.status=SUCCESS'],
    ],
  },
  {
    kinds: ['secrets.hashicorp.com/*'],
    awaits: 'status',
    verdicts: [['Failed', '.valid=false', 'Vault refuses it']],
  },
  {
    kinds: ['secrets.infisical.com/InfisicalSecret'],
    awaits: '.conditions',
    verdicts: [['Failed', 'any .conditions: .status=False']],
  },
  {
    kinds: ['k8s.keycloak.org/*'],
    awaits: '.conditions',
    verdicts: [
      ['Failed', 'HasErrors=True'],
      ['Current', 'Done=True'],
      ['InProgress', 'Started=True & !Done=True'],
    ],
  },
  {
    kinds: ['keycloak.org/*'],
    awaits: '.phase',
    verdicts: [
      ['Failed', '.phase=failing|failed'],
      ['InProgress', '.phase=initialising|initializing|reconciling'],
      ['Current', '.ready=true'],
    ],
  },
]
