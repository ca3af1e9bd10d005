/** `metrics`: what the daemon shows to Prometheus, as a table for a person. */
import { type MetricRow, toMetricRows } from "../core/metric-rows.ts";
import { parseExposition } from "../core/parse-exposition.ts";
import { quote } from "../core/printable.ts";
import { type Command, EXIT } from "./command.ts";
import { findDaemon } from "./place.ts";
import { createPainter, type Painter, plural, readableNumber } from "./style.ts";
import { renderTable } from "./table.ts";
import { tell } from "./tell.ts";

/** The names that only the daemon itself writes. */
const OWN = /^(pi_daemon|process)_/;

export const metricsCommand: Command = {
  name: "metrics",
  operands: ["[PREFIX]"],
  options: [{ name: "all", short: "a", summary: "also the daemon's own metrics (pi_daemon_*, process_*)" }],
  summary: "show the metrics as they are now",
  details:
    "With PREFIX only those whose name begins with it. Without --all not those of the daemon itself.\n" +
    "A histogram or a summary is shown by its count, sum and quantiles; those of a histogram are estimated\n" +
    "from its buckets. The document for Prometheus itself: GET /metrics.",
  examples: ["pi-daemon metrics", "pi-daemon metrics pi_compaction", "pi-daemon metrics --all --json"],
  async run(call) {
    const { client } = await findDaemon(call);
    const [prefix = ""] = call.args.operands;
    const families = parseExposition(await client.metricsText());
    const rows = toMetricRows(families).filter(({ name }) => name.startsWith(prefix));
    const isOwnWanted = call.args.isSet("all") || OWN.test(prefix + "_");
    const shown = isOwnWanted ? rows : rows.filter(({ name }) => !OWN.test(name));
    const paint = createPainter(call.terminal.outHasColours);
    tell(call, shown, describeRows(shown, { prefix, hiddenCount: rows.length - shown.length, paint }).join("\n"));
    return EXIT.ok;
  },
};

interface Around {
  readonly prefix: string;
  /** How many rows on the daemon itself are left out. */
  readonly hiddenCount: number;
  readonly paint: Painter;
}

function describeRows(rows: readonly MetricRow[], { prefix, hiddenCount, paint }: Around): string[] {
  const note = `(and ${plural(hiddenCount, "line")} on the daemon itself: --all)`;
  const more = hiddenCount === 0 ? [] : [paint("dim", note)];
  if (rows.length === 0) {
    if (prefix !== "") return [`no metric has a name that begins with ${quote(prefix)}`, ...more];
    return ["no metrics have been sent yet", "send one: pi-daemon send my_counter --increment 1", ...more];
  }
  const cells = rows.map((row) => [row.name, row.type, describeLabels(row.labels), describeValue(row)]);
  const columns = ["NAME", "TYPE", "LABELS", "VALUE"].map((title) => ({ title }));
  const [titles, ...lines] = renderTable(columns, cells);
  return [paint("bold", titles!), ...lines, ...more];
}

function describeLabels(labels: Readonly<Record<string, string>>): string {
  const show = (value: string): string => (/^[\w.:/@-]+$/.test(value) ? value : quote(value));
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${show(value)}`)
    .join(" ");
}

function describeValue({ value, count = 0, sum = 0, quantiles = {} }: MetricRow): string {
  if (value !== undefined) return readableNumber(value);
  const percent = (rank: string): string => readableNumber(Number(rank) * 100);
  const parts = Object.entries(quantiles).map(([rank, at]) => `p${percent(rank)}=${readableNumber(at)}`);
  return [`count=${readableNumber(count)}`, `sum=${readableNumber(sum)}`, ...parts].join(" ");
}
