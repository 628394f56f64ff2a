import assert from "node:assert/strict";
import { test } from "node:test";
import { createProgram } from "../../../../bench/commands/program.ts";

test("the help of every command fits 80 columns, and quotes no default", () => {
  const program = createProgram();
  for (const command of [program, ...program.commands]) {
    let help = "";
    command
      .configureOutput({ ...command.configureOutput(), writeOut: (text) => (help += text) })
      .outputHelp();
    for (const line of help.split("\n")) {
      assert.ok(line.length <= 80, `${command.name()}: ${line}`);
    }
    assert.doesNotMatch(help, /default: "/);
  }
});
