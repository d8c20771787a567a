// What axe finds wrong, in both colour schemes.
import { AxeBuilder } from '@axe-core/playwright';
import { expect, type Page } from '@playwright/test';

const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22a', 'wcag22aa', 'best-practice'];

/** Expects that axe finds nothing on the page as it is now: all rules in light, and those about colours in dark, too. */
export async function expectNoViolations(page: Page, place: string): Promise<void> {
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
  expect(await brightness(page), 'the ground of light').toBeGreaterThan(128);
  expect.soft(await violations(builder(page).withTags(TAGS)), `${place}, light`).toEqual([]);
  await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' });
  expect(await brightness(page), 'the ground of dark').toBeLessThan(128);
  expect.soft(await violations(builder(page).withRules(['color-contrast', 'link-in-text-block'])), `${place}, dark`).toEqual([]);
  await page.emulateMedia({ colorScheme: null, reducedMotion: null });
}

// Without a second page that puts together the results of frames: no page of Muster has any.
const builder = (page: Page) => new AxeBuilder({ page }).setLegacyMode();

async function violations(axe: AxeBuilder): Promise<string[]> {
  const found = (await axe.analyze()).violations;
  return found.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => `${node.target.join(' ')} ${(node.failureSummary ?? '').replace(/\s+/g, ' ')}`).join(' | ')}`);
}

/** How bright the ground of the page is, from 0 to 255. */
async function brightness(page: Page): Promise<number> {
  const ground = await page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const parts = ground.match(/\d+/g)!.slice(0, 3).map(Number);
  return parts.reduce((sum, part) => sum + part, 0) / 3;
}
