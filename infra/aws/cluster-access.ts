import {Duration, Stack} from 'aws-cdk-lib'
import {CfnPodIdentityAssociation} from 'aws-cdk-lib/aws-eks'
import {
  ArnPrincipal,
  type IPrincipal,
  PolicyStatement,
  Role,
  ServicePrincipal,
  WebIdentityPrincipal,
} from 'aws-cdk-lib/aws-iam'
import type {IBucket} from 'aws-cdk-lib/aws-s3'
import {type IQueue, Queue, QueueEncryption} from 'aws-cdk-lib/aws-sqs'
import {Construct} from 'constructs'
import {clusterAccess} from '#shared/model/access.ts'
import {clusterNameSchema} from '#shared/model/names.ts'
import type {ClusterIdentity} from './bridge-config.ts'
import {BridgeConfigError} from './bridge-config-error.ts'
import {storePolicy} from './store-policy.ts'

export interface ClusterAccessProps {
  /** Name of the cluster, as drawbridge.yaml says it. */
  cluster: string
  bucket: Pick<IBucket, 'bucketArn'>
  statusQueue: IQueue
  /** The queue is named `<queuePrefix><cluster>`: publish finds it by its name. */
  queuePrefix: string
  /** How the agent proves who it is, or the very principal that may assume the role. @default EKS Pod Identity for drawbridge-system/drawbridge-agent */
  identity?: ClusterIdentity | IPrincipal
}

/** What one cluster needs at AWS: a queue of its own, and a role that reads and reports for this cluster and no other. */
export class ClusterAccess extends Construct {
  readonly queue: Queue
  readonly role: Role

  constructor(scope: Construct, id: string, props: ClusterAccessProps) {
    super(scope, id)
    const {cluster, bucket, statusQueue} = props
    if (!clusterNameSchema.safeParse(cluster).success) {
      throw new BridgeConfigError('INVALID', `got "${cluster}" as the name of a cluster; expected an RFC 1123 label`, {
        cluster,
      })
    }
    const identity = props.identity ?? defaultIdentity
    // Notifications are hints that the agent's poll makes up for, so they are not kept long and have no dead-letter queue.
    this.queue = new Queue(this, 'Queue', {
      queueName: `${props.queuePrefix}${cluster}`,
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.hours(1),
      visibilityTimeout: Duration.seconds(30),
      receiveMessageWaitTime: Duration.seconds(20),
    })
    this.role = new Role(this, 'Role', {
      assumedBy: 'kind' in identity ? principalOf(this, identity) : identity,
      description: `Drawbridge: the agent of cluster ${cluster}`,
    })
    const statements = [
      ...storePolicy(bucket.bucketArn, clusterAccess(cluster)),
      new PolicyStatement({
        actions: ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:ChangeMessageVisibility', 'sqs:GetQueueAttributes'],
        resources: [this.queue.queueArn],
      }),
      new PolicyStatement({actions: ['sqs:SendMessage'], resources: [statusQueue.queueArn]}),
    ]
    for (const statement of statements) this.role.addToPolicy(statement)
    if ('kind' in identity && identity.kind === 'pod-identity' && identity.eksCluster !== undefined) {
      new CfnPodIdentityAssociation(this, 'Association', {
        clusterName: identity.eksCluster,
        namespace: identity.namespace,
        serviceAccount: identity.serviceAccount,
        roleArn: this.role.roleArn,
      })
    }
  }
}

const defaultIdentity: ClusterIdentity = {
  kind: 'pod-identity',
  namespace: 'drawbridge-system',
  serviceAccount: 'drawbridge-agent',
}

function principalOf(scope: Construct, identity: ClusterIdentity): IPrincipal {
  switch (identity.kind) {
    case 'pod-identity':
      // EKS tags the session with whose pod it is; only the agent's own service account passes.
      return new ServicePrincipal('pods.eks.amazonaws.com', {
        conditions: {
          StringEquals: {
            'aws:SourceAccount': Stack.of(scope).account,
            'aws:RequestTag/kubernetes-namespace': identity.namespace,
            'aws:RequestTag/kubernetes-service-account': identity.serviceAccount,
            ...(identity.eksCluster !== undefined && {'aws:RequestTag/eks-cluster-name': identity.eksCluster}),
          },
        },
      }).withSessionTags()
    case 'irsa': {
      const issuer = identity.providerArn.slice(identity.providerArn.indexOf('/') + 1)
      return new WebIdentityPrincipal(identity.providerArn, {
        StringEquals: {
          [`${issuer}:aud`]: 'sts.amazonaws.com',
          [`${issuer}:sub`]: `system:serviceaccount:${identity.namespace}:${identity.serviceAccount}`,
        },
      })
    }
    case 'principal':
      return new ArnPrincipal(identity.arn)
  }
}
