import {CfnOutput, Stack, type StackProps} from 'aws-cdk-lib'
import type {Construct} from 'constructs'
import {type BridgeConfig, clusterQueuePrefix} from './bridge-config.ts'
import type {BridgeStack} from './bridge-stack.ts'
import {ClusterAccess} from './cluster-access.ts'

export interface ClusterStackProps extends StackProps {
  bridge: BridgeStack
  cluster: BridgeConfig['clusters'][number]
}

/** One cluster's access. A stack each: clusters come and go without a deployment of the bridge, and a thousand fit. */
export class ClusterStack extends Stack {
  readonly access: ClusterAccess

  constructor(scope: Construct, id: string, {bridge, cluster, ...props}: ClusterStackProps) {
    super(scope, id, {description: `Drawbridge: access of cluster ${cluster.name}`, ...props})
    this.access = new ClusterAccess(this, 'Access', {
      cluster: cluster.name,
      identity: cluster.identity,
      bucket: bridge.bucket,
      statusQueue: bridge.queues.status.queue,
      queuePrefix: clusterQueuePrefix(bridge.stackName),
    })
    new CfnOutput(this, 'RoleArn', {value: this.access.role.roleArn})
    new CfnOutput(this, 'Bucket', {value: bridge.bucket.bucketName})
    new CfnOutput(this, 'QueueUrl', {value: this.access.queue.queueUrl})
    new CfnOutput(this, 'QueueArn', {value: this.access.queue.queueArn})
    new CfnOutput(this, 'StatusQueueUrl', {value: bridge.queues.status.queue.queueUrl})
  }
}
