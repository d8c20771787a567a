// Dropping files and folders from the desktop, as the browser itself sees it.
import type { Locator, Page } from '@playwright/test';

/** Drops what lies at these paths in the middle of an element. */
export async function drop(page: Page, onto: Locator, paths: string[]): Promise<void> {
  const box = await onto.boundingBox();
  if (!box) throw new Error('nothing to drop onto');
  const session = await page.context().newCDPSession(page);
  const at = { x: box.x + box.width / 2, y: Math.min(box.y + box.height / 2, 700) };
  const data = { items: [], files: paths, dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
    await session.send('Input.dispatchDragEvent', { type, ...at, data });
  }
  await session.detach();
}
