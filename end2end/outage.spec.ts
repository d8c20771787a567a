// A server that goes away while files are registered, and one that comes back.
import type { Page } from '@playwright/test';
import { MODEL, SEED_FILE, UNAVAILABLE, choose, expectCounts, file, giveModel, open, openRegister, row, save, saveTokens, status } from './support/portal.ts';
import { expect, test } from './support/test.ts';

test.beforeEach(({ guard }) => guard.expect(/Failed to load resource/));

const fleet = (rows: number) => Array.from({ length: rows }, (_, at) => `D${at},${MODEL},Friendly name ${at}\n`).join('');

async function ready(page: Page, content: string): Promise<void> {
  await open(page, '/devices');
  const dialog = await openRegister(page);
  await choose(page, file('fleet.csv', content));
  await expect(dialog).toContainText('no problems');
}

const upload = (page: Page) => page.getByRole('dialog').getByRole('button', { name: 'Upload', exact: true }).click();

test('a server that was away while the dialog was open: the upload finishes by itself', async ({ portal, muster }) => {
  await giveModel(portal, muster);
  await ready(portal, SEED_FILE);
  await muster.stop('SIGKILL');
  await upload(portal);
  await expect(status(portal)).toContainText("Can't reach Muster. Retrying in");
  await muster.start();
  await expectCounts(portal, '2', '0', '0');
  await expect(status(portal)).not.toContainText('Retrying');
  const saved = await saveTokens(portal);
  for (const token of saved.values()) expect((await muster.sendState(token)).status).toBe(204);
  await portal.keyboard.press('Escape');
  await expect(row(portal, 'AutoRegister42')).toContainText('Active');
});

test('an answer is lost and the server killed: every device has one working token', async ({ portal, muster }) => {
  test.slow();
  await giveModel(portal, muster);
  await ready(portal, fleet(45_000));
  let parts = 0;
  await portal.route('**/fn/register-part', async (route) => {
    parts += 1;
    if (parts !== 2) return route.continue().catch(() => {});
    // The server does it, and nobody hears of it.
    await route.fetch();
    await muster.stop('SIGKILL');
    await route.abort().catch(() => {});
    setTimeout(() => void muster.start(), 1_500);
  });
  await upload(portal);
  await expectCounts(portal, '45,000', '0', '0');
  await expect(status(portal).getByRole('button', { name: 'Done' })).toBeVisible();
  const saved = await saveTokens(portal);
  expect(saved.size).toBe(45_000);
  for (let at = 0; at < 45_000; at += 500) {
    expect((await muster.sendState(saved.get(`D${at}`)!)).status, `the token of D${at}`).toBe(204);
  }
});

test('the answer to the beginning of an upload is lost: it is listed once', async ({ portal, muster }) => {
  await giveModel(portal, muster);
  await ready(portal, SEED_FILE);
  await portal.route('**/fn/begin-registration', async (route) => {
    // The server does it, and its answer is lost.
    await route.fetch();
    await route.abort();
  }, { times: 1 });
  await upload(portal);
  await expectCounts(portal, '2', '0', '0');
  await saveTokens(portal);
  await portal.keyboard.press('Escape');
  await open(portal, '/registrations');
  await expect(portal.getByRole('grid', { name: 'Registrations' }).getByRole('row')).toHaveCount(2);
});

test('a stopping server finishes requests under way', async ({ portal, muster }) => {
  test.slow();
  await giveModel(portal, muster);
  await ready(portal, fleet(30_000));
  await upload(portal);
  await muster.stop('SIGTERM');
  await muster.start();
  await expectCounts(portal, '30,000', '0', '0');
  expect((await saveTokens(portal)).size).toBe(30_000);
});

test('an answer that never comes is waited for as long as the server works at one, then asked for again', async ({ portal, muster }) => {
  await portal.addInitScript(() => {
    const timeout = AbortSignal.timeout.bind(AbortSignal);
    AbortSignal.timeout = (ms) => {
      Object.assign(window, { waited_: ms });
      return timeout(ms / 35);
    };
  });
  await giveModel(portal, muster);
  await ready(portal, SEED_FILE);
  let sent = 0;
  await portal.route('**/fn/register-part', (route) => (++sent === 1 ? undefined : route.continue()));
  await upload(portal);
  await expectCounts(portal, '2', '0', '0');
  expect(sent).toBe(2);
  expect(await portal.evaluate(() => (window as unknown as { waited_: number }).waited_)).toBe(70_000);
  const saved = await saveTokens(portal);
  for (const token of saved.values()) expect((await muster.sendState(token)).status).toBe(204);
});

/** Lets the pauses between retries pass at once. */
async function untilFailed(page: Page): Promise<void> {
  const failed = status(page).getByRole('button', { name: 'errors.csv' });
  for (let round = 0; round < 40 && !(await failed.isVisible()); round++) {
    await page.clock.runFor(15_000);
    await page.waitForTimeout(50);
  }
  await expect(failed).toBeVisible();
}

const ways: [string, (page: Page, kill: () => Promise<void>) => Promise<unknown>][] = [
  ['stays away', (_, kill) => kill()],
  ['answers 503', (page) => page.route('**/fn/*', (route) => route.fulfill({ status: 503, contentType: 'application/problem+json', body: '{"title":"Service Unavailable","status":503}' }))],
  ['answers 502 from a proxy', (page) => page.route('**/fn/*', (route) => route.fulfill({ status: 502, contentType: 'text/html', body: '<html>Bad gateway</html>' }))],
];
for (const [what, goAway] of ways) {
  test(`a server that ${what}: the rows fail with the sentence of the seed page`, async ({ portal, muster }) => {
    await giveModel(portal, muster);
    await portal.clock.install();
    await ready(portal, SEED_FILE);
    await goAway(portal, () => muster.stop('SIGKILL'));
    await upload(portal);
    await untilFailed(portal);
    await expectCounts(portal, '0', '2', '0');
    await expect(status(portal)).toContainText('Upload the same file to continue');
    const errors = await save(portal, status(portal).getByRole('button', { name: 'errors.csv' }));
    expect(errors.text).toBe(
      [
        '\ufeffDevice name,Model name,Device friendly name,Description,Pricing tier,Line,Error',
        `AutoRegister41,${MODEL},1st EM.Concorde Jet,The 1st Concorder Flight,Small,1,${UNAVAILABLE}`,
        `AutoRegister42,${MODEL},2nd EM.Concorde Jet,Jet No.009,ExtraSmall,2,${UNAVAILABLE}`,
        '',
      ].join('\r\n'),
    );

    // It is back: the same file again finishes the job.
    await portal.unrouteAll();
    if (what === 'stays away') await muster.start();
    await status(portal).getByRole('button', { name: 'Done' }).click();
    const dialog = await openRegister(portal);
    await choose(portal, file('errors.csv', errors.text));
    await dialog.getByRole('button', { name: 'Upload', exact: true }).click();
    await expectCounts(portal, '2', '0', '0');
  });
}

test('All Devices reports an outage, keeps its rows, and recovers', async ({ portal, muster }) => {
  await giveModel(portal, muster);
  await ready(portal, SEED_FILE);
  await upload(portal);
  await expectCounts(portal, '2', '0', '0');
  const saved = await saveTokens(portal);
  await portal.keyboard.press('Escape');
  await expect(row(portal, 'AutoRegister41')).toContainText('Registered');
  await muster.stop('SIGKILL');
  await expect(portal.getByRole('alert').filter({ hasText: "Can't reach Muster. Retrying…" })).toBeVisible();
  await expect(row(portal, 'AutoRegister41')).toBeVisible();
  await muster.start();
  await expect(portal.getByText("Can't reach Muster")).toBeHidden();
  expect((await muster.sendState(saved.get('AutoRegister41')!)).status).toBe(204);
  await expect(row(portal, 'AutoRegister41')).toContainText('Active');
});
