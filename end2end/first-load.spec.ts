// What a browser loads before a page listens: little, and the rest later.
import type { Page, Response } from '@playwright/test';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { act, file, hydrated, open, openRegister, register, saveTokens, withSeedDevices } from './support/portal.ts';
import { expect, test } from './support/test.ts';

/** 1.5 s on a line of 1.6 Mbit/s. */
const LIMIT_BYTES = 300_000;

/** Opens a page, and gives the bytes of each response until it listens, as they were transferred. */
async function coldLoad(page: Page, path: string): Promise<Map<string, number>> {
  const responses: Response[] = [];
  const listen = (response: Response) => responses.push(response);
  page.on('response', listen);
  await open(page, path);
  page.off('response', listen);
  const sizes = new Map<string, number>();
  for (const response of responses) {
    const { responseBodySize, responseHeadersSize } = await response.request().sizes();
    sizes.set(new URL(response.url()).pathname, responseBodySize + responseHeadersSize);
  }
  return sizes;
}

function expectSmall(sizes: Map<string, number>): void {
  const total = [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0);
  const listed = [...sizes].map(([path, bytes]) => `${bytes} ${path}`).join('\n');
  expect(total, `${total} bytes were loaded:\n${listed}`).toBeLessThanOrEqual(LIMIT_BYTES);
  // A check that counts nothing would always pass.
  expect(total, listed).toBeGreaterThan(100_000);
}

test.describe('a cold load', () => {
  // Only the release build is small.
  test.skip((process.env.MUSTER_BIN ?? 'release').includes('debug'), 'the debug build is not what people load');

  test('/sign-in is small', async ({ page }) => {
    expectSmall(await coldLoad(page, '/sign-in'));
  });

  test('/devices is small, with a page full of devices', async ({ portal, muster }) => {
    await withSeedDevices(portal, muster);
    const rows = Array.from({ length: 100 }, (_, at) => `pump-${1000 + at},Contoso.Aircraft.AircraftModel,Pump number ${at},In hall ${at % 7},Small\n`);
    await register(portal, file('pumps.csv', rows.join('')));
    await saveTokens(portal);
    const browser = await portal.context().newCDPSession(portal);
    await browser.send('Network.clearBrowserCache');
    expectSmall(await coldLoad(portal, '/devices'));
  });
});

test('dialogs and other pages are loaded when they are opened, once', async ({ portal, muster }) => {
  await withSeedDevices(portal, muster);
  const loaded: string[] = [];
  portal.on('response', (response) => response.url().endsWith('.wasm') && loaded.push(new URL(response.url()).pathname.split('/').pop()!));
  await portal.reload();
  await hydrated(portal);
  expect(loaded).toEqual(['muster_bg.wasm']);
  await openRegister(portal);
  await expect(portal.getByRole('dialog').getByRole('button', { name: 'Browse' })).toBeVisible();
  expect(loaded).toContain('split_dialogs.wasm');
  await portal.keyboard.press('Escape');
  await portal.getByRole('link', { name: 'Models' }).click();
  await expect(portal.getByRole('grid', { name: 'Models' })).toBeVisible();
  expect(loaded).toContain('split_pages.wasm');
  await portal.getByRole('link', { name: 'Settings' }).click();
  await expect(portal.getByLabel('Default pricing tier')).toBeVisible();
  expect(new Set(loaded).size, 'nothing twice').toBe(loaded.length);
});

for (const [path, ready] of [['/groups', 'Device groups'], ['/models', 'Models'], ['/registrations', 'Registrations'], ['/settings', 'Settings']]) {
  test(`${path} is rendered on the server and hydrates`, async ({ portal }) => {
    await open(portal, path);
    await expect(portal.getByRole('heading', { name: ready, level: 1 })).toBeVisible();
  });
}

for (const missing of ['split_dialogs.wasm', 'split_pages.wasm']) {
  test(`a part that is not there any more is named, and the page stays: ${missing}`, async ({ portal, muster, guard }) => {
    guard.expect(/404|split_|Failed to load resource|HTTP status code is not ok/);
    await withSeedDevices(portal, muster);
    let isGone = true;
    await portal.route(`**/${missing}`, (route) => (isGone ? route.fulfill({ status: 404 }) : route.continue()));
    await portal.reload();
    await hydrated(portal);
    const alert = portal.getByRole('alert').filter({ hasText: 'Muster was updated' });
    if (missing === 'split_dialogs.wasm') {
      await act(portal, 'Register devices');
      await expect(alert).toBeVisible();
      await expect(portal.getByRole('grid', { name: 'All Devices' })).toBeVisible();
      // Opening it again tries again.
      isGone = false;
      await openRegister(portal);
      await expect(alert).toBeHidden();
    } else {
      await portal.getByRole('link', { name: 'Models' }).click();
      await expect(alert).toBeVisible();
      isGone = false;
      await portal.getByRole('button', { name: 'Reload the page' }).click();
      await expect(portal.getByRole('grid', { name: 'Models' })).toBeVisible();
    }
  });
}

test('a page of an older build gets no code of this one', async ({ page, muster }) => {
  await open(page, '/sign-in');
  const script = await page.locator('script[src]').getAttribute('src');
  const older = (name: string) => page.request.get(script!.replace(/[0-9a-f]{16}/, '0123456789abcdef').replace('start.js', name));
  for (const name of ['muster.js', 'muster_bg.wasm', 'split_dialogs.wasm', 'check.js', 'check_bg.wasm']) {
    expect((await older(name)).status(), name).toBe(404);
  }
  for (const name of ['start.js', 'muster.css', 'favicon.svg']) expect((await older(name)).status(), name).toBe(200);
});

test('an answer is Postcard for a page of this version, and JSON for everybody else', async ({ portal, muster }) => {
  const version = /^version = "(.+)"$/m.exec(readFileSync(resolve(import.meta.dirname, '../Cargo.toml'), 'utf8'))![1];
  const ask = (accept: string) =>
    portal.request.post(`${muster.url}/fn/default-tier`, { headers: { origin: muster.url, accept, 'content-type': 'application/json' }, data: '{}' });
  for (const accept of ['*/*', 'application/json', 'text/plain']) {
    const answer = await ask(accept);
    expect(answer.headers()['content-type'], accept).toBe('application/json');
    expect(await answer.json(), accept).toBe('Small');
  }
  const page = await ask(`application/x-postcard;version=${version}`);
  expect(page.headers()['content-type']).toContain('application/x-postcard');
  expect([...(await page.body())]).toEqual([1]);
  // Its page could take the bytes for something else.
  const older = await ask('application/x-postcard;version=0.0.1');
  expect(older.status()).toBe(422);
  expect(await older.json()).toEqual({ Refused: expect.stringContaining('Reload the page') });
});
