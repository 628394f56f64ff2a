import assert from "node:assert/strict";
import { test } from "node:test";
import { PageReader, readPage } from "../../../../bench/target/page.ts";

const oneProcess = `# HELP process_cpu_seconds_total Total user and system CPU time spent in seconds.
process_cpu_seconds_total 12.5
process_resident_memory_bytes 50000000
echo_buffered_bytes 4096
echo_sends_total{result="sent"} 1e+06
echo_sends_total{result="dropped"} 7
echo_messages_received_total{type="text"} 10
echo_messages_received_total{type="binary"} 90
echo_worker_cpu_seconds_total{worker="0"} 12.25
`;

test("a Prometheus page of one process gives its own CPU time and memory", () => {
  const page = readPage(oneProcess);
  assert.deepEqual([...(page?.cpuSeconds.values() ?? [])], [12.5]);
  assert.deepEqual(
    [page?.rssBytes, page?.bufferedBytes, page?.droppedMessages, page?.receivedMessages],
    [50_000_000, 4096, 7, 100],
  );
});

test("a page of several workers gives those of the workers", () => {
  const page = readPage(`${oneProcess}echo_worker_cpu_seconds_total{worker="1"} 2.75
echo_worker_resident_memory_bytes{worker="0"} 10
echo_worker_resident_memory_bytes{worker="1"} 20
`);
  assert.deepEqual([...(page?.cpuSeconds.values() ?? [])], [12.25, 2.75]);
  assert.equal(page?.rssBytes, 30);
});

test("heap and descriptors are read as clients for Node, Go and the JVM name them", () => {
  const page = readPage(`${oneProcess}process_open_fds 27\nnodejs_heap_size_used_bytes 9000000\n`);
  assert.deepEqual([page?.heapBytes, page?.descriptors], [9_000_000, 27]);
  assert.equal(readPage(`${oneProcess}go_memstats_heap_inuse_bytes 5\n`)?.heapBytes, 5);
  const jvm = 'jvm_memory_used_bytes{area="heap"} 6\njvm_memory_used_bytes{area="nonheap"} 100\n';
  assert.equal(readPage(`${oneProcess}${jvm}`)?.heapBytes, 6);
  assert.equal(readPage(oneProcess)?.heapBytes, null);
});

test("heap and descriptors of a supervisor are not taken for those of its workers", () => {
  const page = readPage(
    `${oneProcess}echo_worker_cpu_seconds_total{worker="1"} 2\nprocess_open_fds 27\nnodejs_heap_size_used_bytes 9\n`,
  );
  assert.deepEqual([page?.heapBytes, page?.descriptors], [null, null]);
});

test("refuses a page without CPU time", () => {
  assert.equal(readPage("process_cpu_seconds_total_more 5\nup 1\n"), undefined);
});

test("one core limits Node and our workers; of a runtime with threads the page does not say", () => {
  assert.equal(readPage("process_cpu_seconds_total 5\nnodejs_version_info{} 1\n")?.isPerThread, true);
  assert.equal(readPage("process_cpu_seconds_total 5\ngo_goroutines 3\n")?.isPerThread, false);
});

/** A page of a process that started at a time, in seconds since 1970. */
function pageOf(startedSeconds: number, cpuSeconds: number): string {
  return `process_cpu_seconds_total ${cpuSeconds}\nprocess_start_time_seconds ${startedSeconds}\n`;
}

test("counters of a target that restarts continue, and it is still one target", () => {
  const reader = new PageReader();
  const nowSeconds = Date.now() / 1000;
  reader.read(pageOf(1000, 50), 1);
  assert.equal(reader.read(pageOf(1000, 53), 2)?.cpuSeconds, 3);
  const restarted = reader.read(pageOf(nowSeconds + 1, 0.5), 3);
  assert.deepEqual([restarted?.cpuSeconds, restarted?.replicas], [3.5, 1]);
});

test("replicas that answer in turns are recognized", () => {
  const reader = new PageReader();
  reader.read(pageOf(1000, 50), 1);
  reader.read(pageOf(2000, 7), 2);
  const sample = reader.read(pageOf(1000, 51), 3);
  assert.deepEqual([sample?.cpuSeconds, sample?.replicas], [1, 2]);
});
