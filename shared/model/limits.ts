/** Every limit that guards a parser or a store, in one place. Sizes in bytes. */
export const limits = {
  /** GitHub's own cap of a webhook body. */
  maxWebhookBytes: 25 * 1024 * 1024,
  /** Room for the declarations of 10,000 apps. */
  maxConfigBytes: 2 * 1024 * 1024,
  /** One file of a source tree. */
  maxSourceFileBytes: 10 * 1024 * 1024,
  /** One folder's list of names in git: some 100,000 of them. */
  maxFolderBytes: 4 * 1024 * 1024,
  /** A commit that is fetched from a git host, as it is sent: four times that is in memory while it arrives. */
  maxPackBytes: 96 * 1024 * 1024,
  maxPackObjects: 1_000_000,
  /** All that such a pack holds, and what its deltas make. It is never in memory as a whole. */
  maxUnpackedPackBytes: 2 * 1024 * 1024 * 1024,
  unpackTimeoutSeconds: 90,
  /** All files that one app reads. */
  maxAppInputBytes: 100 * 1024 * 1024,
  maxAppInputFiles: 20_000,
  /** YAML aliases that may be expanded in one document. */
  maxYamlAliases: 100,
  maxObjectsPerBundle: 20_000,
  /** etcd's request limit is 1.5 MiB: a larger object could never be applied. */
  maxObjectBytes: 1_500_000,
  maxBundleBytes: 8 * 1024 * 1024,
  maxUnpackedBundleBytes: 32 * 1024 * 1024,
  /** All bundles of one cluster as they are stored: its agent keeps them packed in memory, in a pod of 448 MiB. */
  maxClusterBundleBytes: 48 * 1024 * 1024,
  maxClusterObjects: 40_000,
  /** One object, or any other whole answer, as an API server sends it: what it stores, with what it adds to that. */
  maxAnswerBytes: 6 * 1024 * 1024,
  maxAttestationBytes: 1024 * 1024,
  /** Room for the desired state of more than 10,000 apps. */
  maxEnvelopeBytes: 16 * 1024 * 1024,
  maxReportBytes: 16 * 1024 * 1024,
  /** SQS's message limit. */
  maxMessageBytes: 1024 * 1024,
  maxUnpackedMessageBytes: 32 * 1024 * 1024,
  renderTimeoutSeconds: 60,
  maxRenderOutputBytes: 64 * 1024 * 1024,
  /** Linear memory of one renderer's WebAssembly module, stated in the module itself when it is built: two of them, their threads and the rest fit the function. */
  renderWasmMemoryBytes: 768 * 1024 * 1024,
  /** The heap of JavaScript of one render thread. */
  renderHeapMebibytes: 512,
  /** Files that a render thread remembers while it works for one commit. */
  maxKeptFileBytes: 64 * 1024 * 1024,
  /** What one render asked about files, in characters: above it the render is made again each time. */
  maxReadsLength: 1_000_000,
  maxRenderRecordsBytes: 32 * 1024 * 1024,
  maxUnpackedRenderRecordsBytes: 128 * 1024 * 1024,
} as const
