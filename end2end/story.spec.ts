// The main job, end to end: a file of devices is registered, and a device comes alive.
import { expect, test } from './support/test.ts';
import { ADMIN } from './support/muster.ts';
import { MODEL, SEED_FILE, TOKEN, act, choose, expectCounts, file, hydrated, modelDefinition, open, openRegister, register, row, save, saveTokens, signIn, status, tokens, withSeedDevices } from './support/portal.ts';
import { browserStorage, tokensIn } from './support/secrets.ts';

// So that the search of the log is worth something.
test.use({ logLevel: 'debug' });

test('a file of devices is registered, and a device comes alive', async ({ page, muster }) => {
  await open(page, '/');
  await signIn(page, ADMIN);
  await page.waitForURL('**/devices');
  await hydrated(page);

  // A model definition.
  await page.getByRole('link', { name: 'Models', exact: true }).click();
  await page.getByRole('heading', { name: 'Upload the first model' }).waitFor();
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.getByRole('button', { name: 'Upload model' }).click()]);
  await chooser.setFiles({ name: 'aircraft.json', mimeType: 'application/json', buffer: modelDefinition() });
  await expect(page.getByRole('grid', { name: 'Models' }).getByRole('row', { name: MODEL })).toBeVisible();

  // The seed page's file, checked before anything leaves the browser.
  await page.getByRole('link', { name: 'Devices', exact: true }).click();
  const sent: string[] = [];
  page.on('request', (request) => sent.push(new URL(request.url()).pathname));
  const dialog = await openRegister(page);
  await expect(dialog.getByRole('button', { name: 'Upload', exact: true })).toBeDisabled();
  await expect(dialog.getByRole('button', { name: 'Upload', exact: true })).toHaveAccessibleDescription(/Choose a registration file/);
  await choose(page, file('devices.csv', SEED_FILE));
  await expect(dialog.getByRole('status')).toContainText('2 devices, no problems');
  await expect(dialog).toContainText('Small 1');
  await expect(dialog).toContainText('ExtraSmall 1');
  await expect(dialog.getByRole('region', { name: 'First rows' })).toContainText('The 1st Concorder Flight');
  expect(sent.filter((path) => /register-part|begin-registration/.test(path))).toEqual([]);

  await dialog.getByRole('button', { name: 'Upload', exact: true }).click();
  await expectCounts(page, '2', '0', '0');
  const saved = await save(page, status(page).getByRole('button', { name: 'Save', exact: true }));
  expect(saved.name).toBe('tokens.csv');
  const first = tokens(saved.text);
  expect([...first.keys()]).toEqual(['AutoRegister41', 'AutoRegister42']);
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toBeHidden();

  // Both are there at once, and one comes alive without a reload.
  await expect(row(page, 'AutoRegister41')).toContainText(/1st EM.Concorde Jet\s*Small\s*Registered\s*Never/);
  await expect(row(page, 'AutoRegister42')).toContainText(/2nd EM.Concorde Jet\s*ExtraSmall\s*Registered\s*Never/);
  await expect(page.getByText('2 devices', { exact: true })).toBeVisible();
  await page.evaluate(() => Object.assign(window, { stayed: true }));
  expect((await muster.sendState(first.get('AutoRegister41')!)).status).toBe(204);
  await expect(row(page, 'AutoRegister41')).toContainText('Active');
  await expect(row(page, 'AutoRegister42')).toContainText('Registered');
  expect(await page.evaluate(() => 'stayed' in window)).toBe(true);

  // New tokens for both.
  for (const name of first.keys()) await page.getByRole('checkbox', { name: `Select ${name}` }).check();
  await act(page, 'Generate token');
  const making = page.getByRole('dialog', { name: 'Generate token' });
  await expect(making).toContainText('2 devices');
  await expect(making.getByRole('radio', { name: 'Keep working until the new token is first used' })).toBeChecked();
  await making.getByRole('button', { name: 'Generate', exact: true }).click();
  await expect(making).toContainText('2 tokens generated');
  const second = await saveTokens(page);
  expect([...second.keys()].sort()).toEqual(['AutoRegister41', 'AutoRegister42']);

  // The old one works until the new one is first used.
  const name = 'AutoRegister41';
  expect(second.get(name)).not.toBe(first.get(name));
  expect((await muster.sendState(first.get(name)!)).status).toBe(204);
  expect((await muster.sendState(second.get(name)!)).status).toBe(204);
  expect((await muster.sendState(first.get(name)!)).status).toBe(401);
  expect((await muster.sendState(first.get('AutoRegister42')!)).status).toBe(204);

  // The third ones stop the second at once.
  await page.keyboard.press('Escape');
  await expect(making).toBeHidden();
  await act(page, 'Generate token');
  await making.getByRole('radio', { name: 'Revoke immediately' }).check();
  await making.getByRole('button', { name: 'Generate', exact: true }).click();
  const third = await saveTokens(page);
  for (const name of second.keys()) {
    expect((await muster.sendState(second.get(name)!)).status).toBe(401);
    expect((await muster.sendState(third.get(name)!)).status).toBe(204);
  }

  // No token is left anywhere.
  const issued = [first, second, third].flatMap((tokens) => [...tokens.values()]);
  expect(new Set(issued).size).toBe(6);
  for (const token of issued) expect(token).toMatch(TOKEN);
  const kept = async () => Object.entries(await browserStorage(page)).flatMap(([place, text]) => tokensIn(place, Buffer.from(text), issued));
  const stored = () => muster.files().flatMap(({ name, bytes }) => tokensIn(name, bytes, issued));
  expect(await kept()).toEqual([]);
  expect(stored()).toEqual([]);
  await open(page, '/devices/AutoRegister41');
  expect(tokensIn('the page', Buffer.from(await page.content()), issued)).toEqual([]);
  expect(await kept()).toEqual([]);
  await muster.stop();
  expect(muster.files().length).toBeGreaterThan(0);
  expect(stored()).toEqual([]);
  expect(muster.log).toContain('DEBUG');
  expect(tokensIn('the log', Buffer.from(muster.log), issued)).toEqual([]);
});

test('the same file twice changes nothing and fails nothing', async ({ portal, muster }) => {
  const saved = await withSeedDevices(portal, muster);
  await register(portal, file('devices.csv', SEED_FILE));
  await expectCounts(portal, '0', '0', '2');
  await expect(status(portal).getByRole('button', { name: 'errors.csv' })).toBeHidden();
  await portal.keyboard.press('Escape');
  await expect(portal.getByRole('dialog')).toBeHidden();
  for (const token of saved.values()) expect((await muster.sendState(token)).status).toBe(204);
  await expect(portal.getByText('2 devices', { exact: true })).toBeVisible();
  await open(portal, '/registrations');
  await expect(portal.getByRole('grid', { name: 'Registrations' }).getByRole('row')).toHaveCount(3);
});

test('one device has a page of its own, with its data and never a token', async ({ portal, muster }) => {
  const saved = await withSeedDevices(portal, muster);
  await portal.getByRole('link', { name: 'AutoRegister42' }).click();
  await expect(portal.getByRole('heading', { name: 'AutoRegister42' })).toBeVisible();
  await expect(portal.locator('main')).toContainText('Jet No.009');
  await expect(portal.locator('main')).toContainText('has not sent data yet');
  expect((await muster.sendState(saved.get('AutoRegister42')!, { altitude: 11_277.5, callSign: 'F-BTSD' })).status).toBe(204);
  await expect(portal.locator('main')).toContainText('11277.5');
  await expect(portal.locator('main')).toContainText('Active');
  await expect(portal.locator('main')).not.toContainText('mst_');
});

test('All Devices can be searched and paged', async ({ portal, muster }) => {
  await withSeedDevices(portal, muster);
  const many = Array.from({ length: 150 }, (_, at) => `Fleet-${String(at).padStart(3, '0')},${MODEL}`).join('\n');
  await register(portal, file('fleet.csv', many));
  await expectCounts(portal, '150', '0', '0');
  await saveTokens(portal);
  await portal.keyboard.press('Escape');
  await expect(portal.getByText('152 devices', { exact: true })).toBeVisible();
  await expect(portal.getByRole('grid', { name: 'All Devices' }).getByRole('row')).toHaveCount(101);
  await portal.getByRole('link', { name: 'Next' }).click();
  await expect(row(portal, 'Fleet-149')).toBeVisible();
  await expect(portal.getByRole('grid', { name: 'All Devices' }).getByRole('row')).toHaveCount(53);
  await portal.getByRole('searchbox', { name: 'Search devices' }).fill('concorde');
  await expect(portal.getByText('2 devices', { exact: true })).toBeVisible();
  await expect(row(portal, 'AutoRegister41')).toBeVisible();
  await portal.getByRole('searchbox', { name: 'Search devices' }).fill('no such device');
  await expect(portal.getByText('No devices match your filters')).toBeVisible();
});
