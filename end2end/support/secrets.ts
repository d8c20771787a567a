// Looking for tokens where none may be.
import type { Page } from '@playwright/test';

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** The forms in which a token could lie somewhere: its text, its secret as text, its secret as 32 bytes. */
export function formsOf(token: string): { what: string; bytes: Buffer }[] {
  const secret = token.slice(26, 70);
  const halves = [secret.slice(0, 22), secret.slice(22)].map((text) => {
    const number = [...text].reduce((sum, digit) => sum * 62n + BigInt(DIGITS.indexOf(digit)), 0n);
    return Buffer.from(number.toString(16).padStart(32, '0'), 'hex');
  });
  return [
    { what: 'the token', bytes: Buffer.from(token) },
    { what: "the token's secret", bytes: Buffer.from(secret) },
    { what: "the token's secret in bytes", bytes: Buffer.concat(halves) },
  ];
}

/** Where any token, or one of these, is found in the bytes. */
export function tokensIn(place: string, bytes: Buffer, issued: Iterable<string>): string[] {
  const found = bytes.includes('mst_') ? [`mst_ in ${place}`] : [];
  for (const token of issued) {
    for (const form of formsOf(token)) if (bytes.includes(form.bytes)) found.push(`${form.what} in ${place}`);
  }
  return found;
}

/** Everything that the browser keeps for this site, as text. */
export async function browserStorage(page: Page): Promise<Record<string, string>> {
  const kept = await page.evaluate(async () => {
    const databases: unknown[] = [];
    for (const { name } of await indexedDB.databases()) {
      const db = await new Promise<IDBDatabase>((done, failed) => {
        const opening = indexedDB.open(name!);
        opening.onsuccess = () => done(opening.result);
        opening.onerror = () => failed(opening.error);
      });
      for (const store of db.objectStoreNames) {
        databases.push(await new Promise((done) => {
          const asked = db.transaction(store).objectStore(store).getAll();
          asked.onsuccess = () => done([name, store, asked.result]);
        }));
      }
    }
    const caches_ = await Promise.all((await caches.keys()).map(async (name) => [name, (await (await caches.open(name)).keys()).map((request) => request.url)]));
    return {
      localStorage: JSON.stringify({ ...localStorage }),
      sessionStorage: JSON.stringify({ ...sessionStorage }),
      IndexedDB: JSON.stringify(databases),
      caches: JSON.stringify(caches_),
      'window.name': window.name,
      'history.state': String(JSON.stringify(history.state)),
      address: location.href,
    };
  });
  return { ...kept, cookies: JSON.stringify(await page.context().cookies()) };
}
