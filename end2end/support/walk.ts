// A walk through every page and dialog of the portal, empty and full.
import { expect, type Page } from '@playwright/test';
import { ADMIN, type Muster } from './muster.ts';
import { MODEL, SEED_FILE, act, choose, file, giveModel, open, openRegister, register, saveTokens, status } from './portal.ts';
import { signInQuietly } from './test.ts';

/** Calls `look` at every place, with its name. */
export async function walk(page: Page, muster: Muster, look: (place: string) => Promise<void>): Promise<void> {
  await open(page, '/sign-in');
  await look('sign in');
  await signInQuietly(page, muster, ADMIN);
  for (const path of ['/devices', '/groups', '/models', '/registrations', '/settings', '/devices/NoSuchDevice', '/nothing-here']) {
    if (path === '/nothing-here') await page.goto(path);
    else await open(page, path);
    await expect(page.locator('.loading')).toHaveCount(0);
    await look(`${path}, empty`);
  }

  await giveModel(page, muster);
  await open(page, '/models');
  await expect(page.getByRole('grid', { name: 'Models' })).toBeVisible();
  await look('models');
  await page.getByRole('button', { name: `Delete ${MODEL}` }).click();
  await look('models, asking to delete');
  await page.getByLabel('Model definition file').setInputFiles({ name: 'm.json', mimeType: 'application/json', buffer: Buffer.from('{}') });
  await expect(page.getByText("Can't use m.json")).toBeVisible();
  await look('models, a faulty one');

  await open(page, '/devices');
  await page.getByRole('button', { name: 'Actions' }).click();
  await expect(page.getByRole('menu')).toBeVisible();
  await look('actions');
  await page.keyboard.press('Escape');
  await registering(page, look);
  await selected(page, look);

  for (const path of ['/groups', '/registrations', '/devices/AutoRegister41']) {
    await open(page, path);
    await expect(page.locator('.loading')).toHaveCount(0);
    await look(path);
  }
  await open(page, '/groups');
  await page.getByRole('checkbox', { name: 'Select Paris' }).check();
  await look('groups, selected');
  for (const [button, title] of [['New group', 'New device group'], ['Rename Paris', 'Rename Paris'], ['Delete the group Paris', 'Delete the group Paris?']]) {
    await page.getByRole('button', { name: button }).click();
    await expect(page.getByRole('dialog', { name: title })).toBeVisible();
    await look(title);
    await page.keyboard.press('Escape');
  }
  await open(page, '/registrations');
  await page.getByRole('button', { name: 'Undo fleet.csv' }).click();
  await expect(page.getByRole('dialog', { name: 'Undo registration?' })).toContainText('from this registration still exist');
  await look('undo, asking');
  await page.getByRole('button', { name: 'Undo', exact: true }).click();
  await expect(page.getByRole('dialog')).toContainText('Done:');
  await look('undo, done');
}

async function registering(page: Page, look: (place: string) => Promise<void>): Promise<void> {
  const dialog = await openRegister(page);
  await look('register devices, choose');
  await dialog.getByText('What a registration file looks like').click();
  await look('register devices, the help open');
  await choose(page, file('bad.csv', `A b,${MODEL},${'friendly '.repeat(60)}\nTwin,${MODEL}\nTwin,${MODEL},,,small\n${'x'.repeat(200)},M\n`));
  await expect(dialog.getByRole('list', { name: 'Problems' })).toBeVisible();
  await look('register devices, problems');
  const long = `Unknown.${'Long'.repeat(40)}`;
  await choose(page, file('fleet.csv', `${SEED_FILE}${'d'.repeat(128)},${long},${'f'.repeat(256)},${'e'.repeat(1000)}\n`));
  await expect(dialog).toContainText('This model is not in your account yet');
  await look('register devices, checked');
  await dialog.getByLabel('Device group (optional)').fill('Paris');
  await dialog.getByRole('button', { name: 'Upload', exact: true }).click();
  await expect(status(page).getByRole('button', { name: 'errors.csv' })).toBeVisible();
  await look('registration status');
  await status(page).getByRole('button', { name: 'Done' }).click();
  await expect(status(page).getByText('Close anyway?')).toBeVisible();
  await look('registration status, asking');
  await status(page).getByRole('button', { name: 'Close without saving' }).click();
  await register(page, file('devices.csv', SEED_FILE));
  await expect(status(page).getByRole('button', { name: 'Generate tokens' })).toBeVisible();
  await look('registration status, already registered');
  await status(page).getByRole('button', { name: 'Done' }).click();
}

async function selected(page: Page, look: (place: string) => Promise<void>): Promise<void> {
  await expect(page.getByRole('grid', { name: 'All Devices' })).toBeVisible();
  await look('all devices');
  await page.getByRole('checkbox', { name: 'Select all devices on this page' }).check();
  await look('all devices, selected');
  await act(page, 'Generate token');
  const making = page.getByRole('dialog', { name: 'Generate token' });
  await expect(making).toBeVisible();
  await look('generate token, asking');
  await making.getByRole('button', { name: 'Generate', exact: true }).click();
  await expect(making).toContainText('generated');
  await look('generate token, made');
  await saveTokens(page);
  await page.keyboard.press('Escape');
  for (const [item, title] of [['Disable', 'Disable 2 devices?'], ['Delete', 'Delete 2 devices?'], ['Change pricing tier', 'Change the pricing tier of 2 devices'], ['Add to group', 'Add 2 devices to a group']]) {
    await act(page, item);
    const dialog = page.getByRole('dialog', { name: title });
    await expect(dialog).toBeVisible();
    await look(item.toLowerCase());
    await dialog.getByRole('button', { name: 'Cancel' }).click();
  }
  await act(page, 'Export');
  await expect(page.getByText('devices.csv downloaded.')).toBeVisible();
  await look('export, done');
  await page.keyboard.press('Escape');
  await open(page, '/devices?q=nothing+matches');
  await look('no device matches');
}
