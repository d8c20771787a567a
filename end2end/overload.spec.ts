// Overload: excess requests are rejected quickly, and the server stays up.
import type { Page } from '@playwright/test';
import { setTimeout as pause } from 'node:timers/promises';
import { ROWS, beginUpload, otherRows, uploaded } from './support/fleet.ts';
import type { Muster } from './support/muster.ts';
import { file, giveModel, open, register, saveTokens } from './support/portal.ts';
import { Storm } from './support/storm.ts';
import { expect, onPostgres, test } from './support/test.ts';

const CONNECTIONS = 2_000;
const GIB = 1 << 30;
/** An upload may be done before the machine is busy. */
const STORM_MS = 5_000;

// A refusal is no line of its own, unless it is asked for.
test.use({ logLevel: 'info,sqlx=warn,muster::serve=debug' });

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

/** Every device got an answer that it can act on, and most that were refused did not wait for a turn. */
async function expectAnswers(storm: Storm, muster: Muster): Promise<void> {
  const refused = storm.answers.filter((answer) => answer.status !== 204);
  const served = storm.answers.filter((answer) => answer.status === 204);
  // As the server logs them: a machine that is busy with 2,000 devices and a browser adds much to what these see.
  const logged = (status: RegExp) =>
    [...muster.log.matchAll(new RegExp(`path="/device/v1/state"[^}]*}: .*a response was sent status=(?:${status.source}) latency_ms=(\\d+)`, 'g'))].map((line) => Number(line[1]));
  const [turns, refusals] = [logged(/204 No Content/), logged(/503 Service Unavailable|429 Too Many Requests/)];
  const seen = (answers: typeof refused) => times(answers.map((answer) => answer.ms));
  const body = `served: ${seen(served)}\nrefused: ${seen(refused)}\nserved, at the server: ${times(turns)}\nrefused, at the server: ${times(refusals)}`;
  await test.info().attach('answers', { body, contentType: 'text/plain' });
  expect(storm.dropped, 'requests without an answer').toEqual({});
  const wrong = refused.filter((answer) => ![429, 503].includes(answer.status) || !/^[1-9]\d*$/.test(answer.retryAfter ?? ''));
  expect(wrong.slice(0, 5), `answers that are neither 204 nor a refusal that says when to come back (${wrong.length})`).toEqual([]);
  expect(refused.length, 'more was asked of it than it could do').toBeGreaterThan(0);
  expect(served.length, 'and it did what it could').toBeGreaterThan(0);
  expect(Math.min(turns.length, refusals.length), 'reports stored and refused in the log').toBeGreaterThan(0);
  expect(within(refusals, 50) / within(turns, 50), 'a refusal at the server, as a part of a turn (medians)').toBeLessThan(0.1);
}

/** What so many of a hundred of these times do not exceed. */
const within = (ms: number[], percent: number) => ms.toSorted((a, b) => a - b)[Math.max(0, Math.ceil((ms.length * percent) / 100) - 1)];
const times = (ms: number[]) => `${ms.length}, half of them within ${within(ms, 50)} ms, 99% within ${within(ms, 99)} ms, all within ${within(ms, 100)} ms`;

/** What a device sends: a few bytes, or nearly as much as it may. */
const BODIES: [string, unknown][] = [
  ['little', { altitude: 1200 }],
  ['250 KiB each', { callSign: 'x'.repeat(250 * 1024) }],
];

for (const database of ['SQLite', 'PostgreSQL']) {
  test.describe(database, () => {
    if (database === 'PostgreSQL') test.use(onPostgres);

    for (const [size, body] of BODIES) {
      test(`2,000 devices report ${size} at once beside an upload`, async ({ portal, muster }) => {
        const tokens = await devices(portal, muster);
        const server = muster.pid;
        const storm = new Storm(muster.url, tokens, body);
        await beginUpload(portal);
        await storm.during(async () => {
          // A device that is refused before it has sent all must connect again.
          if (size === 'little') await expect.poll(() => muster.openFiles(), 'connections at once').toBeGreaterThan(CONNECTIONS);
          const [counts] = await Promise.all([uploaded(portal), pause(STORM_MS)]);
          expect(counts).toEqual({ registered: ROWS, failed: 0, already: 0 });
        });
        await test.info().attach('memory', { body: `${muster.peakBytes() >> 20} MiB`, contentType: 'text/plain' });
        await expectAnswers(storm, muster);
        expect(muster.peakBytes(), 'memory at its peak').toBeLessThan(GIB);
        expect(muster.pid).toBe(server);

        // The storm is over.
        expect((await fetch(`${muster.url}/readyz`)).status).toBe(200);
        for (const token of tokens.slice(0, 300)) expect((await muster.sendState(token)).status).toBe(204);
        await portal.goto('/devices');
        await expect(portal.getByText(`${(ROWS + tokens.length).toLocaleString('en')} devices`, { exact: true })).toBeVisible();
      });
    }
  });
}
