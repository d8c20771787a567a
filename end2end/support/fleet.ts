// A fleet of 60,000 devices: its file, its upload, and what must be true of it whatever happened on the way.
import { expect, test, type Page, type Request, type Route } from '@playwright/test';
import { randomInt } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Muster } from './muster.ts';
import { MODEL, choose, file, open, openRegister, status } from './portal.ts';
import { call, PostcardReader } from './server-functions.ts';

export const ROWS = 60_000;
/** Rows of one part, as the page cuts them. */
const PART_ROWS = 10_000;
const PARTS = ROWS / PART_ROWS;
/** Parts that are not sent before the moment in the middle of an upload has come. */
const LAST_PARTS = 3;

const names = Array.from({ length: ROWS }, (_, at) => `D${at}`);
const lines = names.map((name) => `${name},${MODEL},Friendly name of ${name}\n`);
export const FLEET = lines.join('');
export const BACKWARDS = lines.toReversed().join('');

/** A file of so many other devices. */
export const otherRows = (rows: number) => Array.from({ length: rows }, (_, at) => `Other${at},${MODEL}\n`).join('');

export type Counts = { registered: number; failed: number; already: number };

/** The parts of an upload, as the browser sends them. */
export class Parts {
  sent = 0;
  answered = 0;
  private ended = 0;
  private readonly page: Page;

  constructor(page: Page) {
    this.page = page;
    page.on('request', (request) => (this.sent += Number(isPart(request.url()))));
    page.on('response', (answer) => (this.answered += Number(isPart(answer.url()) && answer.ok())));
    const ended = (request: Request) => (this.ended += Number(isPart(request.url())));
    page.on('requestfinished', ended);
    page.on('requestfailed', ended);
  }

  /** Those that are on their way, or at the server. */
  get underWay(): number {
    return this.sent - this.ended;
  }

  /** Until the browser has sent so many. */
  async untilSent(parts: number): Promise<void> {
    while (this.sent < parts) await this.page.waitForRequest((request) => isPart(request.url()));
  }

  expectUnderWay(): void {
    expect(this.answered, 'in the middle of the upload').toBeLessThan(PARTS);
  }
}

const isPart = (url: string) => new URL(url).pathname === '/fn/register-part';

/** Opens the page and chooses the file: Upload is the next. */
export async function readyToUpload(page: Page, rows = FLEET): Promise<void> {
  await open(page, '/devices');
  const dialog = await openRegister(page);
  await choose(page, file('fleet.csv', rows));
  // It is good once the dry run has ended.
  await expect(dialog.locator('.verdict')).toHaveClass(/good/);
}

export async function pressUpload(page: Page): Promise<Parts> {
  const parts = new Parts(page);
  await page.getByRole('dialog').getByRole('button', { name: 'Upload', exact: true }).click();
  return parts;
}

export async function beginUpload(page: Page): Promise<Parts> {
  await readyToUpload(page);
  return pressUpload(page);
}

/**
 * Begins an upload, and does this in its middle, each time at another moment, which a failed test tells: some parts are
 * stored, some may be under way, and the last ones are sent after it.
 */
export async function inMidUpload(page: Page, deed: (held: HeldParts) => Promise<void>): Promise<Parts> {
  const held = await holdLastParts(page);
  await readyToUpload(page);
  const stored = page.waitForResponse((answer) => isPart(answer.url()) && answer.ok());
  const sent = await pressUpload(page);
  await stored;
  const ms = randomInt(100);
  await test.info().attach('moment', { body: `${ms} ms after the first answer`, contentType: 'text/plain' });
  await pause(ms);
  await deed(held);
  await held.letGo();
  return sent;
}

/** Parts that the page has sent, held back before they leave the browser. */
export type HeldParts = {
  /** Sends them, and every later part. */
  letGo(): Promise<void>;
  /** Aborts them, and every later part. Needed before the page is closed, because the browser would send them then. */
  drop(): Promise<void>;
};

/** Holds the last parts of the page's upload, so that it cannot be over. */
export async function holdLastParts(page: Page): Promise<HeldParts> {
  const held: Route[] = [];
  let parts = 0;
  let treat = async (route: Route): Promise<void> => void held.push(route);
  await page.route(
    (url) => isPart(url.href),
    (route) => (++parts > PARTS - LAST_PARTS ? treat(route) : route.continue()),
  );
  const now = async (how: (route: Route) => Promise<void>) => {
    treat = how;
    for (const route of held.splice(0)) await how(route);
  };
  return { letGo: () => now((route) => route.continue()), drop: () => now((route) => route.abort()) };
}

/** Waits for the end of an upload: the counts, which add up. */
export async function uploaded(page: Page): Promise<Counts> {
  await expect(status(page).getByRole('button', { name: 'Done' })).toBeVisible();
  const texts = await status(page).getByRole('listitem').allTextContents();
  const words = ['Registered', 'Failed', 'Already registered'];
  const [registered, failed, already] = texts.map((text, at) => Number(text.replace(words[at], '').replaceAll(',', '')));
  expect(registered + failed + already, texts.join(', ')).toBe(ROWS);
  return { registered, failed, already };
}

/** Registrations lists an upload that came to its end with these counts. */
export async function expectListed(page: Page, muster: Muster, counts: Counts): Promise<void> {
  const answer = await call(page.request, muster.url, 'registrations', { before: null });
  const { value } = (await answer.json()) as { value: { rows: unknown[] } };
  expect(value.rows).toContainEqual(expect.objectContaining({ ...counts, devices: ROWS, finished: expect.any(Number) }));
}

/** The same file again, on a page of its own, brings nothing that is not there: all of it is. */
export async function expectNothingLeft(page: Page): Promise<void> {
  const again = await page.context().newPage();
  await beginUpload(again);
  expect(await uploaded(again)).toEqual({ registered: 0, failed: 0, already: ROWS });
  await again.close();
}

/** New tokens for the devices that have never connected. */
export async function generateTokens(page: Page, devices: number): Promise<void> {
  const dialog = status(page);
  await expect(dialog).toContainText(`${devices.toLocaleString('en')} devices were registered before and never connected`);
  const generate = dialog.getByRole('button', { name: 'Generate tokens' });
  await generate.click();
  await expect(generate).toBeHidden();
  await expect(dialog.getByRole('button', { name: 'Done' })).toBeVisible();
}

/**
 * What must be true at the end: every device of the file is there once, and somebody has saved a token for each; those
 * that were saved work, and are the devices' own. They are in the order in which they were created.
 */
export async function expectFleet(page: Page, muster: Muster, ...saved: Map<string, string>[]): Promise<void> {
  await page.goto(`${muster.url}/devices`);
  await expect(page.getByText(`${ROWS.toLocaleString('en')} devices`, { exact: true })).toBeVisible();
  expect(differences(await deviceNames(page, muster), names)).toEqual([]);
  const searched = await call(page.request, muster.url, 'count-devices', { filter: { ...anyDevice, search: 'FRIENDLY name of' } });
  expect(await searched.json(), 'devices that a search finds').toBe(ROWS);
  expect(differences([...new Set(saved.flatMap((tokens) => [...tokens.keys()]))], names), 'devices without a token').toEqual([]);

  // The first and last of each part, and some between.
  const sample = names.filter((_, at) => at % PART_ROWS === 0 || (at + 1) % PART_ROWS === 0 || at % 317 === 0);
  for (const tokens of saved) await expectWorking(muster, tokens, sample.filter((name) => tokens.has(name)));
  expect(differences(await activeNames(page, muster), sample), 'devices that came alive').toEqual([]);
}

/** These devices report, some at once. */
async function expectWorking(muster: Muster, tokens: Map<string, string>, some: string[]): Promise<void> {
  const [left, wrong] = [[...some], [] as string[]];
  const report = async () => {
    for (let name = left.pop(); name !== undefined; name = left.pop()) {
      const answer = await muster.sendState(tokens.get(name)!);
      if (answer.status !== 204) wrong.push(`${name}: ${answer.status}`);
    }
  };
  await Promise.all(Array.from({ length: 8 }, report));
  expect(wrong).toEqual([]);
}

/** What one list has and the other has not, or more often; few enough to read. */
function differences(found: string[], expected: string[]): string[] {
  const counts = new Map<string, number>();
  for (const name of found) counts.set(name, (counts.get(name) ?? 0) + 1);
  for (const name of expected) counts.set(name, (counts.get(name) ?? 0) - 1);
  const wrong = [...counts].filter(([, count]) => count !== 0);
  return wrong.slice(0, 20).map(([name, count]) => `${name}: ${Math.abs(count)} too ${count > 0 ? 'many' : 'few'} (of ${wrong.length} such)`);
}

const anyDevice = { search: null, status: null, model: null, tier: null, groups: [] as string[], never_seen: false, registration: null };

async function deviceNames(page: Page, muster: Muster): Promise<string[]> {
  const there: string[] = [];
  for (let after: string | undefined | null = null; after !== undefined; ) {
    const targets = { Matching: { filter: anyDevice, registered_by: Number.MAX_SAFE_INTEGER, except: [], after } };
    const answer = await call(page.request, muster.url, 'export-devices', { targets });
    expect(answer.ok(), await answer.text()).toBe(true);
    const reader = new PostcardReader(await answer.body());
    const rows = reader.text().split('\r\n').slice(0, -1);
    there.push(...rows.map((row) => row.slice(0, row.indexOf(','))));
    expect(reader.number()).toBe(rows.length);
    after = reader.option(() => reader.text());
  }
  return there;
}

async function activeNames(page: Page, muster: Muster): Promise<string[]> {
  const active: string[] = [];
  for (let position: unknown = 'First'; position !== undefined; ) {
    const query = { filter: { ...anyDevice, status: 'Active' }, sort: 'Name', is_descending: false, position };
    const answer = await call(page.request, muster.url, 'devices', { query });
    expect(answer.ok(), await answer.text()).toBe(true);
    const { value: shown } = (await answer.json()) as { value: { items: { name: string }[]; has_next: boolean } };
    active.push(...shown.items.map((item) => item.name));
    position = shown.has_next ? { After: shown.items.at(-1)!.name } : undefined;
  }
  return active;
}
