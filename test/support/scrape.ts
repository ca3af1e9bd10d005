/** What a daemon shows on /metrics, to be asked for sums. */
import { type ScrapedFamily, parseExposition } from "../../src/core/parse-exposition.ts";

export interface Scrape {
  /** The sum over all series of the sample that have these labels; 0 without any. */
  sum(name: string, labels?: Readonly<Record<string, string>>): number;
  /** How many series. */
  count(name: string): number;
  /** Names of the families, in their order. */
  readonly names: readonly string[];
}

export async function scrape(url: string): Promise<Scrape> {
  const families: ScrapedFamily[] = parseExposition(await (await fetch(`${url}/metrics`)).text());
  const samples = families.flatMap((family) => family.samples);
  return {
    names: families.map(({ name }) => name).filter((name) => name.startsWith("pi_") && !name.startsWith("pi_daemon_")),
    count: (name) => samples.filter((sample) => sample.name === name).length,
    sum(name, labels = {}) {
      const wanted = Object.entries(labels);
      const named = samples.filter((sample) => sample.name === name);
      const fitting = named.filter((sample) => wanted.every(([key, value]) => sample.labels.get(key) === value));
      return fitting.reduce((sum, { value }) => sum + value, 0);
    },
  };
}
