import {Duration, RemovalPolicy} from 'aws-cdk-lib'
import {type IGrantable, PolicyStatement} from 'aws-cdk-lib/aws-iam'
import {Key, KeySpec, KeyUsage} from 'aws-cdk-lib/aws-kms'
import {Construct} from 'constructs'

/** The key that agents trust. It never leaves KMS, and is kept when the stack is deleted. */
export class SigningKey extends Construct {
  readonly key: Key

  constructor(scope: Construct, id: string) {
    super(scope, id)
    this.key = new Key(this, 'Key', {
      description: 'Drawbridge: signs desired states and attestations',
      keySpec: KeySpec.ECC_NIST_P256,
      keyUsage: KeyUsage.SIGN_VERIFY,
      pendingWindow: Duration.days(30),
      removalPolicy: RemovalPolicy.RETAIN,
    })
  }

  /** Lets a role sign by the one algorithm in use, and read the public key. */
  grantSign(grantee: IGrantable): void {
    grantee.grantPrincipal.addToPrincipalPolicy(
      new PolicyStatement({
        actions: ['kms:Sign'],
        resources: [this.key.keyArn],
        conditions: {StringEquals: {'kms:SigningAlgorithm': 'ECDSA_SHA_256'}},
      }),
    )
    grantee.grantPrincipal.addToPrincipalPolicy(
      new PolicyStatement({actions: ['kms:GetPublicKey'], resources: [this.key.keyArn]}),
    )
  }
}
