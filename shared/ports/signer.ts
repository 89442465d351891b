/** Signs with one key that never leaves it. */
export interface Signer {
  /** `sha256:<hex>` of the public key's SubjectPublicKeyInfo (DER): a hint to find the key, never a reason to trust it. */
  keyId(): Promise<string>
  /** ECDSA over P-256 with SHA-256 of `message`; the signature in ASN.1 DER, as KMS returns it. Not deterministic. */
  sign(message: Uint8Array): Promise<Uint8Array>
}
