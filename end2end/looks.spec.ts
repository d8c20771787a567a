// How it looks to those who see it, and to those who do not: every page and dialog, light and dark, narrow and wide.
import { expectNoViolations } from './support/axe.ts';
import { walk } from './support/walk.ts';
import { expect, test } from './support/test.ts';
import { open, withSeedDevices } from './support/portal.ts';

const WIDTHS = [360, 768, 1280, 2560];

test('axe finds nothing on any page or dialog, light or dark', async ({ page, muster, guard }) => {
  guard.expect(/404/);
  await walk(page, muster, (place) => expectNoViolations(page, place));
});

test('no page or dialog is wider than the window', async ({ page, muster, guard }) => {
  guard.expect(/404/);
  await walk(page, muster, async (place) => {
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 800 });
      const over = await page.evaluate(() => {
        scrollTo(10_000, 0);
        const dialog = document.querySelector('dialog[open]');
        const box = dialog?.getBoundingClientRect();
        return {
          page: scrollX,
          dialog: dialog ? dialog.scrollWidth - dialog.clientWidth : 0,
          outside: !!box && (box.left < 0 || box.right > innerWidth + 1 || box.top < 0 || box.bottom > innerHeight + 1),
        };
      });
      expect.soft(over, `${place} at ${width}`).toEqual({ page: 0, dialog: 0, outside: false });
    }
    await page.setViewportSize({ width: 1280, height: 800 });
  });
});

test('at 360 px every button of a dialog can be reached', async ({ portal, muster }) => {
  await withSeedDevices(portal, muster);
  await portal.setViewportSize({ width: 360, height: 640 });
  await open(portal, '/devices');
  await portal.getByRole('button', { name: 'Actions' }).click();
  await expect(portal.getByRole('menuitem', { name: 'Delete' })).toBeInViewport({ ratio: 1 });
  await portal.getByRole('menuitem', { name: 'Register devices' }).click();
  for (const name of ['Browse', 'Upload', 'Close']) {
    const button = portal.getByRole('dialog').getByRole('button', { name, exact: true });
    await button.scrollIntoViewIfNeeded();
    await expect(button).toBeInViewport({ ratio: 1 });
  }
});

test('nothing moves while a page is loaded or refreshed', async ({ portal, muster }) => {
  await withSeedDevices(portal, muster);
  for (const path of ['/devices', '/models', '/groups', '/registrations', '/settings', '/devices/AutoRegister41']) {
    await portal.addInitScript(() => {
      const state = { shift: 0 };
      Object.assign(window, { shifts_: state });
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries() as (PerformanceEntry & { value: number })[]) state.shift += entry.value;
      }).observe({ type: 'layout-shift', buffered: true });
    });
    await open(portal, path);
    await portal.waitForTimeout(2_500);
    const shift = await portal.evaluate(() => (window as unknown as { shifts_: { shift: number } }).shifts_.shift);
    expect.soft(shift, path).toBeLessThan(0.05);
  }
});
