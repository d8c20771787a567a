// What must survive: whatever is killed, cut or full, and whenever, every token that was saved works, and the same file
// again brings the rest.
import type { Browser, Page } from '@playwright/test';
import { execFileSync } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { Cable, type Cut } from './support/cable.ts';
import { BACKWARDS, FLEET, ROWS, type HeldParts, beginUpload, expectFleet, expectListed, expectNothingLeft, generateTokens, holdLastParts, inMidUpload, pressUpload, readyToUpload, uploaded } from './support/fleet.ts';
import { ADMIN, type Muster } from './support/muster.ts';
import { UNAVAILABLE, giveModel, save, saveTokens, status } from './support/portal.ts';
import { expect, onPostgres, signInQuietly, test } from './support/test.ts';

const ALL = { registered: ROWS, failed: 0, already: 0 };

test.beforeEach(async ({ guard, portal, muster }) => {
  test.slow();
  guard.expect(/Failed to load resource/);
  await giveModel(portal, muster);
});

const overCable = test.extend<{ cable: Cable }>({
  cable: async ({ muster }, use) => {
    const cable = new Cable(muster.url);
    await cable.start();
    await use(cable);
    await cable.stop();
  },
  baseURL: async ({ cable }, use) => use(cable.url),
});

/** The tab is closed, and with it goes what it has sent. */
async function closeTab(page: Page, cable: Cable, held: HeldParts): Promise<void> {
  await cable.cut('refused');
  await held.drop();
  await page.close();
  await cable.restore();
}

/** The page that stayed open finishes by itself. */
async function expectFinished(page: Page, muster: Muster): Promise<void> {
  expect(await uploaded(page)).toEqual(ALL);
  await expectListed(page, muster, ALL);
  await expect(status(page)).not.toContainText('Retrying');
  const saved = await saveTokens(page);
  await expectNothingLeft(page);
  await expectFleet(page, muster, saved);
}

/** The page is gone, and with it the tokens it had. A new one brings the rest, and new tokens for the others. */
async function expectFinishedElsewhere(closed: Page, muster: Muster): Promise<void> {
  const page = await closed.context().newPage();
  await beginUpload(page);
  const counts = await uploaded(page);
  expect(counts.failed).toBe(0);
  expect(counts.already, 'registered before').toBeGreaterThan(0);
  expect(counts.registered, 'left to register').toBeGreaterThan(0);
  await expectListed(page, muster, counts);
  await generateTokens(page, counts.already);
  const saved = await saveTokens(page);
  expect(saved.size).toBe(ROWS);
  await expectNothingLeft(page);
  await expectFleet(page, muster, saved);
}

for (const database of ['SQLite', 'PostgreSQL']) {
  test.describe(database, () => {
    if (database === 'PostgreSQL') test.use(onPostgres);

    test('the server is killed in mid-upload: the upload finishes by itself', async ({ portal, muster }) => {
      await inMidUpload(portal, () => muster.stop('SIGKILL'));
      await expect(status(portal)).toContainText("Can't reach Muster. Retrying in");
      await muster.start();
      await expectFinished(portal, muster);
    });

    test('the server is killed in mid-upload and the tab closed: the same file again finishes it', async ({ portal, muster }) => {
      await inMidUpload(portal, async (held) => {
        await muster.stop('SIGKILL');
        await held.drop();
        await portal.close();
      });
      await muster.start();
      await expectFinishedElsewhere(portal, muster);
    });

    overCable('the tab is closed in mid-upload: the same file again finishes it', async ({ portal, muster, cable }) => {
      await inMidUpload(portal, (held) => closeTab(portal, cable, held));
      await expectFinishedElsewhere(portal, muster);
    });

    for (const [order, rows] of [['the same file', FLEET], ['the same rows the other way round', BACKWARDS]]) {
      test(`two people upload ${order} at once: each device has one token, with one of them`, async ({ portal, muster, browser }) => {
        const other = await signedInElsewhere(browser, muster);
        await Promise.all([readyToUpload(portal), readyToUpload(other, rows)]);
        const held = await Promise.all([portal, other].map(holdLastParts));
        const parts = await Promise.all([pressUpload(portal), pressUpload(other)]);
        await Promise.all(parts.map((some) => some.untilSent(2)));
        for (const some of parts) some.expectUnderWay();
        await Promise.all(held.map((some) => some.letGo()));
        const [mine, theirs] = await Promise.all([uploaded(portal), uploaded(other)]);
        expect([mine.failed, theirs.failed]).toEqual([0, 0]);
        expect(mine.registered + theirs.registered).toBe(ROWS);
        await expectListed(portal, muster, mine);
        await expectListed(portal, muster, theirs);
        // Who is behind all the way has none to save.
        const saved = [mine.registered ? await saveTokens(portal) : new Map(), theirs.registered ? await saveTokens(other) : new Map()];
        expect(saved.map((tokens) => tokens.size)).toEqual([mine.registered, theirs.registered]);
        await other.context().close();
        await expectNothingLeft(portal);
        await expectFleet(portal, muster, ...saved);
      });
    }
  });
}

async function signedInElsewhere(browser: Browser, muster: Muster): Promise<Page> {
  const context = await browser.newContext({ baseURL: muster.url });
  const page = await context.newPage();
  await signInQuietly(page, muster, ADMIN);
  return page;
}

test.describe('PostgreSQL crashes', () => {
  test.use(onPostgres);

  test('in mid-upload: the upload finishes by itself', async ({ portal, muster, postgres }) => {
    const server = muster.pid;
    await inMidUpload(portal, () => postgres.stop('immediate'));
    await expect(status(portal)).toContainText('Muster is busy. Retrying in');
    await postgres.start();
    await expectFinished(portal, muster);
    expect(muster.pid, 'the server stayed up').toBe(server);
  });

  overCable('in mid-upload, and the tab is closed: the same file again finishes it', async ({ portal, muster, postgres, cable }) => {
    const server = muster.pid;
    await inMidUpload(portal, async (held) => {
      await postgres.stop('immediate');
      await closeTab(portal, cable, held);
    });
    await postgres.start();
    await expectFinishedElsewhere(portal, muster);
    expect(muster.pid, 'the server stayed up').toBe(server);
  });
});

test.describe('the network is cut for 10 s in mid-upload', () => {
  for (const how of ['refused', 'silent'] satisfies Cut[]) {
    overCable(`${how}: the upload finishes by itself`, async ({ portal, muster, cable }) => {
      const parts = await inMidUpload(portal, () => cable.cut(how));
      // What had come through before is told a moment later.
      await pause(1_000);
      const answered = parts.answered;
      await pause(9_000);
      expect(parts.answered, 'parts that came through all the same').toBe(answered);
      await cable.restore();
      await expectFinished(portal, muster);
    });
  }
});

test.describe('the disk is full', () => {
  // A file that would grow over the limit is not written to: the nearest to a full disk that needs no privileges.
  // The signal that comes with it would end the server.
  test.use({ through: ['env', '--ignore-signal=XFSZ'] });
  const onSmallDisk = test.extend<{ disk: { fill(): void; free(): void } }>({
    disk: async ({ muster }, use) => {
      const limit = (bytes: number | 'unlimited') => execFileSync('prlimit', ['--pid', `${muster.pid}`, `--fsize=${bytes}:`]);
      await use({ fill: () => limit(12 << 20), free: () => limit('unlimited') });
    },
  });

  for (const [who, restarts] of [['the same server', false], ['a server that was started again', true]] as const) {
    onSmallDisk(`the rows fail with the sentence of the seed page; once there is space, ${who} registers them`, async ({ portal, muster, disk }) => {
      const server = muster.pid;
      disk.fill();
      await portal.clock.install();
      const parts = await beginUpload(portal);
      const errors = status(portal).getByRole('button', { name: 'errors.csv' });
      // The pauses between retries pass at once. Requests take their time: one that the page gave up may be stored.
      while (!(await errors.isVisible())) {
        if (!parts.underWay) await portal.clock.runFor(15_000);
        await pause(50);
      }
      const full = await uploaded(portal);
      expect(full.registered).toBeGreaterThan(0);
      expect(full.failed).toBeGreaterThan(0);
      await expect(status(portal)).toContainText('Upload the same file to continue');
      const first = await saveTokens(portal);
      expect(first.size).toBe(full.registered);
      const failed = (await save(portal, errors)).text.split('\r\n').slice(1, -1);
      expect(failed.length).toBe(full.failed);
      expect(failed.filter((row) => !row.endsWith(`,${UNAVAILABLE}`))).toEqual([]);

      // What needs no space goes on.
      const other = await portal.context().newPage();
      await other.goto('/devices');
      await expect(other.getByText(`${full.registered.toLocaleString('en')} devices`, { exact: true })).toBeVisible();

      expect(muster.pid, 'it did not fall over').toBe(server);
      disk.free();
      if (restarts) {
        await muster.stop('SIGTERM');
        await muster.start();
      }
      await portal.close();
      await beginUpload(other);
      expect(await uploaded(other)).toEqual({ registered: full.failed, failed: 0, already: full.registered });
      const second = await saveTokens(other);
      await expectNothingLeft(other);
      await expectFleet(other, muster, first, second);
    });
  }
});
