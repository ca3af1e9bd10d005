/**
 * The README's section on the service, run as it stands there, one command after the other, in a machine of its own.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { bootSystemd, findObstacle, untilTrue } from "../support/booted-systemd.ts";
import { readReadmeCommands } from "../support/readme-commands.ts";

/** Commands that cannot run there, and why. */
const NOT_RUN: readonly (readonly [RegExp, string])[] = [
  [/^npm install$/, "needs the registry; the compiler that it would bring is there"],
];

/** What differs from what stands there, so that it comes to an end. */
const follow = (text: string): string => (/journalctl .* -f$/.test(text) ? `timeout 2 ${text}; test $? = 124` : text);

/** Ada's own session for what is her own; for `sudo`, which is not needed to be root here, a stand-in. */
const asPerson = (text: string): string => {
  const person =
    "setpriv --reuid 4711 --regid 4711 --init-groups env -i PATH=$PATH HOME=/home/ada XDG_RUNTIME_DIR=/run/user/4711";
  return /--user/.test(text) ? `${person} sh -c '${text}'` : text;
};

test(
  "the commands of the section on the service run as they stand there, and leave nothing",
  { skip: findObstacle() },
  (t) => {
    const machine = bootSystemd();
    t.after(() => machine.shutDown());
    machine.must(
      "npm uninstall -g --silent --prefix /usr/local pi-daemon && npm config set prefix /usr/local --global",
    );
    machine.must(
      "cp -a /mnt/checkout /root/checkout && printf '#!/bin/sh\\nexec \"$@\"\\n' > /usr/local/sbin/sudo && chmod 755 /usr/local/sbin/sudo",
    );
    machine.must(
      "useradd -m -u 4711 ada && systemctl start dbus.service systemd-logind.service && loginctl enable-linger ada",
    );
    machine.must(untilTrue("[ -e /run/user/4711/systemd/private ]"));

    const commands = readReadmeCommands().filter(({ section }) => section === "As a service");
    assert.ok(commands.length > 25, `only ${commands.length} commands found`);
    for (const { line, text } of commands) {
      const reason = NOT_RUN.find(([pattern]) => pattern.test(text))?.[1];
      if (reason !== undefined) t.diagnostic(`README line ${line} is not run (${reason}): ${text}`);
      else machine.must(`cd /root/checkout && USER=ada && ${asPerson(follow(text))} # README line ${line}`);
    }
    const left =
      "find /etc /usr/local /var /run /home/ada/.config -name '*pi-daemon*' -not -path '/var/log/journal/*' 2>/dev/null";
    assert.equal(machine.must(left), "");
  },
);
