import assert from 'node:assert/strict'
import {test} from 'node:test'

import {bucketPolicy} from '#infra/local/bucket-policy.ts'

test('allows objects by their keys and listings by their prefix', () => {
  const policy = bucketPolicy('b', [{principal: 'KEY', actions: ['get', 'put', 'list'], keys: ['a/*', 'c']}])
  assert.deepEqual(JSON.parse(policy ?? ''), {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: {AWS: ['KEY']},
        Action: ['s3:GetObject', 's3:PutObject'],
        Resource: ['arn:aws:s3:::b/a/*', 'arn:aws:s3:::b/c'],
      },
      {
        Effect: 'Allow',
        Principal: {AWS: ['KEY']},
        Action: ['s3:ListBucket'],
        Resource: ['arn:aws:s3:::b'],
        Condition: {StringLike: {'s3:prefix': ['a/*', 'c']}},
      },
    ],
  })
})

test('makes no policy when nothing is granted', () => {
  assert.equal(bucketPolicy('b', [{principal: 'KEY', actions: ['get'], keys: []}]), undefined)
})
