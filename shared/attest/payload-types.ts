/** The DSSE payload types of what Drawbridge signs. */
export const PAYLOAD_TYPES = {
  desiredState: 'application/vnd.drawbridge.desired-state+json',
  /** in-toto Attestation Framework, envelope layer. */
  statement: 'application/vnd.in-toto+json',
} as const
export type PayloadType = (typeof PAYLOAD_TYPES)[keyof typeof PAYLOAD_TYPES]
