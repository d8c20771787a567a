// The page never says what is not so: what will happen to a file, what is there, what an action reaches, and what comes next.
import type { Locator, Page } from '@playwright/test';
import { execFileSync } from 'node:child_process';
import { MODEL, act, choose, expectCounts, file, giveModel, open, openRegister, register, row, save, saveTokens, status } from './support/portal.ts';
import { expect, test } from './support/test.ts';

/** Registers a file, and closes the dialog. */
async function registered(page: Page, what: ReturnType<typeof file>): Promise<void> {
  await register(page, what);
  await saveTokens(page);
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toBeHidden();
}

const verdict = (dialog: Locator) => dialog.locator('.verdict');

test('before Upload, the dialog says what will become of each row', async ({ portal, muster }) => {
  await giveModel(portal, muster);
  await open(portal, '/devices');
  await registered(portal, file('first.csv', `A1,${MODEL},Pump,,Small\nA2,${MODEL},Fan\nA3,${MODEL}\n`));
  const dialog = await openRegister(portal);
  const second = `A1,${MODEL},Pump\nA2,${MODEL},Other\nA3,${MODEL},,,Large\nA4,${MODEL}\nA5,No.Such\n`;
  await choose(portal, file('second.csv', second));
  await expect(verdict(dialog)).toHaveText(
    'second.csv: 1 new · 1 already registered · 3 will fail: 1 different device friendly name, 1 different pricing tier, 1 unknown model',
  );
  await expect(verdict(dialog)).not.toHaveClass(/good/);
  const failing = dialog.getByRole('list', { name: 'Will fail' }).getByRole('listitem');
  await expect(failing).toHaveCount(2);
  await expect(failing.first()).toContainText('A device with this name is already registered with a different device friendly name');
  await expect(failing.first().getByRole('row').nth(1)).toHaveText('2A2');
  await expect(row(portal, 'A4')).toHaveCount(0);
  await dialog.getByRole('button', { name: 'Upload', exact: true }).click();
  await expectCounts(portal, '1', '3', '1');
});

test('a file that is registered already is good news', async ({ portal, muster }) => {
  await giveModel(portal, muster);
  await open(portal, '/devices');
  const devices = Array.from({ length: 25_000 }, (_, at) => `D${at},${MODEL},Machine ${at}\n`).join('');
  await registered(portal, file('fleet.csv', devices));
  const dialog = await openRegister(portal);
  await choose(portal, file('again.csv', `${devices}New,${MODEL}\n`));
  await expect(verdict(dialog)).toHaveText('again.csv: 1 new · 25,000 already registered');
  await expect(verdict(dialog)).toHaveClass(/good/);
  await expect(dialog).not.toContainText('Comparing');
});

test('without an answer, nothing is called good, and the file can be uploaded', async ({ portal, muster, guard }) => {
  await giveModel(portal, muster);
  guard.expect(/Failed to load resource/);
  await open(portal, '/devices');
  const dialog = await openRegister(portal);
  await portal.route('**/fn/dry-run-part', (route) => route.fulfill({ status: 422, json: { Refused: 'Not today.' } }));
  await choose(portal, file('fleet.csv', `A1,${MODEL}\n`));
  await expect(dialog).toContainText('The file could not be compared with your models and devices: Not today.');
  await expect(verdict(dialog)).toHaveText('fleet.csv: 1 device, no problems');
  await expect(verdict(dialog)).not.toHaveClass(/good/);
  await dialog.getByRole('button', { name: 'Upload', exact: true }).click();
  await expect(status(portal)).toContainText('Registered');
});

const PAGES = [
  { link: 'Device groups', empty: 'No device groups yet' },
  { link: 'Registrations', empty: 'Nothing has been registered yet' },
  { link: 'Devices', empty: 'Register the first devices' },
];

test('a page without an answer shows why, and nothing that it does not know', async ({ portal, muster, guard }) => {
  guard.expect(/Failed to load resource/);
  await open(portal, '/models');
  await expect(portal.getByText('Upload the first model')).toBeVisible();
  const menu = portal.getByRole('navigation').first();
  // All of the page is loaded: what is missing is only what it would show.
  for (const { link, empty } of PAGES) {
    await menu.getByRole('link', { name: link }).click();
    await expect(portal.getByText(empty)).toBeVisible();
  }
  await menu.getByRole('link', { name: 'Models' }).click();
  await expect(portal.getByText('Upload the first model')).toBeVisible();
  await muster.stop('SIGKILL');
  for (const { link, empty } of PAGES) {
    await menu.getByRole('link', { name: link }).click();
    await expect(portal.getByRole('heading', { level: 1, name: link })).toBeVisible();
    await expect(portal.getByRole('alert').filter({ hasText: "Can't reach Muster" })).toBeVisible();
    await expect(portal.getByRole('button', { name: 'Try again' })).toBeVisible();
    await expect(portal.getByText(empty)).toBeHidden();
    await expect(portal.getByText(/^0 device/)).toBeHidden();
  }
  await muster.start();
  await expect(portal.getByText('Register the first devices')).toBeVisible();
  await expect(portal.getByRole('button', { name: 'Try again' })).toBeHidden();
});

test('what was shown stays while the session is over, and is fresh after signing in again', async ({ portal, muster, guard }) => {
  guard.expect(/Failed to load resource/);
  await giveModel(portal, muster);
  await open(portal, '/models');
  const grid = portal.getByRole('grid', { name: 'Models' });
  await expect(grid).toBeVisible();
  const cookies = await portal.context().cookies();
  await portal.context().clearCookies();
  await portal.getByRole('button', { name: `Delete ${MODEL}` }).click();
  await portal.getByRole('button', { name: 'Delete', exact: true }).click();
  const banner = portal.locator('.banner');
  await expect(banner.getByRole('link', { name: 'Sign in' })).toBeVisible();
  await expect(grid).toBeVisible();
  await expect(portal.locator('.stale').filter({ has: grid })).toBeVisible();
  await portal.context().addCookies(cookies);
  await expect(banner.getByRole('link', { name: 'Sign in' })).toBeHidden();
  await expect(portal.locator('.stale')).toHaveCount(0);
});

test('devices that are selected but not shown are counted, can be shown, and are confirmed by number', async ({ portal, muster }) => {
  await giveModel(portal, muster);
  await open(portal, '/devices');
  await registered(portal, file('fleet.csv', ['A1', 'A2', 'A3', 'B1'].map((name) => `${name},${MODEL}\n`).join('')));
  for (const name of ['A1', 'A3', 'B1']) await portal.getByRole('checkbox', { name: `Select ${name}` }).click();
  const selected = portal.locator('.selected');
  await expect(selected).toContainText('3 selected');
  await expect(selected).not.toContainText('not shown');
  await portal.getByLabel('Search devices').fill('B1');
  await expect(row(portal, 'A1')).toHaveCount(0);
  await expect(selected).toContainText('3 selected, 2 not shown here');

  await act(portal, 'Delete');
  const dialog = portal.getByRole('dialog');
  await expect(dialog).toContainText('A1, A3, B1');
  const confirm = dialog.getByRole('button', { name: 'Delete', exact: true });
  await expect(confirm).toHaveAttribute('aria-disabled', 'true');
  await dialog.getByLabel('Type 3 to confirm').fill('3');
  await expect(confirm).toHaveAttribute('aria-disabled', 'false');
  await dialog.getByRole('button', { name: 'Cancel' }).click();

  await portal.getByRole('link', { name: 'Show selected' }).click();
  await expect(row(portal, 'A1')).toBeVisible();
  await expect(row(portal, 'A3')).toBeVisible();
  await expect(row(portal, 'A2')).toHaveCount(0);
  await expect(selected).toContainText('3 selected');
  await expect(selected).not.toContainText('not shown');
  // All of them are on the page now, so that nothing has to be typed.
  await act(portal, 'Delete');
  await expect(dialog.getByLabel('Type 3 to confirm')).toHaveCount(0);
  await confirm.click();
  await expect(portal.getByText('Deleted 3 devices.')).toBeVisible();
});

test('a device that is not there is 404', async ({ portal, muster, guard }) => {
  guard.expect(/Failed to load resource/);
  for (const name of ['nobody', 'no%20name%21']) {
    const answer = await portal.goto(`${muster.url}/devices/${name}`);
    expect(answer?.status(), name).toBe(404);
    await expect(portal.getByRole('heading', { name: 'Device not found' })).toBeVisible();
  }
});

test('all problems of a file can be downloaded, with their devices', async ({ portal }) => {
  await open(portal, '/devices');
  const dialog = await openRegister(portal);
  const rows = Array.from({ length: 400 }, (_, at) => `D${at},${MODEL},,,${at % 4 ? 'Small' : 'small'}\n`).join('');
  await choose(portal, file('fleet.csv', `${rows}D1,${MODEL}\n`));
  await expect(verdict(dialog)).toHaveText('fleet.csv: 101 problems found');
  await expect(dialog).toContainText('101 of 401 rows have problems.');
  const saved = await save(portal, dialog.getByRole('button', { name: 'Download problems.csv' }));
  expect(saved.name).toBe('problems.csv');
  const lines = saved.text.split('\r\n');
  expect(lines[0]).toBe('\ufeffLine,Column,Device name,Value,Problem');
  expect(lines).toHaveLength(103);
  expect(lines[1]).toMatch(/^1,\d+,D0,small,/);
  expect(lines[101]).toMatch(/^401,1,D1,D1,/);
  // A file without rows has no list of them.
  await choose(portal, file('empty.csv', ''));
  await expect(dialog).toContainText('empty.csv');
  await expect(dialog.getByRole('button', { name: 'Download problems.csv' })).toHaveCount(0);
});

test('from the button to the registered devices, and to the first that is alive', async ({ portal, muster }) => {
  await giveModel(portal, muster);
  await open(portal, '/devices');
  await portal.getByRole('button', { name: 'Register devices', exact: true }).click();
  await expect(portal.getByRole('dialog', { name: 'Register devices' })).toBeVisible();
  await choose(portal, file('fleet.csv', `A1,${MODEL}\nA2,${MODEL}\n`));
  await portal.getByRole('dialog').getByRole('button', { name: 'Upload', exact: true }).click();
  const show = status(portal).getByRole('link', { name: 'Show these devices' });
  await show.click();
  // Their tokens are not saved.
  await expect(status(portal)).toBeVisible();
  const tokens = await saveTokens(portal);
  await show.click();
  await expect(portal.getByRole('dialog')).toBeHidden();
  await expect(portal).toHaveURL(/registration=/);
  await row(portal, 'A1').getByRole('link', { name: 'A1' }).click();

  const command = portal.getByRole('group', { name: 'A command that sends data' });
  await expect(command).toContainText(`${muster.url}/device/v1/state`);
  await expect(command).toContainText('"altitude":0');
  await portal.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await portal.getByRole('button', { name: 'Copy' }).click();
  await expect(portal.getByText('Copied.')).toBeVisible();
  const copied = await portal.evaluate(() => navigator.clipboard.readText());
  const script = copied.replace('TOKEN', tokens.get('A1')!).replace('curl', 'curl --silent --fail');
  execFileSync('sh', ['-c', script]);
  await expect(portal.getByText('Active')).toBeVisible();
});
