/**
 * A process that logs to its standard error until lines are lost, says so on standard output, and lives on until
 * standard input ends: a daemon whose log nobody reads any more.
 */
import { systemClock } from "../../src/system/clock.ts";
import { createStreamSink } from "../../src/system/log-stream.ts";
import { createLog } from "../../src/system/log.ts";

const sink = createStreamSink(process.stderr, { clock: systemClock, maxQueuedBytes: 65_536 });
const log = createLog({ level: "info", format: "json", sink, clock: systemClock });

function logUntilLost(): void {
  for (let count = 0; count < 100 && log.droppedLines() === 0; count++) log.info("x".repeat(1000));
  if (log.droppedLines() === 0) setImmediate(logUntilLost);
  else process.stdout.write(`lost ${log.droppedLines()}, waiting ${process.stderr.writableLength}\n`);
}

process.stdin.resume();
logUntilLost();
