import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { compareFindings, type Finding } from "../../../../bench/result/check.ts";

function finding(
  status: Finding["status"],
  facts: Finding["facts"] = {},
  advice: string | null = null,
): Finding {
  return { status, seen: status, facts, advice };
}

describe("a check on two ways", () => {
  test("is that of the only way", () => {
    const only = finding("pass", { bytes: 1 }, "renew it");
    assert.deepEqual(compareFindings(only, null), { ...only, direct: null });
  });

  test("passes when both say the same", () => {
    const compared = compareFindings(finding("pass", { bytes: 1 }), finding("pass", { bytes: 1 }));
    assert.equal(compared.status, "pass");
  });

  test("differs when both pass with different facts, or one has none", () => {
    assert.equal(
      compareFindings(finding("pass", { bytes: 1 }), finding("pass", { bytes: 2 })).status,
      "differs",
    );
    assert.equal(compareFindings(finding("not-tested"), finding("pass")).status, "differs");
  });

  test("fails on the way that is asked about, and says where the fault is", () => {
    const between = compareFindings(finding("fails", {}, "send pings"), finding("pass"));
    assert.equal(between.status, "fails");
    assert.equal(between.advice, "send pings; the cause lies in between");
    const server = compareFindings(finding("fails"), finding("fails"));
    assert.equal(server.status, "fails");
    assert.equal(server.advice, "the cause lies in the server");
    assert.equal(compareFindings(finding("fails"), finding("not-tested")).advice, null);
  });

  test("that fails directly only differs", () => {
    assert.equal(compareFindings(finding("pass"), finding("fails")).status, "differs");
  });
});
