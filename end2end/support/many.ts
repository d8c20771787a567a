// A fleet of some thousand devices in All Devices, and holding back what is asked about it.
import { expect, type Page, type Route } from '@playwright/test';
import type { Muster } from './muster.ts';
import { MODEL, file, giveModel, open, register, saveTokens } from './portal.ts';

export const PUMP = 'Contoso.Pump';
export const deviceName = (at: number) => `dev-${String(at).padStart(5, '0')}`;
/** So many rows of a file, every second one a pump. */
export const rows = (devices: number) => Array.from({ length: devices }, (_, at) => `${deviceName(at)},${at % 2 ? PUMP : MODEL},Machine ${at},,Small\n`).join('');

/** Registers them, or others, and closes the dialog: gives the tokens. */
export async function withMany(page: Page, muster: Muster, devices: number, text = rows(devices)): Promise<Map<string, string>> {
  await giveModel(page, muster);
  await giveModel(page, muster, PUMP);
  await open(page, '/devices');
  await register(page, file('fleet.csv', text));
  const tokens = await saveTokens(page);
  await page.keyboard.press('Escape');
  await expect(page.getByText(`${devices.toLocaleString('en')} devices`, { exact: true })).toBeVisible();
  return tokens;
}

/** Ticks all devices that match. */
export async function tickAll(page: Page, matching: string): Promise<void> {
  await page.getByRole('checkbox', { name: 'Select all devices on this page' }).check();
  await page.getByRole('button', { name: `Select all ${matching} matching` }).click();
}

/** Calls of a server function that are held back from one of them on, until they are let go. */
export class Held {
  calls = 0;
  private routes: Route[] | undefined = [];

  static async from(page: Page, endpoint: string, first: number): Promise<Held> {
    const held = new Held();
    await page.route(`**/fn/${endpoint}`, (route) => {
      held.calls += 1;
      if (held.calls >= first && held.routes) return void held.routes.push(route);
      return route.continue();
    });
    return held;
  }

  async go(): Promise<void> {
    const routes = this.routes ?? [];
    this.routes = undefined;
    for (const route of routes) await route.continue().catch(() => {});
  }
}
