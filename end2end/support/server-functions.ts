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
