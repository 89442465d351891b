/** What a user may do with some keys of the bucket. A key may hold `*`, which stands for any characters. */
export interface Grant {
  actions: readonly GrantedAction[]
  keys: readonly string[]
}

/** `list` covers listings whose prefix is one of the keys; the other three, the objects themselves. */
export type GrantedAction = 'get' | 'put' | 'delete' | 'list'

const objectActions = {get: 's3:GetObject', put: 's3:PutObject', delete: 's3:DeleteObject'} as const

/**
 * Makes the bucket policy that allows each principal (an access key id) what it is granted, and nobody anything else.
 * Returns undefined when nothing is granted, for which S3 has no policy document.
 */
export function bucketPolicy(bucket: string, grants: readonly (Grant & {principal: string})[]): string | undefined {
  const statements = grants.flatMap(({principal, actions, keys}) => {
    if (keys.length === 0) return []
    const allowed = actions.flatMap((action) => (action === 'list' ? [] : [objectActions[action]]))
    const common = {Effect: 'Allow', Principal: {AWS: [principal]}}
    return [
      ...(allowed.length > 0
        ? [{...common, Action: allowed, Resource: keys.map((key) => `arn:aws:s3:::${bucket}/${key}`)}]
        : []),
      ...(actions.includes('list')
        ? [
            {
              ...common,
              Action: ['s3:ListBucket'],
              Resource: [`arn:aws:s3:::${bucket}`],
              Condition: {StringLike: {'s3:prefix': keys}},
            },
          ]
        : []),
    ]
  })
  return statements.length === 0 ? undefined : JSON.stringify({Version: '2012-10-17', Statement: statements})
}
