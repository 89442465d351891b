import * as z from 'zod'
import {normalisePrefix} from '../git/git-tokens.ts'
import {parseNetwork} from '../git/public-address.ts'
import {jsonOf} from './json-variable.ts'

/** The beginning of repository URLs, such as `https://github.com/acme`. */
export const repositoryPrefixSchema = z
  .string()
  .max(2048)
  .refine((prefix) => normalisePrefix(prefix) !== undefined, 'must be an https URL that repositories begin with')

/** An IP network that is not public, as a CIDR. */
export const networkSchema = z
  .string()
  .max(64)
  .refine((text) => parseNetwork(text) !== undefined, 'must be an IP address, or a network such as 10.1.0.0/16')

/** The variables that say how git hosts are asked; spread into a function's schema. */
export const gitVariables = {
  GIT_TOKENS: jsonOf(
    z.array(z.strictObject({prefix: repositoryPrefixSchema, secretArn: z.string().min(1)})),
    'a JSON list of {"prefix", "secretArn"}',
  ).optional(),
  GIT_PRIVATE_NETWORKS: jsonOf(z.array(networkSchema), 'a JSON list of networks').optional(),
}

/** How git hosts are asked, as the environment says it. */
export interface GitSettings {
  tokens: readonly {prefix: string; secretArn: string}[]
  privateNetworks: readonly string[]
}

/** Makes settings of the variables. */
export function toGitSettings(env: {
  GIT_TOKENS?: GitSettings['tokens'] | undefined
  GIT_PRIVATE_NETWORKS?: GitSettings['privateNetworks'] | undefined
}): GitSettings {
  return {tokens: env.GIT_TOKENS ?? [], privateNetworks: env.GIT_PRIVATE_NETWORKS ?? []}
}

/** Reads the tokens that settings name. Rejects as `read` does. */
export async function readGitTokens(
  {tokens}: GitSettings,
  read: (secretArn: string) => Promise<string>,
): Promise<{prefix: string; token: string}[]> {
  return Promise.all(tokens.map(async ({prefix, secretArn}) => ({prefix, token: (await read(secretArn)).trim()})))
}
