// Runs the current Node with the given arguments and type stripping on; where this Node is too old for
// that, the same under `npx -y -p node@22`. Plain JavaScript of an old dialect, because the Node that
// reads this file may be any: `node src/launch.js [node options] FILE [arguments]`.
import { spawn, spawnSync } from "node:child_process";

var OLDEST = [22, 19];

function isNewEnough(version) {
  var parts = version.split(".").map(Number);
  return parts[0] > OLDEST[0] || (parts[0] === OLDEST[0] && parts[1] >= OLDEST[1]);
}

function commandFor(args) {
  var nodeArgs = ["--experimental-strip-types", "--disable-warning=ExperimentalWarning"].concat(args);
  if (isNewEnough(process.versions.node)) return [process.execPath].concat(nodeArgs);
  process.stderr.write(
    "pi-daemon: Node " + process.version + " is older than " + OLDEST.join(".") + "; running under node@22 from npm instead\n",
  );
  // A first, silent call tells "npm cannot get node@22" apart from "the program ended with an error".
  // Without a network npm would try again for more than a minute before it says so.
  var env = Object.assign({}, process.env, { npm_config_fetch_retries: "1", npm_config_fetch_retry_mintimeout: "1000" });
  var probe = spawnSync("npx", ["-y", "-p", "node@22", "--", "node", "--version"], { encoding: "utf8", env: env });
  if (probe.status !== 0) {
    process.stderr.write(
      "pi-daemon: needs Node >= " + OLDEST.join(".") + ", and node@22 could not be fetched with npx (no network?); " +
        "install a newer Node and run this again\n",
    );
    process.exit(1);
  }
  return ["npx", "-y", "-p", "node@22", "--", "node"].concat(nodeArgs);
}

var command = commandFor(process.argv.slice(2));
var child = spawn(command[0], command.slice(1), { stdio: "inherit" });
["SIGINT", "SIGTERM", "SIGHUP"].forEach(function (signal) {
  process.on(signal, function () {
    child.kill(signal);
  });
});
child.on("exit", function (code, signal) {
  if (signal) process.removeAllListeners(signal).kill(process.pid, signal);
  else process.exit(code);
});
