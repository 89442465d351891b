import type {HealthRule, Verdict} from '../health-rule.ts'

// Gateway API, policy attachment: each gateway that a policy hangs on has conditions of its own.
const policyVerdicts: readonly Verdict[] = [
  ['Failed', 'any .ancestors: Accepted=False'],
  ['Failed', 'any .ancestors: ResolvedRefs=False'],
  ['InProgress', 'any .ancestors: .conditions & !Accepted', 'one of its gateways has not accepted it'],
]

export const networkingRules: readonly HealthRule[] = [
  {
    // A parent whose gateway has no listener for the route says so for ever; it matters only where no other parent takes the route.
    kinds: [
      'gateway.networking.k8s.io/HTTPRoute',
      'gateway.networking.k8s.io/GRPCRoute',
      'gateway.networking.k8s.io/TCPRoute',
      'gateway.networking.k8s.io/TLSRoute',
      'gateway.networking.k8s.io/UDPRoute',
    ],
    awaits: '.parents',
    verdicts: [
      ['Failed', 'any .parents: Accepted=False(!NoMatchingParent|Pending)'],
      ['Failed', 'any .parents: ResolvedRefs=False'],
      ['InProgress', 'any .parents: Programmed=False'],
      ['Failed', 'every .parents: Accepted=False(NoMatchingParent)'],
      ['Current', 'any .parents: Accepted=True'],
    ],
  },
  {
    kinds: ['gateway.networking.k8s.io/Gateway'],
    awaits: '.conditions',
    verdicts: [
      ['Failed', 'Accepted=False(!Pending|ListenersNotValid)'],
      ['Failed', 'any .listeners: ResolvedRefs=False'],
      ['Failed', 'any .listeners: Conflicted=True'],
      ['Failed', 'any .listeners: Accepted=False(!Pending)'],
      ['Failed', 'Programmed=False(Invalid|NoResources|AddressNotUsable)'],
      ['InProgress', 'Programmed!=True'],
      ['InProgress', 'Accepted!=True'],
    ],
  },
  {
    kinds: ['gateway.networking.k8s.io/GatewayClass'],
    awaits: 'Accepted',
    verdicts: [
      ['Failed', 'Accepted=False(!Pending|Waiting)'],
      ['InProgress', 'Accepted!=True'],
      ['Current', 'Accepted=True'],
    ],
  },
  {
    kinds: ['gateway.networking.k8s.io/BackendTLSPolicy', 'gateway.networking.k8s.io/BackendLBPolicy'],
    awaits: '.ancestors',
    verdicts: policyVerdicts,
  },
  {
    kinds: [
      'gateway.envoyproxy.io/BackendTrafficPolicy',
      'gateway.envoyproxy.io/ClientTrafficPolicy',
      'gateway.envoyproxy.io/EnvoyExtensionPolicy',
      'gateway.envoyproxy.io/EnvoyPatchPolicy',
      'gateway.envoyproxy.io/SecurityPolicy',
    ],
    awaits: '.ancestors',
    verdicts: policyVerdicts,
  },
  {
    kinds: ['microgateway.airlock.com/*'],
    verdicts: policyVerdicts,
  },
  {
    kinds: ['networking.istio.io/*', 'security.istio.io/*', 'telemetry.istio.io/*', 'extensions.istio.io/*'],
    verdicts: [
      ['Failed', 'any .validationMessages: .level=ERROR|3'],
      ['InProgress', 'Reconciled=False'],
    ],
  },
  {
    kinds: ['install.istio.io/IstioOperator'],
    awaits: '.status',
    verdicts: [
      ['Failed', '.status=ERROR|ACTION_REQUIRED'],
      ['Current', '.status=HEALTHY'],
      ['InProgress', '.status'],
    ],
  },
  {
    kinds: ['projectcontour.io/HTTPProxy'],
    awaits: '.currentStatus',
    verdicts: [
      ['InProgress', '.currentStatus=NotReconciled'],
      ['Failed', '.currentStatus=invalid|orphaned'],
    ],
  },
  {
    kinds: ['projectcontour.io/ExtensionService'],
    awaits: 'Valid',
    verdicts: [['Failed', 'Valid=False']],
  },
  {
    // Gloo: 0 pending, 1 accepted, 2 rejected, 3 warning; per controller namespace, or one for all in older versions.
    kinds: [
      'gateway.solo.io/*',
      'gloo.solo.io/*',
      'graphql.gloo.solo.io/*',
      'ratelimit.solo.io/*',
      'enterprise.gloo.solo.io/*',
    ],
    awaits: 'status',
    verdicts: [
      ['Failed', 'any .statuses: .state=Rejected|Warning|2|3'],
      ['Failed', '.state=Rejected|Warning|2|3'],
      ['InProgress', 'any .statuses: .state=Pending|0', 'not validated yet'],
      ['InProgress', '.state=Pending|0', 'not validated yet'],
      ['Current', 'every .statuses: .state=Accepted|1'],
      ['Current', '.state=Accepted|1'],
    ],
  },
  {
    kinds: ['getambassador.io/Host'],
    awaits: '.state',
    verdicts: [
      ['Failed', '.state=Error'],
      ['InProgress', '.state=Pending|Initial'],
    ],
  },
  {
    kinds: [
      'k8s.nginx.org/VirtualServer',
      'k8s.nginx.org/VirtualServerRoute',
      'k8s.nginx.org/TransportServer',
      'k8s.nginx.org/Policy',
    ],
    verdicts: [
      ['Failed', '.state=Invalid|Rejected'],
      ['Current', '.state=Valid|Warning'],
    ],
  },
  {
    kinds: ['configuration.konghq.com/*'],
    verdicts: [
      ['Failed', 'Programmed=False(Invalid)'],
      ['InProgress', 'Programmed=False'],
    ],
  },
  {
    kinds: ['cilium.io/CiliumNetworkPolicy', 'cilium.io/CiliumClusterwideNetworkPolicy'],
    verdicts: [['Failed', 'Valid=False']],
  },
  {
    kinds: ['networking.gke.io/ManagedCertificate'],
    awaits: '.certificateStatus',
    verdicts: [
      ['Failed', 'any .domainStatus: .status=Failed*'],
      ['Failed', '.certificateStatus=*Failed*'],
      ['InProgress', 'any .domainStatus: .status=Provisioning'],
      ['InProgress', '.certificateStatus=Provisioning|Renewing'],
    ],
  },
  {
    kinds: ['elbv2.k8s.aws/TargetGroupBinding'],
    awaits: '.observedGeneration',
  },
  {
    kinds: ['route.openshift.io/Route'],
    awaits: '.ingress',
    verdicts: [
      ['Failed', 'any .ingress: Admitted=False'],
      ['InProgress', 'any .ingress: Admitted=Unknown'],
    ],
  },
  {
    kinds: ['proclaim.dogmatiq.io/DNSSDServiceInstance'],
    awaits: '.conditions',
    verdicts: [
      ['Failed', 'Adopted=False'],
      ['Failed', 'Advertised=False(*Error)'],
      ['Unknown', 'Discoverable=Unknown(*Error)'],
    ],
  },
]
