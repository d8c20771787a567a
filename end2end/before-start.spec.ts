// The time before the page listens: a slow line, or a browser that never runs its WASM.
import type { Page } from '@playwright/test';
import { ADMIN } from './support/muster.ts';
import { hydrated, signIn, withSeedDevices } from './support/portal.ts';
import { expect, test } from './support/test.ts';

/** Holds the page's WASM back until the function that it gives is called. */
async function slowStart(page: Page): Promise<() => void> {
  let go = () => {};
  const started = new Promise<void>((done) => (go = done));
  await page.route('**/muster_bg.wasm', async (route) => {
    await started;
    await route.continue();
  });
  return go;
}

/** A page that never starts. */
async function noStart(page: Page): Promise<void> {
  await page.route('**/muster_bg.wasm', (route) => route.abort());
}

test.describe('signing in without WASM', () => {
  test.beforeEach(async ({ page, guard }) => {
    guard.expect(/Failed to load resource|Failed to fetch|422/);
    await noStart(page);
  });

  for (const [to, expected] of [['', '/devices'], ['?to=%2Fdevices%3Fq%3Da%2520b', '/devices?q=a%20b'], ['?to=%2Fmodels', '/models'], ['?to=%2F%2Fevil.example%2F', '/devices'], ['?to=https%3A%2F%2Fevil.example%2F', '/devices'], ['?to=%2F%5Cevil.example', '/devices']]) {
    test(`leads to ${expected} from /sign-in${to}`, async ({ page, muster }) => {
      await page.goto(`/sign-in${to}`);
      await page.getByLabel('Email').fill(ADMIN.email);
      await page.getByLabel('Password').fill(ADMIN.password);
      await page.keyboard.press('Enter');
      await page.waitForURL(muster.url + expected);
      await expect(page.getByText(ADMIN.email)).toBeVisible();
      const [session] = await page.context().cookies();
      expect(session).toMatchObject({ httpOnly: true, sameSite: 'Lax' });
    });
  }

  test('says what is wrong, keeps the way back, and lets one try again', async ({ page, muster }) => {
    await page.goto('/sign-in?to=%2Fmodels');
    await signIn(page, { ...ADMIN, password: 'not-the-password <b>' });
    await expect(page.getByRole('alert')).toHaveText(/password/);
    await expect(page.getByLabel('Email')).toHaveValue(ADMIN.email);
    expect(await page.content()).not.toContain('not-the-password');
    await page.getByLabel('Password').fill(ADMIN.password);
    await page.keyboard.press('Enter');
    await page.waitForURL(`${muster.url}/models`);
  });
});

test('a sentence that came without WASM stays when the page starts', async ({ page, guard }) => {
  guard.expect(/422/);
  const start = await slowStart(page);
  await page.goto('/sign-in');
  await signIn(page, { ...ADMIN, password: 'not-the-password' });
  await expect(page.getByRole('alert')).toHaveText(/password/);
  start();
  await hydrated(page);
  await expect(page.getByRole('alert')).toHaveText(/password/);
  await page.getByLabel('Password').fill(ADMIN.password);
  await page.keyboard.press('Enter');
  await page.waitForURL('**/devices');
});

test('what was typed before the page started is what is sent', async ({ page }) => {
  const start = await slowStart(page);
  await page.goto('/sign-in');
  await page.getByLabel('Email').fill(ADMIN.email);
  await page.getByLabel('Password').fill(ADMIN.password);
  start();
  await hydrated(page);
  await expect(page.getByLabel('Email')).toHaveValue(ADMIN.email);
  await expect(page.getByLabel('Password')).toHaveValue(ADMIN.password);
  const sent = page.waitForRequest('**/fn/sign-in');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await sent;
  await page.waitForURL('**/devices');
});

test('a form from another site is refused', async ({ page, muster }) => {
  const form = { email: ADMIN.email, password: ADMIN.password };
  for (const origin of ['http://evil.example', 'null']) {
    const answer = await page.request.post(`${muster.url}/sign-in`, { form, headers: { origin }, maxRedirects: 0 });
    expect(answer.status(), origin).toBe(403);
  }
  const own = await page.request.post(`${muster.url}/sign-in`, { form, headers: { origin: muster.url }, maxRedirects: 0 });
  expect(own.status()).toBe(303);
  expect(own.headers().location).toBe('/devices');
  const large = { email: 'a'.repeat(20_000), password: 'b' };
  const refused = await page.request.post(`${muster.url}/sign-in`, { form: large, headers: { origin: muster.url }, maxRedirects: 0 });
  expect(refused.status()).toBe(413);
});

test('a menu that is opened before the page started opens then', async ({ portal, muster }) => {
  await withSeedDevices(portal, muster);
  const start = await slowStart(portal);
  await portal.reload({ waitUntil: 'commit' });
  // Pressed again, since nothing seemed to happen.
  await portal.getByRole('button', { name: 'Actions' }).click();
  await portal.getByRole('button', { name: 'Actions' }).click();
  start();
  await expect(portal.getByRole('menuitem', { name: 'Register devices' })).toBeVisible();
});

test('what is typed, ticked and chosen before the page started counts then', async ({ portal, muster }) => {
  await withSeedDevices(portal, muster);
  let start = await slowStart(portal);
  await portal.reload({ waitUntil: 'commit' });
  await portal.getByLabel('Select AutoRegister42').click();
  start();
  await expect(portal.getByLabel('Select AutoRegister42')).toBeChecked();
  await expect(portal.getByText('1 selected')).toBeVisible();

  start = await slowStart(portal);
  await portal.reload({ waitUntil: 'commit' });
  await portal.getByLabel('Search devices').fill('Register42');
  start();
  await expect(portal).toHaveURL(/q=Register42/);
  await expect(portal.getByLabel('Search devices')).toHaveValue('Register42');
  await expect(portal.getByText('1 device', { exact: true })).toBeVisible();

  start = await slowStart(portal);
  await portal.goto('/devices', { waitUntil: 'commit' });
  await portal.getByLabel('Pricing tier').selectOption('ExtraSmall');
  start();
  await expect(portal).toHaveURL(/tier=ExtraSmall/);
});

test('a page that cannot start shows why, and its links work', async ({ portal, muster, guard }) => {
  guard.expect(/Failed to load resource|Failed to fetch/);
  await withSeedDevices(portal, muster);
  await noStart(portal);
  await portal.reload();
  await expect(portal.getByRole('alert').filter({ hasText: 'This page could not start' })).toBeVisible();
  await portal.getByRole('link', { name: 'AutoRegister41' }).click();
  await expect(portal.getByRole('heading', { name: 'AutoRegister41' })).toBeVisible();
});

test('a start script that is gone is noticed, too', async ({ portal, guard }) => {
  guard.expect(/Failed to load resource/);
  await portal.route('**/start.js', (route) => route.fulfill({ status: 404 }));
  await portal.goto('/devices');
  await expect(portal.getByRole('alert').filter({ hasText: 'This page could not start' })).toBeVisible();
});

test('a file that is dropped before the page started does not take its place', async ({ portal }) => {
  const start = await slowStart(portal);
  await portal.goto('/devices', { waitUntil: 'commit' });
  const heading = portal.getByRole('heading', { name: 'Devices', level: 1 });
  await heading.waitFor();
  const isPrevented = (item: 'a file' | 'text') =>
    heading.evaluate((element, item) => {
      const dataTransfer = new DataTransfer();
      if (item === 'text') dataTransfer.setData('text/plain', 'Pump-1');
      else dataTransfer.items.add(new File(['a,b'], 'stray.csv'));
      return !element.dispatchEvent(new DragEvent('drop', { bubbles: true, cancelable: true, dataTransfer }));
    }, item);
  expect([await isPrevented('a file'), await isPrevented('text')]).toEqual([true, false]);
  start();
  await hydrated(portal);
});
