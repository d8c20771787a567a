// The worker that checks a file, in browsers that make it hard, and where it cannot start.
import type { Page, Route } from '@playwright/test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { millionRows } from './support/bad-files.ts';
import type { Muster } from './support/muster.ts';
import { SEED_FILE, choose, file, giveModel, open, openRegister } from './support/portal.ts';
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
async function check(portal: Page, muster: Muster, script: string, rows: number): Promise<void> {
  await giveModel(portal, muster);
  let isChanged = false;
  await portal.route('**/check-worker.js', async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, body: `${script}\n${await answer.text()}` });
    isChanged = true;
  });
  const path = join(folder, 'fleet.csv');
  millionRows(path, rows);
  await open(portal, '/devices');
  const dialog = await openRegister(portal);
  await choose(portal, path);
  await expect(dialog).toContainText(`${rows.toLocaleString('en')} devices, no problems`);
  expect(isChanged).toBe(true);
}

test('a browser that reads no byte streams', async ({ portal, muster }) => {
  await check(portal, muster, 'ReadableStream.prototype.getReader = () => { throw new TypeError("no such mode"); };', 300_000);
});

test('a browser that clears its memory all the while', async ({ portal, muster }) => {
  await check(portal, muster, 'setInterval(gc, 0);', 60_000);
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
  await expect(dialog).toContainText('fleet.csv: 0 new · 2 will fail: unknown model');
  expect(asked).toBeGreaterThan(1);
});

const SCRIPT = '**/check-worker.js';

/** One thing that keeps a check from its end, what a person reads about it, and whether the same file may be tried again. */
type Cause = { what: string; answer: (route: Route) => Promise<void>; on?: string; says: RegExp; canRetry?: boolean };

/** The worker's own script, with a line before it. */
const after = (line: string) => async (route: Route) => {
  const response = await route.fetch();
  return route.fulfill({ response, body: `${line}\n${await response.text()}` });
};
const withHeaders = (headers: Record<string, string>, line = '') => async (route: Route) => {
  const response = await route.fetch();
  return route.fulfill({ response, headers: { ...response.headers(), ...headers }, body: `${line}\n${await response.text()}` });
};
const NO_SLICES = 'ReadableStream.prototype.getReader = () => { throw new TypeError("no such mode"); }; Blob.prototype.slice = () => { throw';

const CAUSES: Cause[] = [
  { what: 'an extension that stops its script', answer: (route) => route.abort('blockedbyclient'), says: /blocked by a security policy or by an extension/ },
  { what: 'a network that is gone', answer: (route) => route.abort('internetdisconnected'), on: '**/{assets,healthz}**', says: /Can't reach Muster. Check the connection, then try again/ },
  { what: 'a script that is gone', answer: (route) => route.fulfill({ status: 404 }), says: /Muster was updated. Reload the page./, canRetry: false },
  { what: 'a script of another build', answer: withHeaders({ 'cache-control': 'no-store' }, 'import { nothing } from "./muster.js";'), says: /Muster was updated. Reload the page./, canRetry: false },
  { what: 'a server that is busy', answer: (route) => route.fulfill({ status: 503 }), says: /could not send the program for the check \(status 503\)/ },
  { what: 'the sign-in page of a proxy', answer: (route) => route.fulfill({ status: 200, contentType: 'text/html', body: '<p>Sign in' }), says: /a proxy or its sign-in page/ },
  { what: 'a policy on its script', answer: withHeaders({ 'content-security-policy': "default-src 'none'" }), says: /blocked by a security policy/ },
  { what: 'a policy on the page', answer: withHeaders({ 'content-security-policy': "worker-src 'none'" }), on: '**/devices', says: /blocked by a security policy/ },
  { what: 'a script that fails', answer: after('throw new Error("bang");'), says: /could not start the check \(.*bang\). Try again/ },
  { what: 'a module that does not load', answer: after('WebAssembly.instantiateStreaming = async () => { throw new WebAssembly.LinkError("bang"); };'), says: /could not start the check \(.*bang\). Try again/ },
  { what: 'a failure half-way', answer: after(`${NO_SLICES} new Error("bang"); };`), says: /stopped unexpectedly \(.*bang\). Try again/ },
  { what: 'no memory for a piece of the file', answer: after(`${NO_SLICES} new RangeError("Array buffer allocation failed"); };`), says: /ran out of memory during the check. Close other tabs, then try again/ },
  { what: 'no memory in the module', answer: after(`WebAssembly.Memory.prototype.grow = () => { throw new RangeError(); }; ${NO_SLICES} new WebAssembly.RuntimeError("unreachable"); };`), says: /ran out of memory/ },
  { what: 'a file that was removed', answer: after(`${NO_SLICES} new DOMException("", "NotFoundError"); };`), says: /changed, moved or removed/, canRetry: false },
];

for (const { what, answer, on = SCRIPT, says, canRetry = true } of CAUSES) {
  test(`a check that meets ${what} shows why`, async ({ portal, guard }) => {
    guard.expect(/Failed to load resource/, /bang|blocked|nothing|MIME type/, /policy violation: worker-src/, /worker-src/);
    if (on === '**/devices') await portal.route(on, answer);
    await open(portal, '/devices');
    // The dialogs come after the page, and are not what fails here.
    const loaded = () => performance.getEntriesByType('resource').map((resource) => resource.name).join();
    await expect.poll(() => portal.evaluate(loaded)).toMatch(/split_dialogs.*chunk_|chunk_.*split_dialogs/);
    await portal.route(on, answer);
    const dialog = await openRegister(portal);
    await choose(portal, file('fleet.csv', SEED_FILE));
    await expect(dialog.getByRole('alert').filter({ hasText: says })).toContainText('fleet.csv: ');
    const again = dialog.getByRole('button', { name: 'Try again' });
    if (!canRetry) return expect(again).toBeHidden();
    // Again, while it still fails; and when nothing is in its way any more.
    await again.click();
    await expect(dialog.getByRole('alert').filter({ hasText: says })).toContainText('fleet.csv: ');
    if (on === '**/devices') return;
    await portal.unrouteAll({ behavior: 'wait' });
    await again.click();
    await expect(dialog).toContainText('fleet.csv: 0 new · 2 will fail: unknown model');
  });
}

/** A check whose worker never answers, by a clock that the test moves on: its dialog. */
async function silentCheck(page: Page) {
  await page.clock.install();
  await page.route(SCRIPT, (route) => route.fulfill({ contentType: 'text/javascript', body: 'self.onmessage = () => {};' }));
  await open(page, '/devices');
  const dialog = await openRegister(page);
  await choose(page, file('fleet.csv', SEED_FILE));
  await expect(dialog).toContainText('Checking fleet.csv');
  return dialog;
}

test('a check that is silent is noticed, and may be tried again', async ({ portal }) => {
  const dialog = await silentCheck(portal);
  await portal.clock.runFor(59_000);
  await expect(dialog.getByRole('button', { name: 'Try again' })).toBeHidden();
  await portal.clock.runFor(2_000);
  await expect(dialog.getByText("The check hasn't responded for a minute.")).toBeVisible();
  await portal.unrouteAll({ behavior: 'wait' });
  await dialog.getByRole('button', { name: 'Try again' }).click();
  await expect(dialog).toContainText('fleet.csv: 0 new · 2 will fail: unknown model');
});

test('a silent check that was cancelled does not come back', async ({ portal }) => {
  const dialog = await silentCheck(portal);
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await expect(dialog.getByRole('button', { name: 'Browse' })).toBeVisible();
  await portal.clock.runFor(61_000);
  await expect(dialog.getByRole('button', { name: 'Browse' })).toBeVisible();
  await expect(dialog).not.toContainText('Checking fleet.csv');
  await expect(dialog).not.toContainText('Nothing was heard');
});

test('only scripts have a policy that a worker can live with', async ({ portal }) => {
  const policies = new Map<string, string | undefined>();
  portal.on('response', (response) => {
    const path = new URL(response.url()).pathname;
    if (path.startsWith('/assets/')) policies.set(path.replace(/.*\//, ''), response.headers()['content-security-policy']);
  });
  await open(portal, '/devices');
  await openRegister(portal);
  await expect.poll(() => [...policies.keys()]).toContain('check-worker.js');
  expect([...policies.keys()]).toEqual(expect.arrayContaining(['muster.js', 'muster.css', 'muster_bg.wasm']));
  for (const [name, policy] of policies) {
    const worker = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; frame-ancestors 'none'";
    expect(policy, name).toBe(name.endsWith('.js') ? worker : "default-src 'none'; frame-ancestors 'none'");
  }
});
