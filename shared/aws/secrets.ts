import {GetSecretValueCommand, SecretsManagerClient} from '@aws-sdk/client-secrets-manager'
import {requestSettings} from './request-settings.ts'

/** Reads secrets by ARN. */
export interface Secrets {
  /** The secret's text. Rejects with the SDK's error, which holds no value. */
  read(arn: string): Promise<string>
}

/** Reads from AWS Secrets Manager. */
export function createSecrets({client}: {client: SecretsManagerClient}): Secrets {
  return {
    read: async (arn) => {
      const {SecretString} = await client.send(new GetSecretValueCommand({SecretId: arn}))
      if (SecretString === undefined || SecretString === '') {
        throw new Error(`secret ${arn} holds no text; store it as a string, not as binary`)
      }
      return SecretString
    },
  }
}

/** Builds a Secrets Manager client with the timeouts and retries of all AWS clients. `endpoint` overrides the service's own. */
export function createSecretsClient({
  endpoint,
  region,
}: {
  endpoint?: string
  region?: string
} = {}): SecretsManagerClient {
  return new SecretsManagerClient({
    ...requestSettings(),
    ...(endpoint !== undefined && {endpoint}),
    ...(region !== undefined && {region}),
  })
}
