import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CommandError } from "../../src/cli/command.ts";
import { layoutOf, type Manager, type Scope } from "../../src/cli/service-layout.ts";
import {
  planInstall,
  planUninstall,
  refuseWithoutRights,
  type ServiceFacts,
  type Step,
} from "../../src/cli/service-plan.ts";
import { readLaunchdStatus, readSystemdStatus } from "../../src/cli/service-status.ts";

const OWN = "# pi-daemon as a system service\n";
const person = { home: "/home/ada", uid: 4711 };

function factsOf(manager: Manager, scope: Scope, given: Partial<ServiceFacts> = {}): ServiceFacts {
  return {
    layout: layoutOf(manager, scope, person),
    uid: scope === "system" ? 0 : 4711,
    sudoUser: undefined,
    hasManager: true,
    program: { words: ["/usr/bin/node", "/opt/cli.js"], configPath: undefined },
    unreadable: undefined,
    files: new Map(),
    otherUnit: undefined,
    kept: [],
    strayPid: undefined,
    template: (name) =>
      name === "com.pi-daemon.plist"
        ? "<string>/usr/bin/env</string> <string>pi-daemon</string>"
        : `${OWN}${name}\nExecStart=/usr/bin/env pi-daemon\n`,
    ...given,
  };
}

/** Steps as lines, without the texts of files. */
const lines = (steps: readonly Step[]): string[] =>
  steps.map((step) =>
    step.do === "run" ? `run ${step.command.join(" ")}${step.mayFail ? " (may fail)" : ""}` : `${step.do} ${step.path}`,
  );
const refusal = (plan: () => unknown): string => {
  try {
    plan();
  } catch (error) {
    assert.ok(error instanceof CommandError, String(error));
    return `${error.message} / ${error.hint ?? ""}`;
  }
  return assert.fail("not refused");
};
const plain = { runAs: undefined };
const UNIT = "/etc/systemd/system/pi-daemon.service";
const OWN_UNIT = "/home/ada/.config/systemd/user/pi-daemon.service";
const AGENT = "/home/ada/Library/LaunchAgents/com.pi-daemon.plist";

describe("planInstall", () => {
  test("system", () => {
    assert.deepEqual(lines(planInstall(factsOf("systemd", "system"), plain)), [
      "write /etc/pi-daemon/config.json",
      `write ${UNIT}`,
      "run systemctl daemon-reload",
      "run systemctl enable pi-daemon.service",
      "run systemctl restart pi-daemon.service",
    ]);
  });

  test("user", () => {
    assert.deepEqual(lines(planInstall(factsOf("systemd", "user"), plain)), [
      `write ${OWN_UNIT}`,
      "run systemctl --user daemon-reload",
      "run systemctl --user enable pi-daemon.service",
      "run systemctl --user restart pi-daemon.service",
    ]);
  });

  for (const scope of ["system", "user"] as const) {
    test(`launchd, asked for a ${scope} service: an agent of the person, loaded anew`, () => {
      assert.deepEqual(lines(planInstall(factsOf("launchd", scope), plain)), [
        `write ${AGENT}`,
        "run launchctl bootout gui/4711/com.pi-daemon (may fail)",
        "run launchctl enable gui/4711/com.pi-daemon",
        `run launchctl bootstrap gui/4711 ${AGENT}`,
      ]);
    });
  }

  test("a config that is there is kept, and so is what an earlier --run-as wrote", () => {
    const files = new Map([
      ["/etc/pi-daemon/config.json", "{}"],
      [`${UNIT}.d/run-as.conf`, "# For jobs"],
    ]);
    const steps = lines(planInstall(factsOf("systemd", "system", { files }), plain));
    assert.deepEqual(steps.slice(0, 3), [
      "keep /etc/pi-daemon/config.json",
      `write ${UNIT}`,
      `keep ${UNIT}.d/run-as.conf`,
    ]);
  });

  test("--run-as writes the drop-in before anything starts", () => {
    const steps = lines(
      planInstall(factsOf("systemd", "system"), { runAs: { name: "eve", home: "/home/eve", uid: 12 } }),
    );
    assert.equal(steps[2], `write ${UNIT}.d/run-as.conf`);
  });

  test("refused: a unit of others, here or elsewhere; a program out of reach; a daemon on the same data", () => {
    const foreign = new Map([[UNIT, "[Service]\n"]]);
    assert.match(
      refusal(() => planInstall(factsOf("systemd", "system", { files: foreign }), plain)),
      /did not write it/,
    );
    assert.match(
      refusal(() => planInstall(factsOf("systemd", "user", { otherUnit: "/usr/lib/x" }), plain)),
      /^\/usr\/lib\/x is there already/,
    );
    assert.match(
      refusal(() => planInstall(factsOf("systemd", "system", { unreadable: "/root/node" }), plain)),
      /cannot read \/root\/node.*--user/,
    );
    assert.match(
      refusal(() => planInstall(factsOf("systemd", "user", { strayPid: 99 }), plain)),
      /pid 99.*pi-daemon stop/,
    );
  });
});

describe("planUninstall", () => {
  const installed = new Map([
    [UNIT, OWN],
    ["/etc/pi-daemon/config.json", "{}"],
    [`${UNIT}.d/run-as.conf`, "# For jobs and knowledge that need a person's files"],
  ]);
  const kept = ["/var/lib/pi-daemon", "/etc/pi-daemon"];

  test("state and config stay", () => {
    assert.deepEqual(lines(planUninstall(factsOf("systemd", "system", { files: installed, kept }), { data: "keep" })), [
      "run systemctl disable --now pi-daemon.service",
      "run systemctl reset-failed pi-daemon.service (may fail)",
      `remove ${UNIT}`,
      `remove ${UNIT}.d`,
      "run systemctl daemon-reload",
      "keep /var/lib/pi-daemon",
      "keep /etc/pi-daemon",
    ]);
  });

  test("with --purge nothing stays", () => {
    const steps = lines(planUninstall(factsOf("systemd", "system", { files: installed, kept }), { data: "purge" }));
    assert.equal(steps[2], "run systemctl clean --what=all pi-daemon.service");
    assert.deepEqual(steps.slice(-2), ["remove /var/lib/pi-daemon", "remove /etc/pi-daemon"]);
    assert.ok(!steps.some((step) => step.startsWith("keep")));
  });

  test("drop-ins of others stay without --purge, and go with it", () => {
    const files = new Map([...installed, [`${UNIT}.d/override.conf`, "[Service]\nNice=5\n"]]);
    const steps = lines(planUninstall(factsOf("systemd", "system", { files }), { data: "keep" }));
    assert.ok(
      steps.includes(`remove ${UNIT}.d/run-as.conf`) && steps.includes(`keep ${UNIT}.d/override.conf`),
      steps.join("\n"),
    );
    assert.ok(
      lines(planUninstall(factsOf("systemd", "system", { files }), { data: "purge" })).includes(`remove ${UNIT}.d`),
    );
  });

  test("what is not installed needs no command; --purge takes what was left", () => {
    assert.deepEqual(
      lines(planUninstall(factsOf("systemd", "system", { kept }), { data: "keep" })),
      kept.map((path) => `keep ${path}`),
    );
    assert.deepEqual(
      lines(planUninstall(factsOf("systemd", "system", { kept }), { data: "purge" })),
      kept.map((path) => `remove ${path}`),
    );
  });

  test("launchd", () => {
    const files = new Map([[AGENT, "<!-- pi-daemon under launchd -->"]]);
    const steps = lines(
      planUninstall(factsOf("launchd", "user", { files, kept: ["/home/ada/.pi/daemon"] }), { data: "keep" }),
    );
    assert.deepEqual(steps, [
      "run launchctl bootout gui/4711/com.pi-daemon (may fail)",
      `remove ${AGENT}`,
      "keep /home/ada/.pi/daemon",
    ]);
  });

  test("refused: --purge of what is a person's own; a unit of others", () => {
    assert.match(
      refusal(() => planUninstall(factsOf("systemd", "user"), { data: "purge" })),
      /rm -r \/home\/ada\/.pi\/daemon/,
    );
    const files = new Map([[UNIT, "[Service]\n"]]);
    assert.match(
      refusal(() => planUninstall(factsOf("systemd", "system", { files }), { data: "purge" })),
      /did not write it/,
    );
  });
});

describe("refuseWithoutRights", () => {
  const REFUSED: readonly (readonly [string, ServiceFacts, RegExp])[] = [
    ["system, not root", factsOf("systemd", "system", { uid: 4711 }), /only root may install.*--user/],
    ["user, by sudo", factsOf("systemd", "user", { uid: 0, sudoUser: "ada" }), /not of ada/],
    ["launchd, by sudo", factsOf("launchd", "system", { uid: 0, sudoUser: "ada" }), /not of ada/],
    ["user, without a session", factsOf("systemd", "user", { hasManager: false }), /no session.*enable-linger/],
  ];
  for (const [title, facts, expected] of REFUSED) {
    test(title, () =>
      assert.match(
        refusal(() => refuseWithoutRights(facts, "install")),
        expected,
      ),
    );
  }
  test("root, a person, and root's own session may", () => {
    for (const facts of [
      factsOf("systemd", "system"),
      factsOf("systemd", "user"),
      factsOf("systemd", "user", { uid: 0 }),
    ]) {
      refuseWithoutRights(facts, "install");
    }
  });
});

describe("status", () => {
  const text = (facts: Readonly<Record<string, string>>): string =>
    Object.entries(facts)
      .map(([name, value]) => `${name}=${value}\n`)
      .join("");

  test("systemd: running", () => {
    const status = readSystemdStatus(
      text({
        FragmentPath: UNIT,
        UnitFileState: "enabled",
        ActiveState: "active",
        SubState: "running",
        MainPID: "7",
        NRestarts: "2",
        DropInPaths: "",
      }),
    );
    assert.ok(status.isInstalled && status.isRunning);
    assert.deepEqual(status.facts, [
      ["unit", UNIT],
      ["starts by itself", "yes"],
      ["state", "active (running)"],
      ["pid", "7"],
      ["restarts", "2"],
    ]);
  });

  test("systemd: failed, and why", () => {
    const status = readSystemdStatus(
      text({
        FragmentPath: UNIT,
        ActiveState: "failed",
        SubState: "failed",
        Result: "exit-code",
        ExecMainStatus: "78",
        MainPID: "0",
      }),
    );
    assert.deepEqual(
      [status.isRunning, status.facts[2]],
      [false, ["state", "failed (failed): exit-code, exit code 78"]],
    );
  });

  test("systemd: nothing there", () => {
    assert.deepEqual(readSystemdStatus(text({ FragmentPath: "", ActiveState: "inactive" })), {
      isInstalled: false,
      isRunning: false,
      facts: [],
    });
    assert.equal(readSystemdStatus("").isInstalled, false);
  });

  test("launchd", () => {
    const layout = layoutOf("launchd", "user", person);
    const running = readLaunchdStatus(
      "gui/4711/com.pi-daemon = {\n\tactive count = 1\n\tstate = running\n\n\tpid = 77\n\tlast exit code = (never exited)\n}\n",
      layout,
    );
    assert.deepEqual(running.facts, [
      ["unit", AGENT],
      ["state", "running"],
      ["pid", "77"],
      ["last exit", "(never exited)"],
    ]);
    assert.equal(running.isRunning, true);
    assert.deepEqual(readLaunchdStatus(undefined, layout).facts, [
      ["unit", AGENT],
      ["state", "not loaded"],
    ]);
  });
});
