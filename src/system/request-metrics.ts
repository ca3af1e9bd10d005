/**
 * One count and one time for each answered request.
 *
 * Cost: the two series of a route and a status are looked up once and then kept; a request costs one array access.
 */
import type { Registry } from "../core/registry.ts";
import type { HistogramSeries, ValueSeries } from "../core/series.ts";
import type { Route } from "./http.ts";

export interface RequestMetrics {
  /** `route` is undefined when nothing matched: a hostile path must not make a series. */
  observe(route: Route | undefined, method: string, status: number, seconds: number): void;
  total(): number;
}

interface Cell {
  readonly method: string;
  readonly requests: ValueSeries;
  readonly duration: HistogramSeries;
}

export function createRequestMetrics(registry: Registry): RequestMetrics {
  const requests = registry.ownValue(
    "pi_daemon_requests_total",
    "counter",
    "Requests answered, by method, route and status.",
  );
  const durations = registry.ownHistogram(
    "pi_daemon_request_duration_seconds",
    "Seconds from the head of a request to the end of its answer.",
  );
  const cells = new Map<string, Cell[][]>();
  let total = 0;

  function addCell(path: string, method: string, status: number): Cell {
    return {
      method,
      requests: requests(["method", method, "path", path, "status", String(status)]),
      duration: durations(["method", method, "path", path]),
    };
  }

  // So that even the first scrape of an idle daemon shows both families.
  cells.set("/metrics", []);
  cells.get("/metrics")![200] = [addCell("/metrics", "GET", 200)];

  return {
    total: () => total,
    observe(route, method, status, seconds) {
      const path = route === undefined ? "unmatched" : route.pattern;
      let byStatus = cells.get(path);
      if (byStatus === undefined) cells.set(path, (byStatus = []));
      const ofStatus = (byStatus[status] ??= []);
      let cell = ofStatus.find((known) => known.method === method);
      if (cell === undefined) ofStatus.push((cell = addCell(path, method, status)));
      total++;
      cell.requests.add(1);
      cell.duration.observe(seconds);
    },
  };
}
