// More is asked of the server than it can do: it says so at once, and goes on.
import type { Page } from '@playwright/test';
import { ROWS, beginUpload, otherRows, uploaded } from './support/fleet.ts';
import type { Muster } from './support/muster.ts';
import { file, giveModel, open, register, saveTokens } from './support/portal.ts';
import { Storm } from './support/storm.ts';
import { expect, onPostgres, test } from './support/test.ts';

const CONNECTIONS = 2_000;
const GIB = 1 << 30;
/** Nobody who is refused has waited for his turn before, which may take 10 s. The storm and the browser keep the machine busy, too. */
const MOST_MS = 3_000;
const ALL_MS = 8_000;

test.beforeEach(({ guard }) => {
  test.slow();
  guard.expect(/Failed to load resource/);
});

/** So many devices of their own, and their tokens. */
async function devices(page: Page, muster: Muster): Promise<string[]> {
  await giveModel(page, muster);
  await open(page, '/devices');
  await register(page, file('others.csv', otherRows(CONNECTIONS)));
  const saved = await saveTokens(page);
  expect(saved.size).toBe(CONNECTIONS);
  return [...saved.values()];
}

/** Every device was told something it can go by, and who was refused, soon. */
async function expectAnswers(storm: Storm): Promise<void> {
  const refused = storm.answers.filter((answer) => answer.status !== 204);
  const times = (answers: typeof refused) => `${answers.length}, half of them within ${Storm.slowest(answers, 50)} ms, 99% within ${Storm.slowest(answers, 99)} ms, all within ${Storm.slowest(answers, 100)} ms`;
  const served = storm.answers.filter((answer) => answer.status === 204);
  await test.info().attach('answers', { body: `served: ${times(served)}\nrefused: ${times(refused)}`, contentType: 'text/plain' });
  expect(storm.dropped, 'requests without an answer').toEqual({});
  const wrong = refused.filter((answer) => ![429, 503].includes(answer.status) || !/^[1-9]\d*$/.test(answer.retryAfter ?? ''));
  expect(wrong.slice(0, 5), `answers that are neither 204 nor a refusal that says when to come back (${wrong.length})`).toEqual([]);
  expect(refused.length, 'more was asked of it than it could do').toBeGreaterThan(0);
  expect(served.length, 'and it did what it could').toBeGreaterThan(0);
  expect(Storm.slowest(refused, 50), 'the middle refusal, ms').toBeLessThan(MOST_MS);
  expect(Storm.slowest(refused, 100), 'the slowest refusal, ms').toBeLessThan(ALL_MS);
}

/** What a device sends: a few bytes, or nearly as much as it may. */
const BODIES: [string, unknown][] = [
  ['little', { altitude: 1200 }],
  ['250 KiB each', { callSign: 'x'.repeat(250 * 1024) }],
];

for (const database of ['SQLite', 'PostgreSQL']) {
  test.describe(database, () => {
    if (database === 'PostgreSQL') test.use(onPostgres);

    for (const [size, body] of BODIES) {
      test(`2,000 devices report ${size} at once beside an upload of 100,000`, async ({ portal, muster }) => {
        const tokens = await devices(portal, muster);
        const server = muster.pid;
        const storm = new Storm(muster.url, tokens, body);
        await beginUpload(portal);
        await storm.during(async () => {
          // A device that is refused before it has sent all must connect again.
          if (size === 'little') await expect.poll(() => muster.openFiles(), 'connections at once').toBeGreaterThan(CONNECTIONS);
          expect(await uploaded(portal)).toEqual({ registered: ROWS, failed: 0, already: 0 });
        });
        await test.info().attach('memory', { body: `${muster.peakBytes() >> 20} MiB`, contentType: 'text/plain' });
        await expectAnswers(storm);
        expect(muster.peakBytes(), 'memory at its peak').toBeLessThan(GIB);
        expect(muster.pid).toBe(server);

        // The storm is over.
        expect((await fetch(`${muster.url}/readyz`)).status).toBe(200);
        for (const token of tokens.slice(0, 300)) expect((await muster.sendState(token)).status).toBe(204);
        await portal.goto('/devices');
        await expect(portal.getByText('102,000 devices', { exact: true })).toBeVisible();
      });
    }
  });
}
