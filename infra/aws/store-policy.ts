import {AnyPrincipal, Effect, PolicyStatement} from 'aws-cdk-lib/aws-iam'
import type {StoreGrant} from '#shared/model/access.ts'

/** Turns what a role may do in the bucket into IAM statements: one or two per grant, no action and no bucket left to a wildcard. */
export function storePolicy(bucketArn: string, grants: readonly StoreGrant[]): PolicyStatement[] {
  return grants.flatMap((grant) => statementsOf(bucketArn, grant))
}

function statementsOf(bucketArn: string, {actions, keys, writes = 'any'}: StoreGrant): PolicyStatement[] {
  const resources = [`${bucketArn}/${keys}`]
  const statements: PolicyStatement[] = []
  if (actions.includes('s3:GetObject')) {
    statements.push(new PolicyStatement({actions: ['s3:GetObject'], resources}))
  }
  if (actions.includes('s3:PutObject')) {
    for (const conditions of writeConditions(writes)) {
      statements.push(new PolicyStatement({actions: ['s3:PutObject'], resources, conditions}))
    }
  }
  if (actions.includes('s3:ListBucket')) {
    statements.push(
      new PolicyStatement({
        actions: ['s3:ListBucket'],
        resources: [bucketArn],
        // A GetObject of an absent key is answered 404 only to who may list, and that request has no s3:prefix: hence IfExists.
        conditions: {StringLikeIfExists: {'s3:prefix': keys}},
      }),
    )
  }
  return statements
}

// Conditions of one statement must all hold; either header may do for a swap, so it takes two statements.
function writeConditions(writes: NonNullable<StoreGrant['writes']>): Record<string, Record<string, string>>[] {
  const ifNoneMatch = {Null: {'s3:if-none-match': 'false'}}
  const ifMatch = {Null: {'s3:if-match': 'false'}}
  switch (writes) {
    case 'create':
      return [ifNoneMatch]
    case 'swap':
      return [ifNoneMatch, ifMatch]
    case 'any':
      return [{}]
  }
}

/** Denies everyone, whoever allows it, a write that could replace one of these objects. */
export function denyOverwrites(resources: string[]): PolicyStatement {
  return new PolicyStatement({
    sid: 'CreateOnly',
    effect: Effect.DENY,
    principals: [new AnyPrincipal()],
    actions: ['s3:PutObject'],
    resources,
    // The parts of a multipart upload carry no such header; the request that completes it does.
    conditions: {Null: {'s3:if-none-match': 'true'}, Bool: {'s3:ObjectCreationOperation': 'true'}},
  })
}
