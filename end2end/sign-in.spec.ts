// Who may see the portal, and what protects them.
import type { Route } from '@playwright/test';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ADMIN } from './support/muster.ts';
import { hydrated, open, signIn } from './support/portal.ts';
import { call } from './support/server-functions.ts';
import { expect, test } from './support/test.ts';

for (const path of ['/devices', '/devices?q=a%20b&status=Active', '/devices/AutoRegister41', '/groups', '/models', '/registrations', '/settings']) {
  test(`${path} leads to the sign-in page and back again`, async ({ page, muster, guard }) => {
    // There is no such device.
    guard.expect(/Failed to load resource.*404.*AutoRegister41/);
    await open(page, path);
    await expect(page).toHaveURL(/\/sign-in\?to=/);
    await signIn(page, ADMIN);
    await page.waitForURL(muster.url + path);
    await hydrated(page);
    await expect(page.getByText(ADMIN.email)).toBeVisible();
  });
}

test('the way back leads to no other site', async ({ page, muster, guard }) => {
  // The page before may still ask for what its filters offer when its cookie goes.
  guard.expect(/401/);
  for (const to of ['//evil.example/', 'https://evil.example/', '/\\evil.example', '/%09/evil.example', 'javascript:alert(1)']) {
    await page.context().clearCookies();
    await open(page, `/sign-in?to=${encodeURIComponent(to)}`);
    await signIn(page, ADMIN);
    await page.waitForURL((url) => url.pathname !== '/sign-in');
    expect(new URL(page.url()).origin).toBe(muster.url);
  }
});

test('a wrong password, and then too many', async ({ page, guard }) => {
  guard.expect(/Failed to load resource.*42[29]/);
  await open(page, '/sign-in');
  const problem = page.getByRole('alert');
  const wrong = 'Incorrect email or password.';
  await signIn(page, { ...ADMIN, password: 'not-the-password' });
  await expect(problem).toHaveText(wrong);
  await signIn(page, { email: 'nobody@example.com', password: 'not-the-password' });
  await expect(problem).toHaveText(wrong);
  expect(await page.context().cookies()).toEqual([]);

  await page.getByLabel('Email').fill(ADMIN.email);
  const button = page.getByRole('button', { name: 'Sign in' });
  for (let guess = 2; guess <= 6; guess++) {
    const [answer] = await Promise.all([page.waitForResponse('**/fn/sign-in'), button.click()]);
    expect(answer.ok()).toBe(false);
    await expect(button).toHaveAttribute('aria-disabled', 'false');
  }
  // The sixth has to wait some seconds; then the right one works.
  await expect(problem).toHaveText(/^Too many attempts\. Try again in \d seconds?\.$/);
  await expect(async () => {
    const [answer] = await Promise.all([page.waitForResponse('**/fn/sign-in'), signIn(page, ADMIN)]);
    expect(answer.ok()).toBe(true);
  }).toPass();
  await page.waitForURL('**/devices');
});

test('a form that is sent twice is one attempt', async ({ page }) => {
  const attempts: Route[] = [];
  await page.route('**/fn/sign-in', (route) => void attempts.push(route));
  await open(page, '/sign-in');
  await signIn(page, ADMIN);
  await expect(page.getByRole('button', { name: 'Signing in…' })).toBeVisible();
  await expect.poll(() => attempts.length).toBe(1);
  await page.getByLabel('Password').press('Enter');
  await attempts[0].continue();
  await page.waitForURL('**/devices');
  expect(attempts).toHaveLength(1);
});

test('signing out ends the session, on the server too', async ({ page, muster }) => {
  await open(page, '/devices');
  await signIn(page, ADMIN);
  await page.waitForURL('**/devices');
  await hydrated(page);
  const [session] = await page.context().cookies();
  expect(session).toMatchObject({ httpOnly: true, sameSite: 'Lax', path: '/', secure: false });
  expect(await page.evaluate(() => document.cookie)).toBe('');

  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.waitForURL('**/sign-in');
  expect(await page.context().cookies()).toEqual([]);
  await page.context().addCookies([session]);
  expect((await call(page.request, muster.url, 'me', {})).status()).toBe(401);
  await page.goto('/devices');
  await expect(page).toHaveURL(/sign-in/);
});

test('a changed password ends the sessions', async ({ portal, muster, guard }) => {
  guard.expect(/Failed to load resource.*401/);
  await open(portal, '/devices');
  await muster.run(['user', 'password', ADMIN.email], 'another-horse-22\n');
  await portal.goto('/models');
  await expect(portal).toHaveURL(/sign-in\?to=%2Fmodels/);
  await hydrated(portal);
  await signIn(portal, { ...ADMIN, password: 'another-horse-22' });
  await portal.waitForURL('**/models');
});

test('a session that ends while the page is open says so', async ({ portal, guard }) => {
  guard.expect(/Failed to load resource.*401/);
  await open(portal, '/devices');
  await portal.context().clearCookies();
  const alert = portal.getByRole('alert').filter({ hasText: 'Your session has ended. Sign in (opens a new tab; nothing here is lost)' });
  await expect(alert).toBeVisible();
  // After a sign-in in the other tab, this one recovers by itself.
  const opened = portal.waitForEvent('popup');
  await alert.getByRole('link', { name: 'Sign in' }).click();
  const other = await opened;
  await hydrated(other);
  await signIn(other, ADMIN);
  await other.waitForURL('**/devices');
  await other.close();
  await expect(alert).toBeHidden();
});

test('every page has the security headers', async ({ portal, muster }) => {
  const nonces = new Set<string>();
  for (const path of ['/sign-in', '/devices', '/groups', '/models', '/registrations', '/settings']) {
    const answer = await portal.request.get(muster.url + path);
    const headers = answer.headers();
    const policy = headers['content-security-policy'];
    expect(policy, path).toContain("default-src 'none'");
    expect(policy, path).not.toMatch(/unsafe-inline|'unsafe-eval'|\*|http:|https:/);
    expect(policy, path).toContain("frame-ancestors 'none'");
    expect(policy, path).toContain("base-uri 'none'");
    expect(headers, path).toMatchObject({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'same-origin',
      'cache-control': 'no-store',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
    });
    const nonce = /'nonce-([^']+)'/.exec(policy)?.[1];
    if (nonce) nonces.add(nonce);
    const html = await answer.text();
    for (const [tag] of html.matchAll(/<script\b[^>]*>/g)) expect(tag).toContain(`nonce="${nonce}"`);
    expect(html).not.toMatch(/<[^>]+\s(?:style|on\w+)=/);
  }
  expect(nonces.size, 'a nonce is used once').toBe(6);
});

test('a POST from another site is refused', async ({ portal, muster, guard }) => {
  for (const origin of ['http://evil.example', 'null', muster.url.replace('127.0.0.1', 'localhost')]) {
    const answer = await call(portal.request, muster.url, 'sign-out', {}, origin);
    expect(answer.status(), origin).toBe(403);
    expect(await answer.json(), 'as a page reads it').toHaveProperty('Refused');
  }
  const bare = await portal.request.post(`${muster.url}/fn/sign-out`, { headers: { 'content-type': 'application/json' }, data: '{}' });
  expect(bare.status(), 'without an Origin').toBe(403);

  // A page next door, in the same browser, on the same host.
  const neighbour = createServer((_, answer) => answer.setHeader('content-type', 'text/html').end('<!doctype html><title>Next door</title>'));
  await new Promise<void>((done) => neighbour.listen(0, '127.0.0.1', done));
  guard.expect(/Failed to load resource|favicon/);
  await portal.goto(`http://127.0.0.1:${(neighbour.address() as AddressInfo).port}/`);
  const form = `<form method="post" enctype="text/plain" action="${muster.url}/fn/sign-out"></form>`;
  const [refused] = await Promise.all([
    portal.waitForResponse('**/fn/sign-out'),
    portal.evaluate((form) => {
      document.body.innerHTML = form;
      document.forms[0].submit();
    }, form),
  ]);
  expect(refused.status()).toBe(403);
  neighbour.close();
  expect((await call(portal.request, muster.url, 'me', {})).ok(), 'still signed in').toBe(true);
});

test('an unknown address shows Page not found', async ({ portal, guard }) => {
  guard.expect(/404/);
  const answer = await portal.goto('/nothing-here');
  expect(answer?.status()).toBe(404);
  await expect(portal.getByRole('heading', { name: 'Page not found' })).toBeVisible();
});
