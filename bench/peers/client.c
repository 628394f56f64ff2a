/*
 * A WebSocket echo client on bare epoll, a baseline for the harness's generator: the minimum cost of a closed loop
 * that still records every latency. Frames are built and masked once; one clock reading for each read.
 *
 * client PORT PATH CONNECTIONS DEPTH PAYLOAD_BYTES WARMUP_MS DURATION_MS
 *
 * Prints one line of JSON: {"messages": 1, "cpuUs": 1, "p50Us": 1, "p99Us": 1}
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MAX_DEPTH = 1024, READ_BYTES = 65536, EVENTS = 256 };
/* Latencies by powers of two with 64 steps each, from 1 ns to an hour: 1.6 % wide. */
enum { STEP_BITS = 6, STEPS = 1 << STEP_BITS, BUCKETS = 44 * STEPS };

struct connection {
  int fd;
  /* When the messages in flight were sent, oldest first, as a ring. */
  int64_t sent_ns[MAX_DEPTH];
  unsigned oldest, in_flight;
  /* Bytes of the frame that is being read that are still to come, and its header as far as it has come. */
  uint64_t payload_left;
  unsigned char header[10];
  unsigned header_bytes;
  /* Bytes of frames that the socket has not taken yet. */
  size_t unsent_bytes;
};

static struct connection *connections;
static int count, depth, epoll_fd;
static unsigned char *frames; /* `depth` frames in a row */
static size_t frame_bytes;
static uint64_t histogram[BUCKETS];
static uint64_t messages;
static int64_t from_ns, until_ns;

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static double cpu_us(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  double seconds = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec);
  return seconds * 1e6 + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static unsigned bucket_of(uint64_t ns) {
  if (ns < STEPS) return (unsigned)ns;
  unsigned shift = 63 - (unsigned)__builtin_clzll(ns) - STEP_BITS;
  unsigned bucket = shift * STEPS + (unsigned)(ns >> shift);
  return bucket < BUCKETS ? bucket : BUCKETS - 1;
}

static double percentile_us(double percent) {
  uint64_t wanted = (uint64_t)((double)messages * percent / 100), seen = 0;
  for (unsigned bucket = 0; bucket < BUCKETS; bucket++) {
    seen += histogram[bucket];
    if (seen > wanted) {
      unsigned shift = bucket < 2 * STEPS ? 0 : bucket / STEPS - 1;
      return (double)((uint64_t)(bucket - shift * STEPS) << shift) / 1000;
    }
  }
  return 0;
}

static void build_frames(size_t payload_bytes) {
  unsigned char header[14];
  size_t header_bytes = 2;
  header[0] = 0x82; /* FIN, binary */
  if (payload_bytes < 126) {
    header[1] = 0x80 | (unsigned char)payload_bytes;
  } else if (payload_bytes < 65536) {
    header[1] = 0x80 | 126;
    header[2] = (unsigned char)(payload_bytes >> 8);
    header[3] = (unsigned char)payload_bytes;
    header_bytes = 4;
  } else {
    header[1] = 0x80 | 127;
    for (int i = 0; i < 8; i++) header[2 + i] = (unsigned char)((uint64_t)payload_bytes >> (56 - 8 * i));
    header_bytes = 10;
  }
  for (int i = 0; i < 4; i++) header[header_bytes++] = (unsigned char)(0x5a + i); /* the mask */
  frame_bytes = header_bytes + payload_bytes;
  frames = malloc(frame_bytes * (size_t)depth);
  if (frames == NULL) fail("malloc");
  for (int i = 0; i < depth; i++) {
    memcpy(frames + frame_bytes * (size_t)i, header, header_bytes);
    for (size_t at = header_bytes; at < frame_bytes; at++) frames[frame_bytes * (size_t)i + at] = (unsigned char)rand();
  }
}

/* Writes what is left to write; asks epoll to say when the socket takes more. */
static void flush(struct connection *c) {
  while (c->unsent_bytes > 0) {
    /* Frames are all alike, so what is left ends with the end of the last frame. */
    size_t most = frame_bytes * (size_t)depth;
    size_t length = c->unsent_bytes < most ? c->unsent_bytes : (c->unsent_bytes - 1) % most + 1;
    ssize_t written = send(c->fd, frames + most - length, length, MSG_NOSIGNAL);
    if (written < 0 && errno != EAGAIN) fail("send");
    if (written > 0) c->unsent_bytes -= (size_t)written;
    if (written < (ssize_t)length) {
      struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.ptr = c};
      epoll_ctl(epoll_fd, EPOLL_CTL_MOD, c->fd, &event);
      return;
    }
  }
}

static void send_messages(struct connection *c, unsigned number, int64_t ns) {
  for (unsigned i = 0; i < number; i++) c->sent_ns[(c->oldest + c->in_flight++) % MAX_DEPTH] = ns;
  c->unsent_bytes += number * frame_bytes;
  flush(c);
}

/* Goes through what was read. Returns how many messages ended in it. */
static unsigned take(struct connection *c, const unsigned char *at, size_t length) {
  unsigned ended = 0;
  while (length > 0) {
    if (c->payload_left > 0) {
      size_t part = c->payload_left < length ? (size_t)c->payload_left : length;
      c->payload_left -= part;
      at += part;
      length -= part;
      ended += c->payload_left == 0;
      continue;
    }
    c->header[c->header_bytes++] = *at++;
    length--;
    if (c->header_bytes < 2) continue;
    unsigned kind = c->header[1] & 127;
    if (c->header_bytes < (kind < 126 ? 2u : kind == 126 ? 4u : 10u)) continue;
    if (c->header[0] != 0x82) {
      fprintf(stderr, "a frame that is no whole binary message\n");
      exit(1);
    }
    uint64_t bytes = kind < 126 ? kind : 0;
    for (unsigned i = 2; i < c->header_bytes; i++) bytes = bytes << 8 | c->header[i];
    c->header_bytes = 0;
    c->payload_left = bytes;
    ended += bytes == 0;
  }
  return ended;
}

static void on_readable(struct connection *c) {
  static unsigned char buffer[READ_BYTES];
  ssize_t length = recv(c->fd, buffer, sizeof buffer, 0);
  if (length < 0 && errno == EAGAIN) return;
  if (length <= 0) fail("the target ended a connection");
  unsigned ended = take(c, buffer, (size_t)length);
  if (ended == 0) return;
  int64_t ns = now_ns();
  for (unsigned i = 0; i < ended && c->in_flight > 0; i++) {
    if (ns >= from_ns) {
      histogram[bucket_of((uint64_t)(ns - c->sent_ns[c->oldest]))]++;
      messages++;
    }
    c->oldest = (c->oldest + 1) % MAX_DEPTH;
    c->in_flight--;
  }
  send_messages(c, ended, ns);
}

static void on_writable(struct connection *c) {
  flush(c);
  if (c->unsent_bytes > 0) return;
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
  epoll_ctl(epoll_fd, EPOLL_CTL_MOD, c->fd, &event);
}

static void open_connection(struct connection *c, int port, const char *path) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  char text[4096];
  int one = 1, length = snprintf(text, sizeof text,
                                 "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
                                 path, port);
  c->fd = socket(AF_INET, SOCK_STREAM, 0);
  if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&address, sizeof address) != 0) fail("connect");
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (send(c->fd, text, (size_t)length, MSG_NOSIGNAL) != length) fail("send");
  /* One byte at a time: what comes after the head is a frame. */
  for (length = 0; length < (int)sizeof text - 1; length++) {
    if (recv(c->fd, text + length, 1, 0) != 1) fail("the target ended the handshake");
    text[length + 1] = '\0';
    if (length >= 3 && strcmp(text + length - 3, "\r\n\r\n") == 0) break;
  }
  if (strncmp(text, "HTTP/1.1 101 ", 13) != 0) {
    fprintf(stderr, "the target refused the handshake: %.*s\n", (int)strcspn(text, "\r\n"), text);
    exit(1);
  }
  fcntl(c->fd, F_SETFL, O_NONBLOCK);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
  if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, c->fd, &event) != 0) fail("epoll_ctl");
}

int main(int argc, char **argv) {
  if (argc != 8) {
    fprintf(stderr, "usage: client PORT PATH CONNECTIONS DEPTH PAYLOAD_BYTES WARMUP_MS DURATION_MS\n");
    return 2;
  }
  count = atoi(argv[3]);
  depth = atoi(argv[4]);
  if (count < 1 || depth < 1 || depth > MAX_DEPTH) {
    fprintf(stderr, "CONNECTIONS and DEPTH are 1 or more, DEPTH at most %d\n", MAX_DEPTH);
    return 2;
  }
  build_frames((size_t)atoll(argv[5]));
  epoll_fd = epoll_create1(0);
  connections = calloc((size_t)count, sizeof *connections);
  if (epoll_fd < 0 || connections == NULL) fail("epoll_create1");
  for (int i = 0; i < count; i++) open_connection(&connections[i], atoi(argv[1]), argv[2]);
  from_ns = now_ns() + atoll(argv[6]) * 1000000;
  until_ns = from_ns + atoll(argv[7]) * 1000000;
  for (int i = 0; i < count; i++) send_messages(&connections[i], (unsigned)depth, now_ns());
  double cpu_from_us = -1;
  for (int64_t ns = now_ns(); ns < until_ns; ns = now_ns()) {
    if (cpu_from_us < 0 && ns >= from_ns) cpu_from_us = cpu_us();
    struct epoll_event events[EVENTS];
    int ready = epoll_wait(epoll_fd, events, EVENTS, (int)((until_ns - ns) / 1000000) + 1);
    if (ready < 0 && errno != EINTR) fail("epoll_wait");
    for (int i = 0; i < ready; i++) {
      if (events[i].events & EPOLLOUT) on_writable(events[i].data.ptr);
      if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) on_readable(events[i].data.ptr);
    }
  }
  printf("{\"messages\": %llu, \"cpuUs\": %.0f, \"p50Us\": %.3f, \"p99Us\": %.3f}\n", (unsigned long long)messages,
         cpu_us() - cpu_from_us, percentile_us(50), percentile_us(99));
  return 0;
}
