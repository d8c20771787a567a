// Finding devices by a pasted list, by a MAC address, and by letters that are composed in another way.
import type { Page } from '@playwright/test';
import { MODEL, act, choose, expectCounts, file, giveModel, hydrated, open, openRegister, register, save, saveTokens, status } from './support/portal.ts';
import { expect, test } from './support/test.ts';

const box = (page: Page) => page.getByRole('searchbox', { name: 'Search devices' });

async function withDevices(portal: Page, muster: Parameters<typeof giveModel>[1], rows: string[]): Promise<void> {
  await giveModel(portal, muster);
  await open(portal, '/devices');
  await register(portal, file('fleet.csv', rows.join('\n')));
  await saveTokens(portal);
  await portal.keyboard.press('Escape');
}

async function expectShown(portal: Page, names: string[]): Promise<void> {
  await expect(portal.getByText(`${names.length} device${names.length === 1 ? '' : 's'}`, { exact: true })).toBeVisible();
  if (names.length > 0) await expect(portal.getByRole('grid', { name: 'All Devices' }).getByRole('rowheader')).toHaveText(names);
}

test('a pasted list finds exactly the devices it names, and says which it did not', async ({ portal, muster, guard, context }) => {
  guard.expect(/Failed to load resource/);
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const names = Array.from({ length: 300 }, (_, at) => `Pump-${at}`);
  await withDevices(portal, muster, names.map((name) => `${name},${MODEL}`));
  const paste = async (text: string) => {
    await portal.evaluate((text) => navigator.clipboard.writeText(text), text);
    await box(portal).fill('');
    await box(portal).focus();
    await portal.keyboard.press('Control+V');
  };
  for (const separator of ['\n', '\r\n', ', ', ';', '\t', ' ']) {
    await paste(['Pump-207', 'Pump-111', 'Pump-101'].join(separator));
    await expectShown(portal, ['Pump-101', 'Pump-111', 'Pump-207']);
    await expect(portal.getByText('not found')).toBeHidden();
    await paste('nothing-has-this');
    await expectShown(portal, []);
  }
  const missing = ['X1', 'X2', 'X3', 'X4', 'X5', 'X6', 'X7'];
  await paste(`"Pump-3"\n"Pump-4"\n${missing.join('\n')}\n`);
  await expectShown(portal, ['Pump-3', 'Pump-4']);
  await expect(portal.getByText('7 names not found: X1, X2, X3, X4, X5 and 2 more')).toBeVisible();

  // It is in the address, and is a selection for what is done to all that match.
  await portal.reload();
  await hydrated(portal);
  await expectShown(portal, ['Pump-3', 'Pump-4']);
  await paste(names.slice(0, 150).join('\n'));
  await expect(portal.getByText('150 devices', { exact: true })).toBeVisible();
  await portal.getByRole('checkbox', { name: 'Select all devices on this page' }).check();
  await portal.getByRole('button', { name: 'Select all 150 matching' }).click();
  await act(portal, 'Disable');
  const dialog = portal.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Disable', exact: true }).click();
  await expect(dialog).toBeHidden();
  await open(portal, '/devices?status=Disabled');
  await expect(portal.getByText('150 devices', { exact: true })).toBeVisible();

  await open(portal, '/devices');
  // As long as an address may be, which is loaded again; and longer, which becomes none.
  const longNames = Array.from({ length: 1_000 }, (_, at) => `machine-with-a-long-name-${at}`);
  await paste(longNames.slice(0, 800).join('\n'));
  await expect(portal.getByText('800 names not found')).toBeVisible();
  await portal.reload();
  await hydrated(portal);
  await expect(portal.getByText('800 names not found')).toBeVisible();
  await open(portal, '/devices');
  await paste(longNames.join('\n'));
  await expect(portal.getByText('This search is too long. Shorten it, or search for fewer names at a time.')).toBeVisible();
  await portal.reload();
  await hydrated(portal);
  await expect(portal.getByText('300 devices', { exact: true })).toBeVisible();
  await paste(Array.from({ length: 1_001 }, (_, at) => `N${at}`).join('\n'));
  await expect(portal.getByText('Search for at most 1,000 device names at a time.')).toBeVisible();
});

test('security tokens in what is pasted stay out of the address', async ({ portal, muster, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await withDevices(portal, muster, [`a,${MODEL}`, `b,${MODEL}`, `c,${MODEL}`]);
  await portal.evaluate(() => navigator.clipboard.writeText('Device name,Security token\na,mst_0123456789\nb,mst_9876543210\n'));
  await box(portal).focus();
  await portal.keyboard.press('Control+V');
  await expectShown(portal, ['a', 'b']);
  expect(portal.url()).not.toContain('mst_');
});

test('a MAC address is found in any notation, and a name however its letters are composed', async ({ portal, muster }) => {
  const addresses = ['70-B3-D5-49-95-85', '70:B3:D5:49:95:85', '70B3.D549.9585', '70B3D5499585'];
  await withDevices(portal, muster, [...addresses.map((name) => `${name},${MODEL}`), `other,${MODEL},Jet Z\u00fcrich`]);
  for (const text of [...addresses, '70 b3 d5 49 95 85', '70b3d5-499585']) {
    await box(portal).fill(text);
    await expectShown(portal, addresses);
    await box(portal).fill('nothing-has-this');
    await expectShown(portal, []);
  }
  await box(portal).fill('ZU\u0308RICH');
  await expectShown(portal, ['other']);
});

test('a spreadsheet that would change device names is warned of beside errors.csv and Export', async ({ portal, muster }) => {
  await withDevices(portal, muster, [`0012345,${MODEL}`, `891E3,${MODEL}`, `Pump-1,${MODEL}`]);
  const warning = /A spreadsheet would change (\d+ device names?) in this file/;
  await portal.getByRole('checkbox', { name: 'Select all devices on this page' }).check();
  await act(portal, 'Export');
  await expect(portal.getByRole('dialog')).toContainText(warning);
  await expect(portal.getByRole('dialog')).toContainText('2 device names');
  await portal.keyboard.press('Escape');

  const dialog = await openRegister(portal);
  await choose(portal, file('again.csv', `0012345,${MODEL},Another name\nPump-1,${MODEL},Another name\n`));
  await dialog.getByRole('button', { name: 'Upload', exact: true }).click();
  await expectCounts(portal, '0', '2', '0');
  await expect(status(portal)).toContainText(warning);
  await expect(status(portal)).toContainText('1 device name ');
  await portal.keyboard.press('Escape');
  await open(portal, '/registrations');
  await save(portal, portal.getByRole('button', { name: 'errors.csv' }).first());
  await expect(portal.getByText(warning)).toBeVisible();
});

test('what is exported is read again with the same values, and holds no formula', async ({ portal, muster }) => {
  const texts = ['Jet;=1+1;', 'Hangar 1;=HYPERLINK(1;2)', '=1+1', '＝1+1', "'quoted", '+49 30', '-', '@home;@work', 'a;b'];
  await withDevices(portal, muster, texts.map((text, at) => `D${at},${MODEL},${text},${text},Small`));
  await portal.getByRole('checkbox', { name: 'Select all devices on this page' }).check();
  const [download] = await Promise.all([portal.waitForEvent('download'), act(portal, 'Export')]);
  const exported = await (await download.createReadStream()).toArray();
  const text = Buffer.concat(exported).toString('utf8');
  expect(text.startsWith('\ufeffDevice name,')).toBe(true);
  expect(text.endsWith('\r\n')).toBe(true);
  for (const field of text.split(/[,;\r\n]/)) expect(field.trim()).not.toMatch(/^"?[=+@-]/);
  await portal.keyboard.press('Escape');
  await register(portal, file('devices.csv', text));
  await expectCounts(portal, '0', '0', String(texts.length));
});
