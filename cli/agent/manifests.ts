import {readFile} from 'node:fs/promises'
import {resolve} from 'node:path'
import type {Command} from 'commander'
import {APP_SERVICE_ACCOUNT, type InstallProfile} from '#infra/agent/agent-install.ts'
import {completeInstall} from '#infra/agent/complete-install.ts'
import {formatInstall} from '#infra/agent/format-install.ts'
import {InstallError} from '#infra/agent/install-error.ts'
import {listInstallObjects} from '#infra/agent/list-install-objects.ts'
import {describeFileError} from '../describe-file-error.ts'
import {CliError, type CliIo, type ExitStatus} from '../io.ts'

interface ManifestsOptions {
  profile: string
  cluster?: string
  region?: string
  bucket?: string
  queueUrl?: string
  statusQueueUrl?: string
  trustRoot?: string
  image?: string
  namespace: string
  impersonate?: string[]
  watch?: string[]
  serviceAccountAnnotations?: string[]
  credentialsSecret?: string
  env?: string[]
  metricsFrom?: string
  apiServerPort: string
  complete?: boolean
}

/** Adds `drawbridge agent manifests`: prints what installs the agent in a cluster. */
export function addManifestsCommand(agent: Command, io: CliIo, done: (status: ExitStatus) => void): void {
  agent
    .command('manifests')
    .description('print the YAML that installs the agent in a cluster')
    .option(
      '--profile <profile>',
      'platform: may apply anything; tenant: only as the ServiceAccounts below',
      'platform',
    )
    .option('--cluster <name>', "the cluster's name, as drawbridge.yaml says it")
    .option('--region <region>', 'AWS region of the bucket and the queues')
    .option('--bucket <name>', "the bridge's bucket")
    .option('--queue-url <url>', "the cluster's own queue")
    .option('--status-queue-url <url>', "the bridge's status queue")
    .option('--trust-root <file>', 'whom the agent believes, as `drawbridge keys trust-root` prints it')
    .option('--image <reference>', "the agent's image; pin it by digest")
    .option('--namespace <name>', 'where the agent lives', 'drawbridge-system')
    .option(
      '--impersonate <name...>',
      `tenant: ServiceAccounts to apply as, NAMESPACE/NAME or NAME for any namespace (default: ${APP_SERVICE_ACCOUNT})`,
    )
    .option(
      '--watch <kind...>',
      'tenant: kinds to follow besides the built-in ones: RESOURCE, RESOURCE.GROUP or *.GROUP',
    )
    .option('--service-account-annotations <key=value...>', 'as eks.amazonaws.com/role-arn=ARN, for IRSA')
    .option('--credentials-secret <name>', 'a Secret of environment variables: AWS credentials outside EKS')
    .option('--env <key=value...>', 'further environment variables of the agent, as LOG_LEVEL=debug')
    .option('--metrics-from <namespace>', 'the one namespace that may read metrics (default: every one)')
    .option('--api-server-port <port>', 'where the API server listens besides 443', '6443')
    .option('--complete', 'fail where a needed value is missing, rather than print a placeholder')
    .addHelpText(
      'after',
      `
Values that are not given are printed as REPLACE-WITH-…, and named on stderr; the agent refuses to start with one of them.
Exit status: 0 printed, 2 what was given makes no installation.

  drawbridge agent manifests --complete --profile tenant --cluster staging --region eu-west-1 --bucket BUCKET \\
    --queue-url URL --status-queue-url URL --trust-root trust-root.json --image IMAGE@sha256:… | kubectl apply -f -`,
    )
    .action(async (options: ManifestsOptions) => {
      const {install, missing} = complete(await givenBy(io, options))
      if (missing.length > 0) {
        const flags = missing.map(flagOf).join(', ')
        if (options.complete)
          throw new CliError(`missing: ${flags}; without --complete placeholders are printed for them`)
        io.err(`drawbridge: placeholders stand for ${flags}: replace every REPLACE-WITH-… before this is applied\n`)
      }
      io.err(notices[install.profile])
      io.out(formatInstall(listInstallObjects(install)))
      done(0)
    })
}

const notices: Record<InstallProfile, string> = {
  platform:
    'drawbridge: profile platform: the agent may do ANYTHING in the cluster (cluster-admin); see --profile tenant\n',
  tenant: 'drawbridge: profile tenant: every app must name a serviceAccount that the agent may impersonate\n',
}

/** `queueUrl` is given by `--queue-url`. */
function flagOf(name: string): string {
  return `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

async function givenBy(io: CliIo, options: ManifestsOptions): Promise<unknown> {
  const {complete: _, serviceAccountAnnotations, env, trustRoot, ...rest} = options
  return {
    ...rest,
    ...(serviceAccountAnnotations === undefined
      ? {}
      : {serviceAccountAnnotations: parsePairs('--service-account-annotations', serviceAccountAnnotations)}),
    ...(env === undefined ? {} : {env: parsePairs('--env', env)}),
    ...(trustRoot === undefined ? {} : {trustRoot: await readTrustRoot(io, trustRoot)}),
  }
}

function complete(given: unknown): ReturnType<typeof completeInstall> {
  try {
    return completeInstall(given)
  } catch (cause) {
    if (!(cause instanceof InstallError)) throw cause
    const lines = cause.problems.map(({path: [name = '', ...rest], message}) => {
      return `\n  ${[flagOf(name), ...rest].join(' ')}: ${message}`
    })
    throw new CliError(`this makes no installation:${lines.join('')}`)
  }
}

function parsePairs(flag: string, pairs: readonly string[]): Record<string, string> {
  const wrong = pairs.find((pair) => pair.indexOf('=') < 1)
  if (wrong !== undefined) throw new CliError(`${flag} ${wrong}: write it as KEY=VALUE`)
  return Object.fromEntries(pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]))
}

async function readTrustRoot(io: CliIo, file: string): Promise<string> {
  try {
    return await readFile(resolve(io.cwd, file), 'utf8')
  } catch (cause) {
    throw new CliError(`--trust-root: cannot read ${file}: ${describeFileError(cause)}`)
  }
}
