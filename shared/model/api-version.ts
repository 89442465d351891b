/** The apiVersion of every document and message that Drawbridge stores or sends. */
export const API_VERSION = 'drawbridge.dev/v1alpha1'
