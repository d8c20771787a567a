// Two servers on one PostgreSQL, behind a load balancer: nothing that matters lives in a process.
import type { Page } from '@playwright/test';
import { setTimeout as pause } from 'node:timers/promises';
import { ROWS, beginUpload, expectFleet, expectNothingLeft, inMidUpload, uploaded } from './support/fleet.ts';
import { ADMIN, Muster } from './support/muster.ts';
import { SEED_FILE, file, giveModel, hydrated, open, register, row, saveTokens, signIn, status, withSeedDevices } from './support/portal.ts';
import { RoundRobin } from './support/round-robin.ts';
import { call } from './support/server-functions.ts';
import { expect, signInQuietly, test as base } from './support/test.ts';

const test = base.extend<{ servers: [Muster, Muster]; balancer: RoundRobin }>({
  servers: async ({ postgres }, use, info) => {
    const servers: [Muster, Muster] = [new Muster({ databaseUrl: postgres.url }), new Muster({ databaseUrl: postgres.url })];
    try {
      // Both start at the same time on an empty database: one of them creates the tables and the first user.
      await Promise.all(servers.map((server) => server.start()));
      await use(servers);
      if (info.status !== info.expectedStatus) {
        for (const [at, server] of servers.entries()) await info.attach(`muster-${at}.log`, { body: server.log, contentType: 'text/plain' });
      }
    } finally {
      for (const server of servers) await server.remove();
    }
  },
  muster: async ({ servers }, use) => use(servers[0]),
  balancer: async ({ servers }, use) => {
    const balancer = new RoundRobin(servers.map((server) => server.url));
    await balancer.start();
    await use(balancer);
    await balancer.stop();
  },
  baseURL: async ({ balancer }, use) => use(balancer.url),
});

/** How many parts of a file each server was sent. */
const partsOf = (balancer: RoundRobin) => balancer.targets.map((target) => target.asked.filter((path) => path === '/fn/register-part').length);

test('signing in, every page, and a registration, whichever server answers', async ({ page, balancer, servers }) => {
  await open(page, '/devices');
  await signIn(page, ADMIN);
  await page.waitForURL('**/devices');
  await hydrated(page);
  await giveModel(page, servers[0]);
  for (const path of ['/groups', '/models', '/registrations', '/settings', '/devices']) {
    // Twice, so that each server does it.
    for (let time = 0; time < 2; time++) {
      await open(page, path);
      await expect(page.getByText(ADMIN.email)).toBeVisible();
      await expect(page.locator('.loading')).toHaveCount(0);
    }
    for (const target of balancer.targets) expect(target.asked, `${path} of ${target.url}`).toContain(path);
  }
  await register(page, file('devices.csv', SEED_FILE));
  for (const [at, token] of [...(await saveTokens(page)).values()].entries()) expect((await servers[at].sendState(token)).status).toBe(204);
});

test('the parts of one upload go to both', async ({ portal, muster, balancer }) => {
  test.slow();
  await giveModel(portal, muster);
  await beginUpload(portal);
  expect(await uploaded(portal)).toEqual({ registered: ROWS, failed: 0, already: 0 });
  expect(Math.min(...partsOf(balancer)), 'parts that the lazier server was sent').toBeGreaterThan(2);
  expect(balancer.badGateways).toBe(0);
  await expectFleet(portal, muster, await saveTokens(portal));
});

test('a device reports to one server, and a page of the other shows it by itself', async ({ portal, servers }) => {
  const [first, second] = servers;
  const saved = await withSeedDevices(portal, first);
  await portal.goto(`${second.url}/devices`);
  await hydrated(portal);
  await expect(row(portal, 'AutoRegister41')).toContainText('Registered');
  await portal.evaluate(() => Object.assign(window, { stayed: true }));
  expect((await first.sendState(saved.get('AutoRegister41')!)).status).toBe(204);
  await expect(row(portal, 'AutoRegister41')).toContainText('Active');
  expect(await portal.evaluate(() => 'stayed' in window)).toBe(true);
});

test('signing out at one server ends the session at the other', async ({ portal, servers }) => {
  const [first, second] = servers;
  const context = portal.context();
  const me = async (server: Muster) => (await call(context.request, server.url, 'me', {})).status();
  expect([await me(first), await me(second)]).toEqual([200, 200]);
  const [session] = await context.cookies();
  await portal.goto(`${first.url}/devices`);
  await hydrated(portal);
  await portal.getByRole('button', { name: 'Sign out' }).click();
  await portal.waitForURL('**/sign-in');
  // As somebody would who had kept the cookie.
  await context.addCookies([session]);
  expect([await me(first), await me(second)]).toEqual([401, 401]);
  await portal.goto(`${second.url}/devices`);
  await expect(portal).toHaveURL(/sign-in/);
});

for (const [what, returns] of [['stays away', false], ['comes back', true]] as const) {
  test(`one of the two is killed in mid-upload and ${what}: the upload finishes by itself`, async ({ portal, muster, servers, balancer, guard }) => {
    test.slow();
    guard.expect(/Failed to load resource/);
    await giveModel(portal, muster);
    await inMidUpload(portal, () => servers[1].stop('SIGKILL'));
    if (returns) await servers[1].start();
    expect(await uploaded(portal)).toEqual({ registered: ROWS, failed: 0, already: 0 });
    expect(balancer.badGateways, 'the balancer met the dead server').toBeGreaterThan(0);
    await expect(status(portal)).not.toContainText('Retrying');
    const saved = await saveTokens(portal);
    await expectNothingLeft(portal);
    await expectFleet(portal, muster, saved);
    if (returns) await signInQuietly(portal, servers[1], ADMIN);
  });
}

/** A device that reports one altitude after the other to the balancer, each until it is stored. */
class Reporting {
  stored = 0;
  private isOver = false;
  private readonly done: Promise<void>;

  constructor(url: string, token: string) {
    this.done = this.run(url, token);
  }

  private async run(url: string, token: string): Promise<void> {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    while (!this.isOver) {
      const body = JSON.stringify({ altitude: this.stored + 1 });
      const status = await fetch(`${url}/device/v1/state`, { method: 'POST', headers, body }).then((answer) => answer.status, () => 0);
      if (status === 204) this.stored += 1;
      // No connection, no server behind the balancer, or one that is stopping.
      else expect([0, 502, 503]).toContain(status);
      // Below the limit of one server for each device.
      await pause(150);
    }
  }

  async stop(): Promise<void> {
    this.isOver = true;
    await this.done;
  }
}

test('servers are replaced one after the other under load: an upload finishes by itself, and stored reports stay', async ({ portal, muster, servers, balancer, guard }) => {
  test.slow();
  guard.expect(/Failed to load resource/);
  const saved = await withSeedDevices(portal, muster);
  let devices: { name: string; reporting: Reporting }[] = [];
  const report = () => (devices = [...saved].map(([name, token]) => ({ name, reporting: new Reporting(balancer.url, token) })));
  const stopAll = () => Promise.all(devices.map(({ reporting }) => reporting.stop()));
  const untilStored = () => Promise.all(devices.map(({ reporting }) => expect.poll(() => reporting.stored).toBeGreaterThan(2)));
  /** Each device's last stored report is there, whichever server stored it. If its answer was lost, the next may be, too. */
  const expectStored = async () => {
    for (const { name, reporting } of devices) {
      await expect.poll(() => altitude(portal, balancer.url, name)).toBeGreaterThanOrEqual(reporting.stored);
    }
  };
  await inMidUpload(portal, async () => {
    for (const [at, server] of servers.entries()) {
      report();
      try {
        await untilStored();
        await server.stop();
      } finally {
        await stopAll();
      }
      await expectStored();
      await server.start();
      balancer.targets[at].outUntil = 0;
      for (const token of saved.values()) expect((await server.sendState(token, { altitude: 0 })).status, 'it serves again').toBe(204);
    }
  });
  expect(await uploaded(portal)).toEqual({ registered: ROWS, failed: 0, already: 0 });
  await expect(status(portal)).not.toContainText('Retrying');
});

/** The altitude that a device sent last, as its page shows it. */
async function altitude(portal: Page, url: string, name: string): Promise<number> {
  const answer = await call(portal.request, url, 'device', { name });
  const text = (await answer.text()).match(/altitude[^0-9]*([0-9]+)/)?.[1];
  return Number(text);
}
