// prom-client's own entry also loads what joins the metrics of several processes: 17 MiB that a single process has no use for.
declare module 'prom-client/lib/counter.js' {
  import {Counter} from 'prom-client'
  export = Counter
}
declare module 'prom-client/lib/gauge.js' {
  import {Gauge} from 'prom-client'
  export = Gauge
}
declare module 'prom-client/lib/histogram.js' {
  import {Histogram} from 'prom-client'
  export = Histogram
}
declare module 'prom-client/lib/registry.js' {
  import {Registry} from 'prom-client'
  export = Registry
}
