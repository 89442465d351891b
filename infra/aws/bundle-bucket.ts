import {Duration, RemovalPolicy} from 'aws-cdk-lib'
import {BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership} from 'aws-cdk-lib/aws-s3'
import {Construct} from 'constructs'
import {prefixes} from '#shared/model/keys.ts'
import {denyOverwrites} from './store-policy.ts'

export interface BundleBucketProps {
  /** How long replaced versions of an object are kept. @default 90 days */
  noncurrentVersionExpiration?: Duration
}

/** The bucket with everything that crosses the bridge. Kept when the stack is deleted. */
export class BundleBucket extends Construct {
  readonly bucket: Bucket

  constructor(scope: Construct, id: string, {noncurrentVersionExpiration = Duration.days(90)}: BundleBucketProps = {}) {
    super(scope, id)
    this.bucket = new Bucket(this, 'Bucket', {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      // Bundles are signed and hold no plaintext Secret; with S3's own keys no cluster needs a grant in KMS.
      encryption: BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      versioned: true,
      removalPolicy: RemovalPolicy.RETAIN,
      lifecycleRules: [
        {id: 'replaced-versions', noncurrentVersionExpiration},
        {id: 'unfinished-uploads', abortIncompleteMultipartUploadAfter: Duration.days(7)},
      ],
    })
    this.bucket.addToResourcePolicy(denyOverwrites([this.bucket.arnForObjects(`${prefixes.bundles}*`)]))
  }
}
