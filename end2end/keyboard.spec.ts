// The same journey without a pointer.
import type { Locator, Page, Route } from '@playwright/test';
import { ADMIN } from './support/muster.ts';
import { MODEL, SEED_FILE, choose, expectCounts, file, giveModel, hydrated, modelDefinition, open, openRegister, row, status, withSeedDevices } from './support/portal.ts';
import { expect, test } from './support/test.ts';

/** That the focused element shows it: by the browser's judgement, and by an outline that can be seen. */
async function expectVisibleFocus(page: Page): Promise<void> {
  const seen = await page.evaluate(() => {
    const focused = document.activeElement!;
    const style = getComputedStyle(focused);
    const box = focused.getBoundingClientRect();
    const outline = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1;
    return { what: focused.outerHTML.slice(0, 120), visible: focused.matches(':focus-visible') && (outline || style.boxShadow !== 'none') && box.width > 1 && box.height > 1 };
  });
  expect(seen, 'the focus is visible').toMatchObject({ visible: true });
}

/** Presses Tab until this has the focus; every stop on the way shows the focus. */
async function tabTo(page: Page, target: Locator, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
  await target.waitFor();
  for (let stops = 0; stops < 40; stops++) {
    if (await target.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press(key);
    // Behind the last stop is the browser's own bar.
    if (await page.evaluate(() => document.activeElement !== document.body)) await expectVisibleFocus(page);
  }
  throw new Error(`${target} was not reached by ${key}`);
}

async function act(page: Page, item: string): Promise<void> {
  await tabTo(page, page.getByRole('button', { name: 'Actions' }));
  await page.keyboard.press('Enter');
  const target = page.getByRole('menuitem', { name: item, exact: true });
  await expect(page.getByRole('menuitem').first()).toBeFocused();
  for (let steps = 0; steps < 10 && !(await target.evaluate((element) => element === document.activeElement)); steps++) await page.keyboard.press('ArrowDown');
  await expect(target).toBeFocused();
  await expectVisibleFocus(page);
  await page.keyboard.press('Enter');
}

test('the main journey by keyboard only', async ({ page, muster }) => {
  await open(page, '/devices');
  await tabTo(page, page.getByLabel('Email'));
  await page.keyboard.type(ADMIN.email);
  await page.keyboard.press('Tab');
  await expect(page.getByLabel('Password')).toBeFocused();
  await page.keyboard.type(ADMIN.password);
  await page.keyboard.press('Enter');
  await page.waitForURL('**/devices');
  await hydrated(page);

  // The first stop skips the navigation.
  await page.keyboard.press('Tab');
  await expect(page.getByRole('link', { name: 'Skip to the content' })).toBeFocused();
  await expectVisibleFocus(page);

  await tabTo(page, page.getByRole('link', { name: 'Models', exact: true }));
  await page.keyboard.press('Enter');
  await tabTo(page, page.getByRole('button', { name: 'Upload model' }));
  const [models] = await Promise.all([page.waitForEvent('filechooser'), page.keyboard.press('Enter')]);
  await models.setFiles({ name: 'aircraft.json', mimeType: 'application/json', buffer: modelDefinition() });
  await expect(page.getByRole('row', { name: MODEL })).toBeVisible();

  await tabTo(page, page.getByRole('link', { name: 'Devices', exact: true }), 'Shift+Tab');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/devices$/);

  // Escape closes, and the focus is where it came from.
  await act(page, 'Register devices');
  const dialog = page.getByRole('dialog', { name: 'Register devices' });
  await expect(dialog).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
  await expect(page.getByRole('button', { name: 'Actions' })).toBeFocused();

  await act(page, 'Register devices');
  await tabTo(page, dialog.getByRole('button', { name: 'Browse' }));
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.keyboard.press('Enter')]);
  await chooser.setFiles(file('devices.csv', SEED_FILE));
  await expect(dialog).toContainText('2 devices, no problems');
  await tabTo(page, dialog.getByRole('button', { name: 'Upload', exact: true }));
  await page.keyboard.press('Enter');
  await expectCounts(page, '2', '0', '0');

  // Escape asks first, since the tokens are not saved.
  await page.keyboard.press('Escape');
  await expect(status(page).getByText('Close anyway?')).toBeVisible();
  await tabTo(page, status(page).getByRole('button', { name: 'Go back' }));
  await page.keyboard.press('Enter');
  await expect(status(page).getByText('Close anyway?')).toBeHidden();
  await expect(status(page).getByRole('heading', { name: 'Registration status' })).toBeFocused();
  const saveButton = status(page).getByRole('button', { name: 'Save', exact: true });
  await tabTo(page, saveButton);
  const [download] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('Enter')]);
  expect(download.suggestedFilename()).toBe('tokens.csv');
  await page.keyboard.press('Escape');
  await expect(status(page)).toBeHidden();
  await expect(page.getByRole('button', { name: 'Actions' })).toBeFocused();

  // Tick both: arrows move in the grid, the space bar ticks.
  await tabTo(page, page.getByRole('checkbox', { name: 'Select AutoRegister41' }));
  await page.keyboard.press('Space');
  await page.keyboard.press('ArrowDown');
  await expect(page.getByRole('checkbox', { name: 'Select AutoRegister42' })).toBeFocused();
  await expectVisibleFocus(page);
  await page.keyboard.press('Space');
  await expect(row(page, 'AutoRegister42')).toHaveAttribute('aria-selected', 'true');
  await tabTo(page, page.getByRole('button', { name: 'Actions' }), 'Shift+Tab');
  await act(page, 'Generate token');
  const making = page.getByRole('dialog', { name: 'Generate token' });
  await tabTo(page, making.getByRole('button', { name: 'Generate', exact: true }));
  await page.keyboard.press('Enter');
  await expect(making).toContainText('2 tokens generated');
  await tabTo(page, making.getByRole('button', { name: 'Save', exact: true }));
  const [second] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('Enter')]);
  expect(second.suggestedFilename()).toBe('tokens.csv');
  await page.keyboard.press('Escape');
  await expect(making).toBeHidden();
  await expect(page.getByRole('button', { name: 'Actions' })).toBeFocused();

  await tabTo(page, page.getByRole('button', { name: 'Sign out' }), 'Shift+Tab');
  await page.keyboard.press('Enter');
  await page.waitForURL('**/sign-in');
});

test('the menu is one: arrows, Home, End, Escape, Tab', async ({ portal, muster }) => {
  await withSeedDevices(portal, muster);
  const button = portal.getByRole('button', { name: 'Actions' });
  const items = portal.getByRole('menuitem');
  await button.focus();
  await portal.keyboard.press('ArrowDown');
  await expect(button).toHaveAttribute('aria-expanded', 'true');
  await expect(items.first()).toBeFocused();
  await portal.keyboard.press('End');
  await expect(items.last()).toBeFocused();
  await portal.keyboard.press('ArrowDown');
  await expect(items.first()).toBeFocused();
  await portal.keyboard.press('ArrowUp');
  await expect(items.last()).toBeFocused();
  await portal.keyboard.press('Home');
  await expect(items.first()).toBeFocused();
  await portal.keyboard.press('Escape');
  await expect(portal.getByRole('menu')).toBeHidden();
  await expect(button).toBeFocused();
  await portal.keyboard.press('Enter');
  await portal.keyboard.press('Tab');
  await expect(portal.getByRole('menu')).toBeHidden();
});

for (const button of ['Cancel', 'Pause']) {
  test(`the focus is on the title when ${button}, which had it, is gone`, async ({ portal, muster }) => {
    await giveModel(portal, muster);
    const parts: Route[] = [];
    await portal.route('**/fn/register-part', (route) => void parts.push(route));
    await open(portal, '/devices');
    const dialog = await openRegister(portal);
    await choose(portal, file('devices.csv', SEED_FILE));
    await dialog.getByRole('button', { name: 'Upload', exact: true }).click();
    await expect.poll(() => parts.length).toBe(1);
    const title = status(portal).getByRole('heading', { name: 'Registration status' });
    const pressed = status(portal).getByRole('button', { name: button, exact: true });
    await pressed.focus();
    await portal.keyboard.press('Enter');
    // Cancel is gone when it is pressed, and Pause, which is Resume then, when the upload has ended.
    if (button === 'Cancel') await expect(title).toBeFocused();
    else await expect(status(portal).getByRole('button', { name: 'Resume' })).toBeFocused();
    await parts[0].continue();
    await expect(status(portal).getByRole('button', { name: 'Done' })).toBeVisible();
    await expect(title).toBeFocused();
  });
}

test('a dialog keeps the focus in it', async ({ portal, muster }) => {
  await withSeedDevices(portal, muster);
  await act(portal, 'Register devices');
  const dialog = portal.getByRole('dialog', { name: 'Register devices' });
  await expect(dialog).toBeVisible();
  for (let stop = 0; stop < 12; stop++) {
    await portal.keyboard.press('Tab');
    const isInside = await portal.evaluate(() => document.activeElement === document.body || !!document.activeElement?.closest('dialog'));
    expect(isInside).toBe(true);
  }
});
