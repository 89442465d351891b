import {type ISecret, Secret} from 'aws-cdk-lib/aws-secretsmanager'
import type {Construct} from 'constructs'
import {normaliseRepositoryUrl} from '#shared/model/repository-url.ts'
import type {BridgeConfig} from './bridge-config.ts'

export type BridgeSecret = Pick<ISecret, 'secretArn' | 'grantRead'>

/** The tokens of git hosts, each with the repositories that it is for. */
export interface GitAccess {
  secrets: readonly BridgeSecret[]
  /** Variables of every function that asks a git host. */
  environment: Record<string, string>
}

/** Finds the secrets of git hosts and says what each is for; `toJson` writes JSON with what is known at deployment only. */
export function findGitAccess(scope: Construct, config: BridgeConfig, toJson: (value: unknown) => string): GitAccess {
  const {gitTokenSecret, gitTokens, gitPrivateNetworks, repositories} = config
  const owned = gitTokenSecret === undefined ? [] : ownersOf(repositories.map(({url}) => url))
  const named = [...owned.map((prefix) => ({prefix, secret: gitTokenSecret ?? ''})), ...gitTokens]
  const secrets = new Map<string, BridgeSecret>()
  for (const {secret} of named) {
    const id = `GitToken${secrets.size === 0 ? '' : secrets.size + 1}`
    if (!secrets.has(secret)) secrets.set(secret, findSecret(scope, id, secret))
  }
  const tokens = named.map(({prefix, secret}) => ({prefix, secretArn: secrets.get(secret)?.secretArn}))
  return {
    secrets: [...secrets.values()],
    environment: {
      ...(tokens.length > 0 && {GIT_TOKENS: toJson(tokens)}),
      ...(gitPrivateNetworks.length > 0 && {GIT_PRIVATE_NETWORKS: JSON.stringify(gitPrivateNetworks)}),
    },
  }
}

/** Of `https://github.com/acme/fleet`: `https://github.com/acme`; one token is for one host. */
function ownersOf(urls: readonly string[]): string[] {
  const owners = urls.map((url) => {
    const {origin, pathname} = new URL(normaliseRepositoryUrl(url))
    const [owner, ...rest] = pathname.slice(1).split('/')
    return rest.length === 0 ? `${origin}${pathname}` : `${origin}/${owner}`
  })
  return [...new Set(owners.filter((owner) => owner.startsWith('https://github.com/')))]
}

export function findSecret(scope: Construct, id: string, nameOrArn: string): BridgeSecret {
  return nameOrArn.startsWith('arn:')
    ? Secret.fromSecretCompleteArn(scope, id, nameOrArn)
    : Secret.fromSecretNameV2(scope, id, nameOrArn)
}
