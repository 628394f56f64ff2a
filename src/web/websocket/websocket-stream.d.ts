// Types of WebSocketStream (Chromium), which TypeScript's DOM library lacks: https://websockets.spec.whatwg.org
interface WebSocketOpenInfo {
  readonly readable: ReadableStream<string | ArrayBuffer>;
  readonly writable: WritableStream<string | Uint8Array<ArrayBuffer>>;
  readonly protocol: string;
  readonly extensions: string;
}

interface WebSocketCloseInfo {
  readonly closeCode?: number;
  readonly reason?: string;
}

declare class WebSocketStream {
  constructor(url: string, options?: { readonly protocols?: readonly string[] });
  readonly opened: Promise<WebSocketOpenInfo>;
  readonly closed: Promise<WebSocketCloseInfo>;
  close(info?: WebSocketCloseInfo): void;
}
