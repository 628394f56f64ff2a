import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Behaviour, behaviours } from "../../../src/lib/behaviours.ts";
import { echoModifiers } from "../../../src/lib/echo-modifiers.ts";
import { defaultCaps, type Parameter } from "../../../src/lib/parameter.ts";
import { describeAllowed, formatQuery, hasAnyOf, readParameters } from "../../../src/lib/parameters.ts";
import { matchPath } from "../../../src/lib/path-pattern.ts";

const options = { caps: defaultCaps };
const all: readonly Behaviour[] = Object.values(behaviours);

function problemsOf(query: string): readonly string[] {
  return readParameters(echoModifiers, query, options).problems ?? [];
}

test("reads durations, sizes, counts, codes, flags and texts in the spelling of the options", () => {
  const { values } = readParameters(
    echoModifiers,
    "delay=1.5s&jitter=100ms&rate=64KiB/s&fragment=1kib&close_after=3&code=4001&reason=a+b%20%C3%A9",
    options,
  );
  assert.equal(values?.delay, 1500);
  assert.equal(values.jitter, 100);
  assert.equal(values.rate, 65_536);
  assert.equal(values.fragment, 1024);
  assert.equal(values.close_after, 3);
  assert.equal(values.code, 4001);
  assert.equal(values.reason, "a b é");
  assert.equal(values.abrupt, false);
  assert.equal(values.ping, undefined);
});

test("what is left out has its default", () => {
  const { values } = readParameters(behaviours.source.parameters, "", options);
  assert.deepEqual({ ...values }, { size: 65_536, total: 1024 ** 3, rate: undefined });
});

test("every problem is reported at once, with what is allowed", () => {
  assert.deepEqual(problemsOf("delay=11s&rate=1&rate=2&close_after=0&nonsense=1&code=1005&reason=%ff"), [
    'delay "11s": expected a duration from 0 to 10s, such as 100ms',
    'rate "1": expected a size from 1KiB to 64MiB per second, such as 64KiB',
    "rate: given more than once",
    'close_after "0": expected a whole number from 1 to 1000000',
    `nonsense: unknown parameter; allowed are ${Object.keys(echoModifiers).join(", ")}`,
    'code "1005": expected 1000 to 1003, 1007 to 1014, 3000 to 4999, or none for an empty close frame',
    "reason %ff is not percent-encoded UTF-8: expected at most 123 bytes of UTF-8",
  ]);
});

test("parameters that contradict each other, or mean nothing alone, are problems", () => {
  assert.deepEqual(problemsOf("jitter=5ms"), ["jitter: needs delay"]);
  assert.deepEqual(problemsOf("delay=5ms&jitter=6ms"), ["jitter: must not exceed delay"]);
  assert.deepEqual(problemsOf("fragment_delay=5ms"), ["fragment_delay: needs fragment"]);
  assert.deepEqual(problemsOf("code=1001"), ["code: needs close_after or close_in"]);
  assert.deepEqual(problemsOf("close_in=1s&abrupt&code=1001"), ["code: contradicts abrupt"]);
  assert.deepEqual(problemsOf("close_in=1s&abrupt=false&code=1001"), []);
});

test("limits of the server lower those of a parameter", () => {
  const caps = { delay: 2000, payload: 4096 };
  const { problems } = readParameters(echoModifiers, "delay=3s&fragment=8KiB", { caps });
  assert.deepEqual(problems, [
    'delay "3s": expected a duration from 0 to 2s, such as 100ms',
    'fragment "8KiB": expected a size from 1 to 4KiB, such as 1KiB',
  ]);
});

test("unknown parameters may be ignored, as on /echo", () => {
  const { values } = readParameters(echoModifiers, "delay=1s&utm_source=x&%zz", {
    ...options,
    ignoresUnknown: true,
  });
  assert.equal(values?.delay, 1000);
  assert.equal(hasAnyOf(echoModifiers, "a=1&b"), false);
  assert.equal(hasAnyOf(echoModifiers, ""), false);
  assert.equal(hasAnyOf(echoModifiers, "a=1&abrupt"), true);
  assert.equal(hasAnyOf(echoModifiers, "constructor=1"), false);
});

test("a reason is measured in bytes of UTF-8", () => {
  assert.deepEqual(problemsOf(`close_in=0&reason=${"x".repeat(123)}`), []);
  assert.equal(problemsOf(`close_in=0&reason=${encodeURIComponent("é".repeat(62))}`).length, 1);
});

test("no name of the prototype is a parameter", () => {
  assert.equal(problemsOf("constructor=1&__proto__=1").length, 2);
});

test("every behaviour's examples are allowed, and read back as they were asked for", () => {
  for (const { path, parameters } of all) {
    for (const [name, parameter] of Object.entries(parameters) as [string, Parameter][]) {
      const { needs, atMost, ...rest } = parameter;
      const alone = { [name]: rest as Parameter };
      const query = parameter.kind === "flag" ? name : `${name}=${encodeURIComponent(parameter.example)}`;
      const { values, problems } = readParameters(alone, query, options);
      assert.deepEqual(problems, undefined, `${path}?${query}`);
      const again = readParameters(alone, formatQuery(alone, values ?? {}), options);
      assert.deepEqual(again.values, values, `${path}?${query}`);
      assert.notEqual(describeAllowed(parameter), "");
    }
  }
});

test("every name that a parameter refers to is a parameter of the same endpoint", () => {
  for (const { path, parameters, segments } of all) {
    for (const { needs = [], excludes = [], atMost } of Object.values(parameters) as Parameter[]) {
      for (const other of [...needs, ...excludes, ...(atMost === undefined ? [] : [atMost])]) {
        assert.ok(Object.hasOwn(parameters, other), `${path}: ${other}`);
      }
    }
    assert.deepEqual(
      path.split("/").filter((segment) => segment.startsWith(":")),
      Object.keys(segments).map((name) => `:${name}`),
    );
  }
});

test("no query makes reading throw", () => {
  fc.assert(
    fc.property(fc.string(), fc.constantFrom(...all), (query, { parameters }) => {
      readParameters(parameters, query, options);
    }),
  );
});

test("a path is matched segment by segment, and a plus in it stays one", () => {
  assert.deepEqual(matchPath("/close", "/close"), []);
  assert.equal(matchPath("/close", "/close/"), undefined);
  assert.equal(matchPath("/close", "/closed"), undefined);
  assert.deepEqual(matchPath("/status/:code", "/status/503"), [["code", "503"]]);
  const { path, segments } = behaviours.basic_auth;
  const given = matchPath(path, "/basic-auth/a+b/p%20q") ?? [];
  assert.deepEqual(
    { ...readParameters(segments, "", { ...options, given }).values },
    {
      user: "a+b",
      password: "p q",
    },
  );
});
