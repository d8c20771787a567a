// What axe finds wrong, in both colour schemes.
import { AxeBuilder } from '@axe-core/playwright';
import { expect, type Page } from '@playwright/test';

const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22a', 'wcag22aa', 'best-practice'];

/** Expects that axe finds nothing on the page in its current state, in light and in dark. */
export async function expectNoViolations(page: Page, place: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    // Without motion, since axe would measure colours in the middle of a transition.
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    expect((await brightness(page)) > 128, `${colorScheme} has a light background`).toBe(colorScheme === 'light');
    expect.soft(await violations(page), `${place}, ${colorScheme}`).toEqual([]);
  }
  await page.emulateMedia({ colorScheme: null, reducedMotion: null });
}

async function violations(page: Page): Promise<string[]> {
  // Legacy mode merges the results of frames without opening a second page for it. Muster has no frames.
  const { violations } = await new AxeBuilder({ page }).withTags(TAGS).setLegacyMode().analyze();
  return violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => `${node.target.join(' ')} ${(node.failureSummary ?? '').replace(/\s+/g, ' ')}`).join(' | ')}`);
}

/** The brightness of the page's background, from 0 to 255. */
async function brightness(page: Page): Promise<number> {
  const background = await page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const parts = background.match(/\d+/g)!.slice(0, 3).map(Number);
  return parts.reduce((sum, part) => sum + part, 0) / 3;
}
