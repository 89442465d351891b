import {stringifyExact} from '#shared/bundle/exact-json.ts'
import type {ClusterReport} from '#shared/model/cluster-report.ts'

/**
 * Leaves out of a report what makes it larger than `maxBytes` as JSON: first the values of drifted fields, then the objects that are not as
 * they should be, then its older events. How many there are of each stays. A larger report would be read by nobody.
 */
export function fitReport(report: ClusterReport, maxBytes: number): ClusterReport {
  const fits = (candidate: ClusterReport) => Buffer.byteLength(stringifyExact(candidate)) <= maxBytes
  if (fits(report)) return report
  const withoutFields = {
    ...report,
    apps: report.apps.map((app) => ({...app, drifted: app.drifted.map(({fields: _, ...drift}) => drift)})),
  }
  if (fits(withoutFields)) return withoutFields
  let smaller: ClusterReport = {
    ...report,
    apps: report.apps.map((app) => ({...app, drifted: [], unhealthy: []})),
  }
  while (!fits(smaller) && smaller.events.length > 0) {
    smaller = {...smaller, events: smaller.events.slice(Math.ceil(smaller.events.length / 2))}
  }
  return smaller
}
