// Calling the portal's server functions without its page.
import type { APIRequestContext, APIResponse } from '@playwright/test';
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';

const source = resolve(import.meta.dirname, '../../app/src/fns');

/** Every endpoint below `/fn`, as the source declares them. */
export function endpoints(): string[] {
  const files = readdirSync(source, { recursive: true }).map(String).filter((name) => name.endsWith('.rs'));
  const found = files.flatMap((name) => {
    const text = readFileSync(resolve(source, name), 'utf8');
    const declared = text.match(/^\s*#\[server\b/gm)?.length ?? 0;
    const named = [...text.matchAll(/^\s*#\[server\([^\]]*?endpoint\s*=\s*"([^"]+)"/gm)].map((match) => match[1]);
    if (named.length !== declared) throw new Error(`${name} has a server function without an endpoint`);
    return named;
  });
  return found.sort();
}

/** A call as our own page makes it. A body of bytes is Postcard, anything else JSON. */
export async function call(request: APIRequestContext, url: string, endpoint: string, body: unknown, origin = new URL(url).origin): Promise<APIResponse> {
  const isBytes = Buffer.isBuffer(body);
  return request.post(`${url}/fn/${endpoint}`, {
    headers: { origin, accept: 'application/json', 'content-type': isBytes ? 'application/x-postcard' : 'application/json' },
    data: isBytes ? body : JSON.stringify(body),
  });
}

/** A `Vec<u8>` as Postcard writes it: its length as a varint, then the bytes. */
export function postcardBytes(bytes: Buffer): Buffer {
  const length: number[] = [];
  let rest = bytes.length;
  do {
    length.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    rest >>>= 7;
  } while (rest > 0);
  return Buffer.concat([Buffer.from(length), bytes]);
}

/** Takes apart what Postcard wrote, field after field. */
export class PostcardReader {
  private at = 0;
  private readonly from: Buffer;

  constructor(from: Buffer) {
    this.from = from;
  }

  number(): number {
    let [value, scale] = [0, 1];
    for (;;) {
      const byte = this.from[this.at++];
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 0x80;
    }
  }

  /** A `String`, or a `Vec<u8>` that is one. */
  text(): string {
    const length = this.number();
    this.at += length;
    return this.from.toString('utf8', this.at - length, this.at);
  }

  option<T>(read: () => T): T | undefined {
    return this.from[this.at++] === 0 ? undefined : read();
  }
}
