// All Devices and Device groups: which response belongs to which request, and what is shown, focused and announced.
import type { Page } from '@playwright/test';
import { Held, PUMP, deviceName, withMany } from './support/many.ts';
import { MODEL, act, file, giveModel, open, register, row, save, saveTokens, withSeedDevices } from './support/portal.ts';
import { call } from './support/server-functions.ts';
import { expect, test } from './support/test.ts';

const filters = (page: Page) => page.getByRole('search');
const searchBox = (page: Page) => page.getByRole('searchbox', { name: 'Search devices' });
const grid = (page: Page) => page.getByRole('grid', { name: 'All Devices' });
const tick = (page: Page, at: number) => page.getByRole('checkbox', { name: `Select ${deviceName(at)}`, exact: true });
const total = (page: Page, text: string) => expect(page.getByText(text, { exact: true })).toBeVisible();
/** The link, which is at the edge of the page, too. */
const pageLink = (page: Page, name: string) => page.getByRole('navigation', { name: 'Pages' }).getByText(name, { exact: true });

test('the number that match belongs to the filter that is on the page', async ({ portal, muster }) => {
  await withMany(portal, muster, 250);
  await tick(portal, 1).check();
  await expect(portal.getByRole('button', { name: 'Select all 250 matching' })).toBeVisible();
  const held = await Held.from(portal, 'devices', 1);
  await filters(portal).getByLabel('Model').selectOption(PUMP);
  await expect.poll(() => held.calls).toBeGreaterThan(0);
  await expect(portal.getByRole('button', { name: /^Select all .* matching$/ }), 'until it is counted').toBeHidden();
  await held.go();
  await portal.getByRole('button', { name: 'Select all 125 matching' }).click();
  await expect(portal.getByText('125 selected')).toBeVisible();
  await expect(portal.getByRole('button', { name: /^Select all .* matching$/ }), 'all are').toBeHidden();
});

test('a link with an invalid model or group shows the reason, and no devices', async ({ portal, muster }) => {
  await withSeedDevices(portal, muster);
  for (const [query, reason] of [['model=a%20b', 'A model name cannot contain a space'], [`group=${'x'.repeat(129)}`, 'A device group\'s name is 1 to 128 characters']]) {
    await open(portal, `/devices?${query}`);
    await expect(portal.getByRole('alert').filter({ hasText: reason })).toBeVisible();
    await expect(grid(portal)).toBeHidden();
    await portal.getByRole('link', { name: 'Clear filters' }).click();
    await expect(row(portal, 'AutoRegister41')).toBeVisible();
  }
});

test('all that match can be ticked wherever not all are', async ({ portal, muster }) => {
  await withMany(portal, muster, 250);
  // As many others as match.
  await filters(portal).getByLabel('Model').selectOption(MODEL);
  await total(portal, '125 devices');
  await portal.getByRole('checkbox', { name: 'Select all devices on this page' }).check();
  await pageLink(portal, 'Next').click();
  await expect(grid(portal).getByRole('row')).toHaveCount(26);
  await portal.getByRole('checkbox', { name: 'Select all devices on this page' }).check();
  await expect(portal.getByText('125 selected')).toBeVisible();
  await filters(portal).getByLabel('Model').selectOption(PUMP);
  await portal.getByRole('button', { name: 'Select all 125 matching' }).click();
  await tick(portal, 1).uncheck();
  await expect(portal.getByText('124 selected')).toBeVisible();
  await portal.getByRole('button', { name: 'Select all 125 matching' }).click();
  await expect(tick(portal, 1)).toBeChecked();
  // On one page, it is offered where a row is not ticked.
  await portal.getByRole('button', { name: 'Clear' }).click();
  await searchBox(portal).fill('machine 24');
  await total(portal, '5 devices');
  await portal.getByRole('checkbox', { name: 'Select all devices on this page' }).check();
  await expect(portal.getByRole('button', { name: /^Select all .* matching$/ })).toBeHidden();
  await tick(portal, 241).uncheck();
  await expect(portal.getByRole('button', { name: 'Select all 5 matching' })).toBeVisible();
});

test('silent devices are found, in natural order', async ({ portal, muster }) => {
  await giveModel(portal, muster);
  await open(portal, '/devices');
  await register(portal, file('pumps.csv', ['Pump-10', 'Pump-2', 'Pump-1'].map((name) => `${name},${MODEL}\n`).join('')));
  const tokens = await saveTokens(portal);
  await portal.keyboard.press('Escape');
  await expect(grid(portal).getByRole('rowheader')).toHaveText(['Pump-1', 'Pump-2', 'Pump-10']);
  for (const name of ['Pump-2', 'Pump-10']) expect((await muster.sendState(tokens.get(name)!)).status).toBe(204);
  const silence = filters(portal).getByLabel('Silent for');
  await silence.selectOption('Silent for 24 h');
  await expect(portal).toHaveURL(/silent=24$/);
  await total(portal, '0 devices');
  // Another number begins with the one that was chosen.
  await silence.selectOption('Silent for other…');
  const hours = filters(portal).getByLabel('Hours without data');
  await expect(hours).toHaveValue('24');
  await hours.fill('36');
  await hours.press('Enter');
  await expect(portal).toHaveURL(/silent=36$/);
  // What is no number of hours changes nothing, and a number that is offered keeps the field that has the focus.
  for (const wrong of ['0', '-1', '99999999', '1.5', '']) {
    await hours.fill(wrong);
    await hours.press('Enter');
    await expect(portal).toHaveURL(/silent=36$/);
  }
  await hours.fill('24');
  await hours.press('Enter');
  await expect(portal).toHaveURL(/silent=24$/);
  await expect(hours).toBeFocused();
  await hours.fill('36');
  await hours.press('Enter');
  await expect(portal).toHaveURL(/silent=36$/);
  // Another page that is opened at this address shows the same.
  await open(portal, '/devices?silent=36');
  await expect(hours).toHaveValue('36');
  await expect(silence).toHaveValue('Silent for other…');
  await portal.getByRole('link', { name: 'Clear filters' }).click();
  await total(portal, '3 devices');
  await expect(silence).toHaveValue('');
  await expect(hours).toBeHidden();
});

test.describe('a fleet that is larger than the memory of the index', () => {
  test.use({ through: ['env', 'MUSTER_INDEX_MEMORY=0'] });

  test('is listed by name, and the page says why nothing else is', async ({ portal, muster, guard }) => {
    // A filter is refused: a list by name is all that the database gives.
    guard.expect(/422/);
    await withSeedDevices(portal, muster);
    await total(portal, '2 devices');
    await expect(row(portal, 'AutoRegister42')).toBeVisible();
    await expect(portal.getByText(/larger than the memory of this server's index.*raise MUSTER_INDEX_MEMORY/)).toBeVisible();
    await filters(portal).getByLabel('Status').selectOption('Active');
    await expect(portal.getByRole('alert').filter({ hasText: 'raise MUSTER_INDEX_MEMORY' })).toBeVisible();
    await expect(row(portal, 'AutoRegister42'), 'what was shown stays').toBeVisible();
    await portal.getByRole('link', { name: 'Models' }).click();
    await expect(portal.getByRole('row').filter({ hasText: MODEL })).toContainText('2');
  });
});

test('a filter that a link takes away is taken away', async ({ portal, muster }) => {
  await withSeedDevices(portal, muster);
  await filters(portal).getByLabel('Status').selectOption('Active');
  await searchBox(portal).fill('concorde');
  await expect(portal).toHaveURL(/q=concorde/);
  await portal.getByRole('link', { name: 'Clear filters' }).click();
  await total(portal, '2 devices');
  await expect(filters(portal).getByLabel('Status')).toHaveValue('');
  await expect(searchBox(portal)).toHaveValue('');
});

test('the search box leaves alone what is being typed, and follows Back', async ({ portal, muster }) => {
  await withSeedDevices(portal, muster);
  await searchBox(portal).pressSequentially('concorde ');
  await expect(portal).toHaveURL(/q=concorde$/);
  await expect(row(portal, 'AutoRegister41')).toBeVisible();
  await portal.waitForTimeout(500);
  await expect(searchBox(portal)).toHaveValue('concorde ');
  await searchBox(portal).pressSequentially('jet');
  await expect(portal).toHaveURL(/q=concorde%20jet$/);
  await expect(searchBox(portal)).toHaveValue('concorde jet');
  await portal.getByRole('link', { name: 'Devices', exact: true }).click();
  await expect(portal).toHaveURL(/\/devices$/);
  await expect(searchBox(portal)).toHaveValue('');
  await portal.goBack();
  await expect(searchBox(portal)).toHaveValue('concorde jet');
});

test('the links to other pages keep the focus, and what came is heard', async ({ portal, muster }) => {
  await withMany(portal, muster, 250);
  const heard = portal.getByRole('status').filter({ hasText: / to / });
  await expect(heard, 'nothing was asked for').toHaveCount(0);
  await pageLink(portal, 'Last').focus();
  await portal.keyboard.press('Enter');
  await expect(heard).toHaveText(`${deviceName(150)} to ${deviceName(249)}`);
  await expect(pageLink(portal, 'Last')).toHaveAttribute('aria-disabled', 'true');
  await expect(pageLink(portal, 'Last')).toHaveAttribute('tabindex', '-1');
  await expect(pageLink(portal, 'Last')).toBeFocused();
  await pageLink(portal, 'Previous').focus();
  await portal.keyboard.press('Enter');
  await expect(heard).toHaveText(`${deviceName(50)} to ${deviceName(149)}`);
  await portal.keyboard.press('Enter');
  await expect(heard).toHaveText(`${deviceName(0)} to ${deviceName(49)}`);
  await expect(pageLink(portal, 'Previous')).toBeFocused();
  await pageLink(portal, 'First').focus();
  await expect(pageLink(portal, 'Last')).not.toHaveAttribute('aria-disabled');

  // A refresh says nothing.
  await heard.evaluate((element) => {
    Object.assign(window, { changes_: 0 });
    const count = () => Object.assign(window, { changes_: (window as unknown as { changes_: number }).changes_ + 1 });
    new MutationObserver(count).observe(element, { childList: true, subtree: true, characterData: true });
  });
  await portal.waitForTimeout(4_500);
  expect(await portal.evaluate(() => (window as unknown as { changes_: number }).changes_)).toBe(0);
});

test('Home, End, Page Up and Page Down move in the grid, and its header stays', async ({ portal, muster }) => {
  await withMany(portal, muster, 150);
  const header = grid(portal).getByRole('link', { name: 'Friendly name' });
  await tick(portal, 0).focus();
  await portal.keyboard.press('End');
  await expect(tick(portal, 99)).toBeFocused();
  await expect(header).toBeInViewport({ ratio: 1 });
  await portal.keyboard.press('PageUp');
  await expect(tick(portal, 99)).not.toBeFocused();
  const focused = () => portal.evaluate(() => Number(/dev-(\d+)/.exec(document.activeElement?.getAttribute('aria-label') ?? '')?.[1]));
  expect(await focused()).toBeGreaterThan(70);
  expect(await focused()).toBeLessThan(95);
  await portal.keyboard.press('Home');
  await expect(tick(portal, 0)).toBeFocused();
  await portal.keyboard.press('PageDown');
  expect(await focused()).toBeGreaterThan(5);
  expect(await focused()).toBeLessThan(30);
  // What has the focus is not behind the header.
  await portal.keyboard.press('End');
  for (let up = 0; up < 40; up++) await portal.keyboard.press('ArrowUp');
  const [behind, top] = await portal.evaluate(() => [document.activeElement!.getBoundingClientRect().top, document.querySelector('thead')!.getBoundingClientRect().bottom]);
  expect(behind).toBeGreaterThanOrEqual(top);
});

test('the result of an action is announced', async ({ portal, muster }) => {
  await withSeedDevices(portal, muster);
  const said = (text: string) => expect(portal.getByRole('status').filter({ hasText: text })).toBeVisible();
  const box = (device: string) => portal.getByRole('checkbox', { name: `Select ${device}` });
  for (const device of ['AutoRegister41', 'AutoRegister42']) await box(device).check();
  const confirm = async (item: string, fill?: (dialog: ReturnType<Page['getByRole']>) => Promise<void>) => {
    await act(portal, item);
    const dialog = portal.getByRole('dialog');
    await fill?.(dialog);
    await dialog.getByRole('button', { name: item, exact: true }).click();
    await expect(dialog).toBeHidden();
  };
  await confirm('Disable');
  await said('Disabled 2 devices.');
  await confirm('Enable');
  await said('Enabled 2 devices.');
  await confirm('Change pricing tier', (dialog) => dialog.getByLabel('Large').check());
  await said('2 devices moved to Large.');
  await confirm('Add to group', (dialog) => dialog.getByLabel('Device group').fill('Berlin'));
  await said('Added 2 devices to Berlin.');
  await box('AutoRegister42').uncheck();
  await confirm('Remove from group', (dialog) => dialog.getByLabel('Device group').fill('Berlin'));
  await said('Removed 1 device from Berlin.');
  await confirm('Delete');
  await said('Deleted 1 device.');
  await expect(portal.getByText('Deleted 1 device.')).toBeHidden();

  await portal.getByRole('link', { name: 'Device groups' }).click();
  await call(portal.request, muster.url, 'change-devices', { targets: { Named: ['AutoRegister42'] }, change: { AddToGroup: 'Berlin' } });
  await open(portal, '/groups');
  await portal.getByRole('checkbox', { name: 'Select Berlin' }).check();
  await expect(portal.getByText('1 selected, 1 device')).toBeVisible();
  await confirm('Disable');
  await said('Disabled 1 device.');
});

test('the number of devices in the ticked groups is that of those groups', async ({ portal, muster, guard }) => {
  guard.expect(/503/);
  await withSeedDevices(portal, muster);
  for (const [device, group] of [['AutoRegister41', 'Berlin'], ['AutoRegister42', 'Rome']]) {
    await call(portal.request, muster.url, 'change-devices', { targets: { Named: [device] }, change: { AddToGroup: group } });
  }
  await open(portal, '/groups');
  await portal.getByRole('checkbox', { name: 'Select Berlin' }).check();
  await expect(portal.getByText('1 selected, 1 device')).toBeVisible();
  let fails = true;
  await portal.route('**/fn/count-devices', (route) => (fails ? route.fulfill({ status: 503, contentType: 'application/json', body: '"Unavailable"' }) : route.continue()));
  await portal.getByRole('checkbox', { name: 'Select Rome' }).check();
  await expect(portal.getByText('2 selected, counting…')).toBeVisible();
  await portal.getByRole('button', { name: 'Actions' }).click();
  const item = portal.getByRole('menuitem', { name: 'Delete', exact: true });
  await expect(item).toHaveAttribute('aria-disabled', 'true');
  await expect(item).toHaveAccessibleDescription('Counting the devices…');
  await expect(portal.getByText('Counting the devices…')).toBeVisible();
  fails = false;
  await expect(item).toHaveAttribute('aria-disabled', 'false');
  await portal.keyboard.press('Escape');
  await expect(portal.getByText('2 selected, 2 devices')).toBeVisible();

  // The answer to a question of before comes last, and is not taken.
  const held = await Held.from(portal, 'count-devices', 1);
  await portal.getByRole('checkbox', { name: 'Select Rome' }).uncheck();
  await expect.poll(() => held.calls).toBe(1);
  await portal.unroute('**/fn/count-devices');
  await portal.getByRole('checkbox', { name: 'Select Rome' }).check();
  await expect(portal.getByText('2 selected, 2 devices')).toBeVisible();
  await held.go();
  await portal.waitForTimeout(500);
  await expect(portal.getByText('2 selected, 2 devices')).toBeVisible();
});

test('a menu says why it does nothing', async ({ portal, muster }) => {
  await withSeedDevices(portal, muster);
  await portal.getByRole('button', { name: 'Actions' }).click();
  await expect(portal.getByText('Select one or more devices first.')).toBeVisible();
  await expect(portal.getByRole('menuitem', { name: 'Delete', exact: true })).toHaveAccessibleDescription('Select one or more devices first.');
  await expect(portal.getByRole('menuitem', { name: 'Register devices' })).not.toHaveAccessibleDescription(/./);
});

test('Undo says where its devices cannot be counted, and the list is fresh after it', async ({ portal, muster, guard }) => {
  guard.expect(/503/);
  await withSeedDevices(portal, muster);
  await portal.getByRole('link', { name: 'Registrations' }).click();
  let fails = true;
  await portal.route('**/fn/count-devices', (route) => (fails ? route.fulfill({ status: 503, contentType: 'application/json', body: '"Unavailable"' }) : route.continue()));
  await portal.getByRole('button', { name: 'Undo devices.csv' }).click();
  const dialog = portal.getByRole('dialog', { name: /^(Undo registration\?|Registration undone)$/ });
  await expect(dialog).toContainText('The devices could not be counted.');
  await expect(dialog.getByRole('button', { name: 'Undo', exact: true })).toHaveAttribute('aria-disabled', 'true');
  fails = false;
  await dialog.getByRole('button', { name: 'Try again' }).click();
  await expect(dialog).toContainText('2 devices from this registration still exist.');
  const lists = await Held.from(portal, 'registrations', 99);
  await dialog.getByRole('button', { name: 'Undo', exact: true }).click();
  await expect(dialog).toContainText('No devices of this registration are left.');
  await expect.poll(() => lists.calls).toBe(1);
});

test('errors.csv of the past comes whole, page by page', async ({ portal, muster }) => {
  test.slow();
  await open(portal, '/devices');
  const rows = Array.from({ length: 60_000 }, (_, at) => `d${at},No.Such.Model,${'Friendly name '.repeat(3)},,Small\n`).join('');
  await register(portal, file('fleet.csv', rows));
  await portal.keyboard.press('Escape');
  await portal.getByRole('link', { name: 'Registrations' }).click();
  const pages = await Held.from(portal, 'registration-errors', 99);
  const errors = await save(portal, portal.getByRole('button', { name: 'errors.csv' }));
  const lines = errors.text.split('\r\n');
  expect(lines.shift()).toMatch(/^\ufeffDevice name,.*,Line,Error$/);
  expect(lines.pop()).toBe('');
  expect(lines.map((line) => line.split(',')[0])).toEqual(Array.from({ length: 60_000 }, (_, at) => `d${at}`));
  expect(pages.calls).toBeGreaterThan(1);
});
