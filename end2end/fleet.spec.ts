// Many devices at once: choosing them, what is done to them, their groups, and undoing a registration.
import type { Locator, Page, Route } from '@playwright/test';
import { PUMP, deviceName, tickAll, withMany } from './support/many.ts';
import type { Muster } from './support/muster.ts';
import { MODEL, act, choose, file, giveModel, open, openRegister, register, row, saveTokens, status, withSeedDevices } from './support/portal.ts';
import { expect, test } from './support/test.ts';

const TIERS = ['Small', 'Large', '', 'Medium'];
const fleet = (devices: number) => Array.from({ length: devices }, (_, at) => `${deviceName(at)},${at % 2 ? PUMP : MODEL},Machine ${at},,${TIERS[at % 4]}\n`).join('');
const grid = (page: Page) => page.getByRole('grid', { name: 'All Devices' });
const filters = (page: Page) => page.getByRole('search');
const total = (page: Page, text: string) => expect(page.getByText(text, { exact: true })).toBeVisible();
const firstRow = (page: Page) => grid(page).getByRole('row').nth(1);

/** A fleet in All Devices, its tokens saved. */
const withFleet = (page: Page, muster: Muster, devices: number) => withMany(page, muster, devices, fleet(devices));

/** The parts of an upload on their way, which go no further than they are let, until they are let go. */
async function heldParts(page: Page) {
  let through = Infinity;
  const held: Route[] = [];
  const parts = {
    sent: 0,
    answered: 0,
    held,
    /** So many more come through. */
    letThrough: (more: number) => (through = parts.sent + more),
    /** Those that are held come through, and all that follow. */
    letGo: async () => {
      through = Infinity;
      for (const route of held.splice(0)) await route.continue();
    },
  };
  await page.route('**/fn/register-part', (route) => (++parts.sent > through ? void held.push(route) : route.continue()));
  page.on('response', (answer) => (parts.answered += Number(answer.url().endsWith('/fn/register-part'))));
  return parts;
}

/** Opens a dialog of Actions, and gives it. */
async function asked(page: Page, item: string, title: string): Promise<Locator> {
  await act(page, item);
  const dialog = page.getByRole('dialog', { name: title });
  await expect(dialog).toBeVisible();
  return dialog;
}

test('the address holds the view: sorts, filters and pages, for a colleague too', async ({ portal, muster }) => {
  const tokens = await withFleet(portal, muster, 250);
  await muster.sendState(tokens.get(deviceName(7))!);
  await grid(portal).getByRole('link', { name: 'Last seen' }).click();
  await expect(firstRow(portal)).toContainText(deviceName(7));
  await expect(grid(portal).getByRole('columnheader', { name: 'Last seen' })).toHaveAttribute('aria-sort', 'descending');
  await grid(portal).getByRole('link', { name: 'Last seen' }).click();
  await expect(firstRow(portal)).toContainText(deviceName(0));
  await grid(portal).getByRole('link', { name: 'Friendly name' }).click();
  await expect(firstRow(portal)).toContainText('Machine 0');
  await portal.getByRole('link', { name: 'Last', exact: true }).click();
  await expect(grid(portal).getByRole('row').last()).toContainText('Machine 249');
  await expect(grid(portal).getByRole('row')).toHaveCount(101);
  await portal.getByRole('link', { name: 'Previous' }).click();
  await portal.getByRole('link', { name: 'Previous' }).click();
  await expect(grid(portal).getByRole('row')).toHaveCount(51);
  await expect(portal.getByRole('link', { name: 'Previous' })).toHaveAttribute('aria-disabled', 'true');

  await filters(portal).getByLabel('Model').selectOption(PUMP);
  await total(portal, '125 devices');
  await filters(portal).getByLabel('Never seen').check();
  await total(portal, '124 devices');
  await filters(portal).getByLabel('Pricing tier').selectOption('Large');
  await total(portal, '63 devices');
  await filters(portal).getByLabel('Status').selectOption('Active');
  await expect(portal.getByText('No devices match your filters')).toBeVisible();
  await filters(portal).getByLabel('Status').selectOption('');
  await filters(portal).getByLabel('Search devices').fill('machine 1');
  await total(portal, '28 devices');
  const address = portal.url();
  const rows = await grid(portal).getByRole('row').allInnerTexts();
  await open(portal, address);
  await total(portal, '28 devices');
  expect(await grid(portal).getByRole('row').allInnerTexts()).toEqual(rows);
  await expect(filters(portal).getByLabel('Model')).toHaveValue(PUMP);
  await expect(filters(portal).getByLabel('Never seen')).toBeChecked();
  await expect(grid(portal).getByRole('columnheader', { name: 'Friendly name' })).toHaveAttribute('aria-sort', 'ascending');
});

test('all that match: chosen, kept over paging and sorting, changed, exported, deleted', async ({ portal, muster }) => {
  const tokens = await withFleet(portal, muster, 250);
  await filters(portal).getByLabel('Model').selectOption(PUMP);
  await total(portal, '125 devices');
  await tickAll(portal, '125');
  await expect(portal.getByText('125 selected')).toBeVisible();
  await portal.getByRole('checkbox', { name: `Select ${deviceName(3)}`, exact: true }).uncheck();
  await expect(portal.getByText('124 selected')).toBeVisible();
  await portal.getByRole('link', { name: 'Next' }).click();
  await expect(grid(portal).getByRole('row')).toHaveCount(26);
  await expect(portal.getByRole('checkbox', { name: `Select ${deviceName(249)}` })).toBeChecked();
  await grid(portal).getByRole('link', { name: 'Status' }).click();
  await expect(portal.getByRole('checkbox', { name: `Select ${deviceName(3)}`, exact: true })).not.toBeChecked();
  // It turns Active, and goes from the first page to the last by itself.
  await expect(row(portal, deviceName(1))).toContainText('Registered');
  await muster.sendState(tokens.get(deviceName(1))!);
  await expect(row(portal, deviceName(1))).toBeHidden();
  await portal.getByRole('link', { name: 'Last', exact: true }).click();
  await expect(row(portal, deviceName(1))).toContainText('Active');
  await expect(portal.getByRole('checkbox', { name: `Select ${deviceName(1)}`, exact: true })).toBeChecked();
  await expect(portal.getByText('124 selected')).toBeVisible();

  const tier = await asked(portal, 'Change pricing tier', 'Change the pricing tier of 124 devices');
  await tier.getByLabel('ExtraSmall').check();
  await tier.getByRole('button', { name: 'Change pricing tier' }).click();
  await expect(tier).toBeHidden();
  const joining = await asked(portal, 'Add to group', 'Add 124 devices to a group');
  await joining.getByLabel('Device group').fill('Pumps of Berlin');
  await portal.keyboard.press('Enter');
  await expect(joining).toBeHidden();
  const [exported] = await Promise.all([portal.waitForEvent('download'), act(portal, 'Export')]);
  expect(exported.suggestedFilename()).toBe('devices.csv');
  await portal.getByRole('dialog', { name: 'Export' }).getByRole('button', { name: 'Done' }).click();

  await open(portal, '/devices');
  await filters(portal).getByLabel('Device group').selectOption('Pumps of Berlin');
  await total(portal, '124 devices');
  await filters(portal).getByLabel('Pricing tier').selectOption('ExtraSmall');
  await total(portal, '124 devices');

  // What was exported can be registered as it is.
  await open(portal, '/devices');
  await register(portal, { name: 'devices.csv', mimeType: 'text/csv', buffer: await read(exported) });
  await expect(status(portal).getByRole('listitem').last()).toHaveText('Already registered 124');
  await portal.keyboard.press('Escape');

  await open(portal, '/devices?group=Pumps%20of%20Berlin');
  await portal.getByRole('checkbox', { name: 'Select all devices on this page' }).check();
  const leaving = await asked(portal, 'Remove from group', 'Remove 100 devices from a group');
  await leaving.getByLabel('Device group').fill('Pumps of Berlin');
  await leaving.getByRole('button', { name: 'Remove from group' }).click();
  await total(portal, '24 devices');

  // Those that match no more are not ticked any more.
  await open(portal, '/devices?tier=ExtraSmall');
  await tickAll(portal, '124');
  const larger = await asked(portal, 'Change pricing tier', 'Change the pricing tier of 124 devices');
  await larger.getByLabel('Large').check();
  await larger.getByRole('button', { name: 'Change pricing tier' }).click();
  await expect(larger).toBeHidden();
  await expect(portal.getByText('No devices match your filters')).toBeVisible();
  await expect(portal.getByText('124 selected')).toBeHidden();

  await open(portal, `/devices?model=${PUMP}`);
  await tickAll(portal, '125');
  const deleting = await asked(portal, 'Delete', 'Delete 125 devices?');
  const button = deleting.getByRole('button', { name: 'Delete' });
  await expect(button).toHaveAttribute('aria-disabled', 'true');
  await deleting.getByLabel('Type 125 to confirm').fill('12');
  await button.click({ force: true });
  await deleting.getByLabel('Type 125 to confirm').fill('125');
  await button.click();
  await expect(deleting).toBeHidden();
  await open(portal, '/devices');
  await total(portal, '125 devices');
  expect((await muster.sendState(tokens.get(deviceName(1))!)).status).toBe(401);
  expect((await muster.sendState(tokens.get(deviceName(2))!)).status).toBe(204);
});

test('a range is ticked with Shift: downwards, upwards, and by keyboard', async ({ portal, muster }) => {
  await withFleet(portal, muster, 250);
  const tick = (at: number) => portal.getByRole('checkbox', { name: `Select ${deviceName(at)}`, exact: true });
  const expectTicked = async (from: number, to: number) => {
    for (let at = from; at <= to; at++) await expect(tick(at)).toBeChecked();
    for (const at of [from - 1, to + 1]) await expect(tick(at)).not.toBeChecked();
  };
  const selected = (devices: number) => expect(portal.getByText(`${devices} selected`, { exact: true })).toBeVisible();
  await tick(10).click();
  await tick(14).click({ modifiers: ['Shift'] });
  await expectTicked(10, 14);
  await selected(5);
  await tick(30).click();
  await tick(26).click({ modifiers: ['Shift'] });
  await expectTicked(26, 30);
  await selected(10);
  // A range is unticked the same way.
  await tick(11).click();
  await tick(13).click({ modifiers: ['Shift'] });
  for (const at of [11, 12, 13]) await expect(tick(at)).not.toBeChecked();
  for (const at of [10, 14]) await expect(tick(at)).toBeChecked();
  await selected(7);
  await tick(40).focus();
  await portal.keyboard.press('Space');
  for (const at of [41, 42]) {
    await portal.keyboard.press('ArrowDown');
    await expect(tick(at)).toBeFocused();
  }
  await portal.keyboard.press('Shift+Space');
  await expectTicked(40, 42);
  await selected(10);
});

test('what is ticked one by one stays so over pages, sorting and a search', async ({ portal, muster }) => {
  await withFleet(portal, muster, 250);
  const tick = (at: number) => portal.getByRole('checkbox', { name: `Select ${deviceName(at)}`, exact: true });
  const selected = (hidden: number) => expect(portal.getByText(hidden ? `3 selected, ${hidden} not shown here` : '3 selected', { exact: true })).toBeVisible();
  await tick(0).check();
  await tick(7).check();
  await portal.getByRole('link', { name: 'Next' }).click();
  await tick(150).check();
  await selected(2);
  await grid(portal).getByRole('link', { name: 'Device name' }).click();
  await expect(firstRow(portal)).toContainText(deviceName(249));
  await expect(tick(150)).toBeChecked();
  await expect(tick(151)).not.toBeChecked();
  await selected(2);
  await filters(portal).getByLabel('Search devices').fill('machine 7');
  await total(portal, '11 devices');
  await expect(tick(7)).toBeChecked();
  await expect(tick(70)).not.toBeChecked();
  await selected(2);
  await filters(portal).getByLabel('Search devices').fill('');
  await total(portal, '250 devices');
  await portal.getByRole('link', { name: 'Last', exact: true }).click();
  for (const at of [0, 7]) await expect(tick(at)).toBeChecked();
  await expect(tick(1)).not.toBeChecked();
  await selected(1);

  const tier = await asked(portal, 'Change pricing tier', 'Change the pricing tier of 3 devices');
  await tier.getByLabel('ExtraSmall').check();
  await tier.getByRole('button', { name: 'Change pricing tier' }).click();
  await expect(tier).toBeHidden();
  await open(portal, '/devices?tier=ExtraSmall');
  await total(portal, '3 devices');
  for (const at of [0, 7, 150]) await expect(row(portal, deviceName(at))).toBeVisible();
});

const read = async (download: { path(): Promise<string> }) => (await import('node:fs')).readFileSync(await download.path());

test('tokens for all that match: stopped, taken up again, and a call that fails is sent again', async ({ portal, muster, guard }) => {
  test.slow();
  guard.expect(/503/);
  const old = await withFleet(portal, muster, 25_000);
  await tickAll(portal, '25,000');
  let calls = 0;
  const sent: string[] = [];
  let go = () => {};
  const held = new Promise<void>((done) => (go = done));
  await portal.route('**/fn/generate-tokens', async (route) => {
    calls += 1;
    sent.push(String(route.request().postDataBuffer()));
    if (calls === 2) await held;
    if (calls === 3) return route.fulfill({ status: 503, headers: { 'retry-after': '1' }, contentType: 'application/json', body: '"Unavailable"' });
    return route.continue();
  });
  const dialog = await asked(portal, 'Generate token', 'Generate token');
  await dialog.getByLabel('Revoke immediately').check();
  await dialog.getByRole('button', { name: 'Generate', exact: true }).click();
  await expect(dialog).toContainText('10,000 of 25,000 devices');
  await dialog.getByRole('button', { name: 'Stop' }).click();
  await expect(dialog).toContainText('Stopping…');
  go();
  await expect(dialog).toContainText('Stopped after 20,000 devices.');
  await dialog.getByRole('button', { name: 'Continue' }).click();
  await expect(dialog).toContainText('25,000 tokens generated');
  const saved = await saveTokens(portal);
  expect(saved.size).toBe(25_000);
  expect(sent[0]).toContain('"Matching"');
  expect(Math.max(...sent.map((body) => body.length)), 'the filter is sent, and no list of names').toBeLessThan(500);
  for (let at = 0; at < 25_000; at += 500) {
    expect((await muster.sendState(saved.get(deviceName(at))!)).status).toBe(204);
    expect((await muster.sendState(old.get(deviceName(at))!)).status).toBe(401);
  }
  await dialog.getByRole('button', { name: 'Done' }).click();
  await expect(dialog).toBeHidden();
});

test('device groups: created, renamed, deleted, and tokens for the ticked ones', async ({ portal, muster, guard }) => {
  guard.expect(/422/);
  await withSeedDevices(portal, muster);
  for (const [device, group] of [['AutoRegister41', 'Berlin'], ['AutoRegister42', 'Rome'], ['AutoRegister41', 'Rome']]) {
    await open(portal, '/devices');
    await portal.getByRole('checkbox', { name: `Select ${device}` }).check();
    const joining = await asked(portal, 'Add to group', 'Add 1 device to a group');
    await joining.getByLabel('Device group').fill(group);
    await joining.getByRole('button', { name: 'Add to group' }).click();
    await expect(joining).toBeHidden();
  }
  await portal.getByRole('link', { name: 'Device groups' }).click();
  const groups = portal.getByRole('grid', { name: 'Device groups' });
  await expect(groups.getByRole('row').nth(1)).toContainText('Berlin1 device');
  await portal.getByRole('button', { name: 'New group' }).click();
  await portal.getByRole('dialog', { name: 'New device group' }).getByLabel('Name').fill('Rome');
  await portal.keyboard.press('Enter');
  await expect(portal.getByText('A group with this name already exists.')).toBeVisible();
  await portal.getByRole('dialog', { name: 'New device group' }).getByLabel('Name').fill('Oslo');
  await portal.getByRole('button', { name: 'Create' }).click();
  await expect(groups.getByRole('row').nth(2)).toContainText('Oslo0 devices');
  await groups.getByRole('button', { name: 'Rename Berlin' }).click();
  await portal.getByRole('dialog', { name: 'Rename Berlin' }).getByLabel('Name').fill('Zürich');
  await portal.getByRole('button', { name: 'Rename', exact: true }).last().click();
  await expect(groups.getByRole('row').last()).toContainText('Zürich1 device');

  for (const group of ['Rome', 'Zürich']) await portal.getByRole('checkbox', { name: `Select ${group}` }).check();
  await expect(portal.getByText('2 selected, 2 devices')).toBeVisible();
  const dialog = await asked(portal, 'Generate token', 'Generate token');
  await expect(dialog).toContainText('A new token for 2 devices.');
  await dialog.getByRole('button', { name: 'Generate', exact: true }).click();
  const saved = await saveTokens(portal);
  expect([...saved.keys()], 'a device in two groups gets one token').toEqual(['AutoRegister41', 'AutoRegister42']);
  for (const token of saved.values()) expect((await muster.sendState(token)).status).toBe(204);
  await portal.keyboard.press('Escape');

  await groups.getByRole('button', { name: 'Delete the group Rome' }).click();
  await portal.getByRole('dialog', { name: 'Delete the group Rome?' }).getByRole('button', { name: 'Delete group' }).click();
  await expect(groups.getByRole('row')).toHaveCount(3);
  await open(portal, '/devices');
  await total(portal, '2 devices');
});

test('undo removes the devices that have never connected, and lists the others', async ({ portal, muster }) => {
  const tokens = await withSeedDevices(portal, muster);
  await muster.sendState(tokens.get('AutoRegister42')!);
  await portal.getByRole('link', { name: 'Registrations' }).click();
  await portal.getByRole('button', { name: 'Undo devices.csv' }).click();
  const dialog = portal.getByRole('dialog', { name: /^(Undo registration\?|Registration undone)$/ });
  await expect(dialog).toContainText('2 devices from this registration still exist.');
  await dialog.getByRole('button', { name: 'Undo', exact: true }).click();
  await expect(dialog).toContainText('1 device has connected and was kept');
  await expect(dialog.getByRole('listitem')).toHaveText(['AutoRegister42']);
  await dialog.getByRole('link', { name: 'show in Devices' }).click();
  await total(portal, '1 device');
  await expect(row(portal, 'AutoRegister42')).toContainText('Active');
  expect((await muster.sendState(tokens.get('AutoRegister41')!)).status).toBe(401);
});

test('what is left of one registration is not shown for another', async ({ portal, muster }) => {
  const tokens = await withSeedDevices(portal, muster);
  await muster.sendState(tokens.get('AutoRegister42')!);
  await register(portal, file('more.csv', `Pump-1,${MODEL}\n`));
  await saveTokens(portal);
  await portal.keyboard.press('Escape');
  await portal.getByRole('link', { name: 'Registrations' }).click();
  // The devices that are left of the first registration are listed late, when its dialog has made way for the other's.
  const held: Route[] = [];
  await portal.route('**/fn/devices', (route) => void held.push(route));
  await portal.getByRole('button', { name: 'Undo devices.csv' }).click();
  const first = portal.getByRole('dialog', { name: /^(Undo registration\?|Registration undone)$/ });
  await first.getByRole('button', { name: 'Undo', exact: true }).click();
  await expect.poll(() => held.length).toBe(1);
  await expect(first.getByRole('button', { name: 'Done' })).toBeEnabled();
  await portal.keyboard.press('Escape');
  await portal.getByRole('button', { name: 'Undo more.csv' }).click();
  const second = portal.getByRole('dialog', { name: 'Undo registration?' });
  await expect(second).toContainText('1 device from this registration still exists');
  const answered = portal.waitForResponse('**/fn/devices');
  await held[0].continue();
  await (await answered).finished();
  // What follows the answer in the page has happened when the page has done something else.
  await portal.evaluate(() => new Promise((done) => setTimeout(done)));
  await expect(second).toContainText('1 device from this registration still exists');
  await expect(second).not.toContainText('stays');
});

test('an upload is paused, resumed and cancelled; the same file completes it', async ({ portal, muster, guard }) => {
  test.slow();
  guard.expect(/Failed to load resource/);
  await giveModel(portal, muster);
  await giveModel(portal, muster, PUMP);
  await open(portal, '/devices');
  const dialog = await openRegister(portal);
  await choose(portal, file('fleet.csv', fleet(200_000)));
  const parts = await heldParts(portal);
  parts.letThrough(1);
  await dialog.getByRole('button', { name: 'Upload', exact: true }).click();
  await expect.poll(() => parts.held.length).toBeGreaterThan(0);
  await status(portal).getByRole('button', { name: 'Pause' }).click();
  await expect(status(portal)).toContainText('Paused at');
  await parts.letGo();
  await expect.poll(() => parts.answered).toBe(parts.sent);
  await portal.waitForTimeout(1_000);
  const paused = parts.sent;
  await portal.waitForTimeout(1_000);
  expect(parts.sent, 'no part is sent meanwhile').toBe(paused);
  parts.letThrough(1);
  await status(portal).getByRole('button', { name: 'Resume' }).click();
  await expect.poll(() => parts.held.length).toBeGreaterThan(0);
  await status(portal).getByRole('button', { name: 'Cancel' }).click();
  await expect(status(portal)).toContainText('Stopped. Upload the same file to continue');
  await parts.letGo();
  await expect(status(portal).getByRole('button', { name: 'Done' })).toBeVisible();
  const first = await saveTokens(portal);
  expect(first.size).toBeLessThan(200_000);
  await status(portal).getByRole('button', { name: 'Done' }).click();
  await total(portal, `${first.size.toLocaleString('en')} devices`);
  await portal.unroute('**/fn/register-part');
  await register(portal, file('fleet.csv', fleet(200_000)));
  const second = await saveTokens(portal);
  expect(new Set([...first.keys(), ...second.keys()]).size).toBe(200_000);
  expect(first.size + second.size).toBe(200_000);
});
