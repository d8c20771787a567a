// Leaving the page by mistake never loses unsaved tokens, or work under way.
import type { Page } from '@playwright/test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { drop } from './support/drop.ts';
import { Held, deviceName, rows, tickAll, withMany } from './support/many.ts';
import type { Muster } from './support/muster.ts';
import { MODEL, SEED_FILE, act, choose, expectCounts, file, giveModel, open, openRegister, register, saveTokens, status, withSeedDevices } from './support/portal.ts';
import { expect, test } from './support/test.ts';

let folder = '';
test.beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'muster-unsaved-'));
});
test.afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('a file that is dropped while tokens are not saved waits for them', async ({ portal, muster }) => {
  await giveModel(portal, muster);
  const path = join(folder, 'next.csv');
  writeFileSync(path, `Next1,${MODEL}\n`);
  await open(portal, '/devices');
  await register(portal, file('devices.csv', SEED_FILE));
  await expectCounts(portal, '2', '0', '0');
  await drop(portal, status(portal), [path]);
  await expect(status(portal).getByText('Close anyway?')).toBeVisible();
  await status(portal).getByRole('button', { name: 'Go back' }).click();
  expect((await saveTokens(portal)).size).toBe(2);
  await drop(portal, status(portal), [path]);
  await expect(portal.getByRole('dialog', { name: 'Register devices' })).toContainText('next.csv: 1 device, no problems');
});

test('Back with tokens that are not saved asks, and leaves once they are', async ({ portal, muster }) => {
  await giveModel(portal, muster);
  await open(portal, '/models');
  await portal.getByRole('link', { name: 'Devices', exact: true }).click();
  await register(portal, file('devices.csv', SEED_FILE));
  for (let times = 0; times < 3; times++) {
    await portal.goBack();
    await expect(status(portal).getByText('Close anyway?')).toBeVisible();
    await expect(portal).toHaveURL(/\/devices$/);
    await status(portal).getByRole('button', { name: 'Go back' }).click();
    await expect(status(portal).getByText('Close anyway?')).toBeHidden();
  }
  expect((await saveTokens(portal)).size).toBe(2);
  await status(portal).getByRole('button', { name: 'Done' }).click();
  await portal.goBack();
  await expect(portal).toHaveURL(/\/models$/);
  await expect(portal.getByRole('heading', { name: 'Models', level: 1 })).toBeVisible();
});

test('Back during an upload asks; closing stops it, and the next upload shows nothing of it', async ({ portal, muster, guard }) => {
  test.slow();
  guard.expect(/Failed to load resource/);
  await giveModel(portal, muster);
  await giveModel(portal, muster, 'Contoso.Pump');
  await open(portal, '/models');
  await portal.getByRole('link', { name: 'Devices', exact: true }).click();
  const dialog = await openRegister(portal);
  await choose(portal, file('fleet.csv', rows(120_000)));
  const held = await Held.from(portal, 'register-part', 2);
  await dialog.getByRole('button', { name: 'Upload', exact: true }).click();
  await expect(status(portal)).toContainText('10,000 of 120,000 rows');
  await portal.goBack();
  await expect(status(portal)).toContainText('Registration is still running. If you close now it stops');
  await expect(portal).toHaveURL(/\/devices$/);
  await status(portal).getByRole('button', { name: 'Close without saving' }).click();
  await expect(portal.getByRole('dialog')).toBeHidden();
  const sent = held.calls;
  await held.go();

  // The next upload has its own counts, and nothing of the other.
  await portal.unrouteAll();
  await register(portal, file('devices.csv', SEED_FILE));
  await expectCounts(portal, '2', '0', '0');
  await expect(status(portal)).toContainText("2 security tokens are ready. Save them now: they can't be shown again.");
  expect((await saveTokens(portal)).size).toBe(2);
  expect(held.calls, 'parts that were sent after it was closed').toBe(sent);
});

/** Opens what is done to all of 25,000 devices, of whom the second 10,000 are held back. */
async function begunForAll(page: Page, muster: Muster, action: string, endpoint: string) {
  test.slow();
  await withMany(page, muster, 25_000);
  await tickAll(page, '25,000');
  const held = await Held.from(page, endpoint, 2);
  await act(page, action);
  return { held, dialog: page.getByRole('dialog', { name: action }) };
}

test('Generate token, closed while it works, stops, and the next opening begins anew', async ({ portal, muster, guard }) => {
  guard.expect(/Failed to load resource/);
  const { held, dialog } = await begunForAll(portal, muster, 'Generate token', 'generate-tokens');
  await dialog.getByRole('button', { name: 'Generate', exact: true }).click();
  await expect(dialog).toContainText('10,000 of 25,000 devices');
  await portal.keyboard.press('Escape');
  await expect(dialog).toContainText('Token generation is still running. If you close now it stops');
  await dialog.getByRole('button', { name: 'Close without saving' }).click();
  await expect(dialog).toBeHidden();

  await act(portal, 'Generate token');
  await expect(dialog).toContainText('A new token for 25,000 devices.');
  await held.go();
  await portal.waitForTimeout(1_000);
  expect(held.calls, 'calls after it was closed').toBe(2);
  await expect(dialog.getByRole('button', { name: 'Generate', exact: true })).toBeVisible();
  await dialog.getByRole('button', { name: 'Generate', exact: true }).click();
  await expect(dialog).toContainText('25,000 tokens generated');
  const saved = await saveTokens(portal);
  expect(saved.size).toBe(25_000);
  for (const at of [0, 9_999, 10_000, 24_999]) expect((await muster.sendState(saved.get(deviceName(at))!)).status).toBe(204);
});

test('Escape stops a running job, as Stop does; Export continues from there', async ({ portal, muster, guard }) => {
  guard.expect(/Failed to load resource/);
  const { held, dialog } = await begunForAll(portal, muster, 'Export', 'export-devices');
  await expect(dialog).toContainText('10,000 of 25,000 devices');
  await portal.keyboard.press('Escape');
  await expect(dialog).toContainText('Stopping…');
  await held.go();
  await expect(dialog).toContainText('Stopped after 20,000 devices.');
  await expect(dialog.getByRole('button', { name: 'Start again' })).toBeVisible();
  const [download] = await Promise.all([portal.waitForEvent('download'), dialog.getByRole('button', { name: 'Continue' }).click()]);
  const text = (await import('node:fs')).readFileSync(await download.path(), 'utf8');
  expect(text.split('\r\n').length, 'each device once, and the header').toBe(25_000 + 2);
  await expect(dialog.getByText('devices.csv downloaded.')).toBeVisible();
  expect(held.calls).toBe(3);

  // So it is with what changes devices.
  await dialog.getByRole('button', { name: 'Done' }).click();
  await portal.unrouteAll();
  const changes = await Held.from(portal, 'change-devices', 2);
  await act(portal, 'Disable');
  const disabling = portal.getByRole('dialog', { name: 'Disable 25,000 devices?' });
  await disabling.getByRole('button', { name: 'Disable' }).click();
  await expect(disabling).toContainText('10,000 of 25,000 devices');
  await disabling.getByRole('button', { name: 'Close', exact: true }).first().click();
  await expect(disabling).toContainText('Stopping…');
  await changes.go();
  await expect(disabling).toContainText('Stopped after 20,000 devices.');
  await disabling.getByRole('button', { name: 'Continue' }).click();
  await expect(disabling).toBeHidden();
  await expect(portal.getByRole('status').filter({ hasText: 'Disabled 25,000 devices.' })).toBeVisible();
});

test('a page that is left while something is under way says nothing afterwards', async ({ portal, muster, guard }) => {
  guard.expect(/Failed to load resource/);
  await withSeedDevices(portal, muster);
  await portal.getByRole('checkbox', { name: 'Select AutoRegister41' }).check();
  const held = await Held.from(portal, 'generate-tokens', 1);
  await act(portal, 'Generate token');
  const dialog = portal.getByRole('dialog', { name: 'Generate token' });
  await dialog.getByRole('button', { name: 'Generate', exact: true }).click();
  await expect.poll(() => held.calls).toBe(1);
  await portal.keyboard.press('Escape');
  await dialog.getByRole('button', { name: 'Close without saving' }).click();
  await portal.getByRole('searchbox', { name: 'Search devices' }).fill('x');
  await portal.getByRole('link', { name: 'Models', exact: true }).click();
  await held.go();
  await portal.waitForTimeout(1_000);
  await expect(portal).toHaveURL(/\/models$/);
});

test('a part that comes too late is sent again with a higher attempt', async ({ portal, muster, guard }) => {
  guard.expect(/409/);
  await giveModel(portal, muster);
  await open(portal, '/devices');
  let sent = 0;
  await portal.route('**/fn/register-part', async (route) => {
    sent += 1;
    if (sent > 1) return route.continue();
    // It is delivered twice on its way, and only the second answer is heard.
    await route.fetch();
    return route.continue();
  });
  await register(portal, file('devices.csv', SEED_FILE));
  await expectCounts(portal, '2', '0', '0');
  expect(sent).toBe(2);
  const saved = await saveTokens(portal);
  for (const token of saved.values()) expect((await muster.sendState(token)).status).toBe(204);
});

test('what the browser cannot save is not called saved', async ({ portal, muster }) => {
  await portal.addInitScript(() => {
    const state = { isFull: false };
    const Real = Blob;
    const Full = class extends Real {
      constructor(...given: ConstructorParameters<typeof Blob>) {
        if (state.isFull) throw new RangeError('out of memory');
        super(...given);
      }
    };
    Object.assign(window, { memory_: state, Blob: Full });
  });
  const fill = (isFull: boolean) => portal.evaluate((isFull) => Object.assign((window as unknown as { memory_: object }).memory_, { isFull }), isFull);
  await withSeedDevices(portal, muster);
  await portal.getByRole('checkbox', { name: 'Select all devices on this page' }).check();
  await act(portal, 'Generate token');
  const dialog = portal.getByRole('dialog', { name: 'Generate token' });
  await dialog.getByRole('button', { name: 'Generate', exact: true }).click();
  await expect(dialog).toContainText('2 tokens generated');
  await fill(true);
  await dialog.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(dialog).toContainText('The browser ran out of memory.');
  await portal.keyboard.press('Escape');
  await expect(dialog.getByText('Close anyway?')).toBeVisible();
  await dialog.getByRole('button', { name: 'Go back' }).click();
  await fill(false);
  expect((await saveTokens(portal)).size).toBe(2);
  await portal.keyboard.press('Escape');
  await expect(dialog).toBeHidden();

  // One that cannot be kept stops the work.
  await act(portal, 'Export');
  const exporting = portal.getByRole('dialog', { name: 'Export' });
  await expect(exporting).toContainText('devices.csv downloaded.');
  await portal.keyboard.press('Escape');
  await fill(true);
  await act(portal, 'Export');
  await expect(exporting).toContainText('The browser ran out of memory.');
  await expect(exporting).not.toContainText('devices.csv downloaded.');
  await expect(exporting.getByRole('button', { name: 'Continue' })).toBeVisible();
});
