import type {RendererName} from './detect-renderer.ts'

/** The versions of the libraries in renderers/, part of every bundle and of every render's inputs; `yaml` counts up when plain manifests come to be read in another way. */
export const RENDERER_VERSIONS: Readonly<Record<RendererName, string>> = {
  yaml: '2',
  kustomize: 'v5.7.1',
  helm: 'v4.1.4',
}

/** Digest of the sources in renderers/ and of their modules' versions: another one may render otherwise. A test holds it. */
export const PROGRAMS_DIGEST = 'd272acbcfc146251'

/** Counts up when equal inputs come to give other bytes for a reason that is in none of the inputs. */
export const INPUTS_VERSION = 3
