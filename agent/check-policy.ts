import type {PresentApp} from '#shared/model/desired-state.ts'
import type {Manifest} from '#shared/model/manifest.ts'

export type PolicyVerdict = {allowed: true} | {allowed: false; reason: string}

/** The one place where the cluster says no: asked for every object of an app before anything of the app is applied. */
export type Policy = (app: PresentApp, manifest: Manifest) => PolicyVerdict

/** Allows everything: what the identity that applies may do is then decided by the cluster's RBAC alone. */
export const allowEverything: Policy = () => ({allowed: true})
