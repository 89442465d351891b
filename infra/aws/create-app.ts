import {App} from 'aws-cdk-lib'
import type {BridgeConfig} from './bridge-config.ts'
import {BridgeStack} from './bridge-stack.ts'
import {ClusterStack} from './cluster-stack.ts'

export interface CreateAppOptions {
  app?: App
  config: BridgeConfig
  /** Folder that the build wrote the functions' bundles to. */
  bundles: string
}

/** Puts the bridge and one stack per cluster into a CDK app. Bound to no account and no region, so it needs neither to synthesise. */
export function createApp({app = new App(), config, bundles}: CreateAppOptions): {
  app: App
  bridge: BridgeStack
  clusters: ClusterStack[]
} {
  const bridge = new BridgeStack(app, config.stackName, {config, bundles})
  const clusters = config.clusters.map(
    (cluster) => new ClusterStack(app, `${config.stackName}-cluster-${cluster.name}`, {bridge, cluster}),
  )
  return {app, bridge, clusters}
}
