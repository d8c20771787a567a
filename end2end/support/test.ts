// The fixtures: a server of the test's own, a page that is watched, and one that is signed in already.
import { test as base, type Page } from '@playwright/test';
import { Guard } from './guard.ts';
import { ADMIN, Muster } from './muster.ts';
import { Postgres } from './postgres.ts';
import { call } from './server-functions.ts';

type Fixtures = {
  /** How much the server logs; empty for its default. */
  logLevel: string;
  /** A PostgreSQL of the test's own, where it asks for one. */
  postgres: Postgres;
  /** Where the server keeps what it knows; empty for SQLite. */
  databaseUrl: string;
  /** A command that becomes the server. */
  through: string[];
  muster: Muster;
  guard: Guard;
  /** A page of somebody who has signed in, at no address yet. */
  portal: Page;
};

export const test = base.extend<Fixtures>({
  logLevel: ['', { option: true }],
  postgres: async ({}, use, info) => {
    const postgres = new Postgres();
    try {
      await postgres.start();
      await use(postgres);
      if (info.status !== info.expectedStatus) await info.attach('postgres.log', { body: postgres.log, contentType: 'text/plain' });
    } finally {
      await postgres.remove();
    }
  },
  databaseUrl: ['', { option: true }],
  through: [[], { option: true }],
  muster: async ({ logLevel, databaseUrl, through }, use, info) => {
    const muster = new Muster({ logLevel, databaseUrl, through });
    try {
      await muster.start();
      await use(muster);
      if (info.status !== info.expectedStatus) await info.attach('muster.log', { body: muster.log, contentType: 'text/plain' });
    } finally {
      await muster.remove();
    }
  },
  baseURL: async ({ muster }, use) => use(muster.url),
  guard: async ({ context }, use) => {
    const guard = new Guard();
    await guard.watch(context);
    await use(guard);
    const unexpected = guard.unexpected();
    if (unexpected.length > 0) throw new Error(`The page complained:\n${[...new Set(unexpected)].join('\n')}`);
  },
  page: async ({ page, guard }, use) => {
    void guard;
    // As long as somebody listens, Chromium's own file dialog stays away, which nobody could answer here.
    page.on('filechooser', () => {});
    await use(page);
    // A page may still be loading something when its test ends. A route handler that fails then must not fail the test.
    for (const open of page.context().pages()) await open.unrouteAll({ behavior: 'ignoreErrors' });
  },
  portal: async ({ page, muster }, use) => {
    await signInQuietly(page, muster, ADMIN);
    await use(page);
  },
});

export { expect } from '@playwright/test';

/** For `test.use`: the server keeps what it knows in a PostgreSQL of its own. */
export const onPostgres = {
  databaseUrl: async ({ postgres }: { postgres: Postgres }, use: (url: string) => Promise<void>) => use(postgres.url),
};

/** Signs in without the form, for tests that are not about it. */
export async function signInQuietly(page: Page, muster: Muster, who: { email: string; password: string }): Promise<void> {
  const answer = await call(page.request, muster.url, 'sign-in', { ...who, to: '/devices' });
  if (!answer.ok()) throw new Error(`signing in failed: ${answer.status()} ${await answer.text()}`);
}
