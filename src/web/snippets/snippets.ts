// Generates client programs for a URL. Pure.

export interface Snippet {
  readonly id: string;
  readonly title: string;
  /** How to install and run it, in one line. */
  readonly note: string;
  readonly code: string;
}

/** All snippets for a ws:// or wss:// URL. The URL is normalised, so only ASCII needs quoting. */
export function snippetsFor(wsUrl: string): Snippet[] {
  const url = new URL(wsUrl).href;
  const httpUrl = url.replace(/^ws/, "http");
  return [
    browser(JSON.stringify(url)),
    node(JSON.stringify(url)),
    python(JSON.stringify(url)),
    go(JSON.stringify(url)),
    curl(shellQuote(httpUrl)),
    websocat(shellQuote(url)),
    k6(JSON.stringify(url)),
    harness(shellQuote(url)),
  ];
}

/** Quotes one argument for a POSIX shell if necessary. */
export function shellQuote(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`;
}

function browser(url: string): Snippet {
  return {
    id: "browser",
    title: "Browser",
    note: "Paste it into the developer tools of a page that may connect to this server.",
    code: `const ws = new WebSocket(${url});
ws.onopen = () => ws.send("Hello");
ws.onmessage = (event) => {
  console.log("echo:", event.data);
  ws.close(1000, "done");
};
ws.onerror = () => console.log("error: the close event says more");
ws.onclose = (event) => console.log("closed:", event.code, event.reason);
`,
  };
}

function node(url: string): Snippet {
  return {
    id: "node",
    title: "Node.js",
    note: "Node 22 or later, nothing to install: save as echo.mjs, then node echo.mjs. Node 20: node --experimental-websocket echo.mjs",
    code: `const ws = new WebSocket(${url});
ws.addEventListener("open", () => ws.send("Hello"));
ws.addEventListener("message", (event) => {
  console.log("echo:", event.data);
  ws.close(1000, "done");
});
ws.addEventListener("error", () => {
  console.error("could not connect, or the connection failed");
  process.exitCode = 1;
});
ws.addEventListener("close", (event) => console.log("closed:", event.code, event.reason));
`,
  };
}

function python(url: string): Snippet {
  return {
    id: "python",
    title: "Python",
    note: "pip install websockets (Debian: apt install python3-websockets), then python3 echo.py",
    code: `import asyncio
import websockets


async def main():
    async with websockets.connect(${url}) as ws:
        await ws.send("Hello")
        print("echo:", await ws.recv())


asyncio.run(main())
`,
  };
}

function go(url: string): Snippet {
  return {
    id: "go",
    title: "Go",
    note: "Save as main.go, then: go mod init echo && go get github.com/gorilla/websocket && go run .",
    code: `package main

import (
	"fmt"
	"log"

	"github.com/gorilla/websocket"
)

func main() {
	ws, _, err := websocket.DefaultDialer.Dial(${url}, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer ws.Close()
	if err := ws.WriteMessage(websocket.TextMessage, []byte("Hello")); err != nil {
		log.Fatal(err)
	}
	_, echo, err := ws.ReadMessage()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("echo:", string(echo))
}
`,
  };
}

function curl(httpUrl: string): Snippet {
  return {
    id: "curl",
    title: "curl",
    note: "Not every curl supports WebSocket, but each shows the handshake, and the same path echoes an HTTP body.",
    code: `# The handshake: expect "101 Switching Protocols". curl then waits for more, so it gives up after a second.
curl --silent --include --no-buffer --http1.1 --max-time 1 \\
  --header 'Connection: Upgrade' --header 'Upgrade: websocket' \\
  --header 'Sec-WebSocket-Version: 13' --header 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' \\
  ${httpUrl}

# The HTTP echo: the body comes back.
curl --silent --data 'Hello' ${httpUrl}
`,
  };
}

function websocat(url: string): Snippet {
  return {
    id: "websocat",
    title: "websocat",
    note: "Without the pipe it is interactive: each line is a message.",
    code: `echo Hello | websocat --no-close --one-message ${url}
`,
  };
}

function k6(url: string): Snippet {
  return {
    id: "k6",
    title: "k6",
    note: "Save as echo.js, then k6 run echo.js. Ten connections, one message each, for ten seconds.",
    code: `import { check } from "k6";
import { WebSocket } from "k6/websockets";

export const options = { vus: 10, duration: "10s" };

export default function () {
  const ws = new WebSocket(${url});
  ws.onopen = () => ws.send("Hello");
  ws.onmessage = (event) => {
    check(event.data, { "echo is the same": (data) => data === "Hello" });
    ws.close();
  };
}
`,
  };
}

function harness(url: string): Snippet {
  return {
    id: "harness",
    title: "uws-echo-bench",
    note: "The load harness of this project, from a clone after npm ci. It measures what a browser cannot.",
    code: `# Closed loop: 64 connections, one message in flight on each.
npm run bench -- run ${url} --connections 64 --depth 1 --duration 10s

# Where the package is installed:
uws-echo-bench run ${url} --connections 64 --depth 1 --duration 10s
`,
  };
}
