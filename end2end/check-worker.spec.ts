// The worker that checks a file, in browsers that make it hard.
import type { Page } from '@playwright/test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { millionRows } from './support/bad-files.ts';
import { SEED_FILE, choose, file, open, openRegister } from './support/portal.ts';
import { expect, test } from './support/test.ts';

test.use({
  launchOptions: async ({ launchOptions }, use) => use({ ...launchOptions, args: [...(launchOptions.args ?? []), '--js-flags=--expose-gc'] }),
});

let folder = '';
test.beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'muster-worker-'));
});
test.afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Checks a file, with a script that runs in the worker before its own. */
async function check(portal: Page, script: string): Promise<void> {
  let isChanged = false;
  await portal.route('**/check-worker.js', async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, body: `${script}\n${await answer.text()}` });
    isChanged = true;
  });
  const path = join(folder, 'fleet.csv');
  millionRows(path, 300_000);
  await open(portal, '/devices');
  const dialog = await openRegister(portal);
  await choose(portal, path);
  await expect(dialog).toContainText('300,000 devices, no problems', { timeout: 30_000 });
  expect(isChanged).toBe(true);
}

test('a browser that reads no byte streams', async ({ portal }) => {
  await check(portal, 'ReadableStream.prototype.getReader = () => { throw new TypeError("no such mode"); };');
});

test('a browser that clears its memory all the while', async ({ portal }) => {
  await check(portal, 'setInterval(gc, 0);');
});

test('a script that did not come while the dialog opened is asked for again with the file', async ({ portal, guard }) => {
  guard.expect(/Failed to load resource/);
  let asked = 0;
  await portal.route('**/check-worker.js', (route) => (asked++ ? route.continue() : route.abort()));
  await open(portal, '/devices');
  const failed = portal.waitForEvent('requestfailed');
  const dialog = await openRegister(portal);
  await failed;
  await choose(portal, file('fleet.csv', SEED_FILE));
  await expect(dialog).toContainText('no problems');
  expect(asked).toBeGreaterThan(1);
});
