import {join} from 'node:path'
import {App} from 'aws-cdk-lib'
import {DrawbridgeError} from '#shared/model/drawbridge-error.ts'
import {createApp} from './create-app.ts'
import {loadConfig} from './load-config.ts'

// What cdk.json names: `npx cdk deploy` runs this and reads what it writes.
try {
  const app = new App()
  const config = loadConfig(process.env, app.node.tryGetContext('drawbridge'))
  createApp({app, config, bundles: join(import.meta.dirname, '..', '..', 'dist', 'functions')}).app.synth()
} catch (error) {
  if (!(error instanceof DrawbridgeError)) throw error
  process.stderr.write(`drawbridge: ${error.message}\n`)
  process.exitCode = 1
}
