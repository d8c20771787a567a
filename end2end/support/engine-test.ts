// The fixtures of tests in Firefox and in WebKit: a server of the test's own, and a person who has signed in to it.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Person, type Engine } from './engine.ts';
import { firefox } from './firefox.ts';
import { ADMIN } from './muster.ts';
import { test as base } from './test.ts';
import { webkit } from './webkit.ts';

export const ENGINES = [firefox, webkit];

type Fixtures = {
  engine: Engine;
  /** A folder for files that are chosen and saved. */
  folder: string;
  person: Person;
};

export const test = base.extend<Fixtures>({
  engine: [firefox, { option: true }],
  folder: async ({}, use) => {
    const folder = mkdtempSync(join(tmpdir(), 'muster-engine-'));
    await use(folder);
    rmSync(folder, { recursive: true, force: true });
  },
  person: async ({ engine, muster, folder }, use, info) => {
    const missing = engine.programs.find((program) => !existsSync(program));
    if (missing) {
      const sentence = `${engine.name}: there is no ${missing} (Debian: apt-get install ${engine.packages})`;
      if (process.env.CI) throw new Error(sentence);
      console.log(`skipped: ${sentence}`);
      info.skip(true, sentence);
    }
    const driver = await engine.launch(folder);
    try {
      const person = new Person(driver, folder, muster.url);
      await use(person);
      if (info.status !== info.expectedStatus) {
        const path = info.outputPath(`${engine.name}.png`);
        writeFileSync(path, await driver.screenshot());
        await info.attach(engine.name, { path, contentType: 'image/png' });
      }
    } finally {
      await driver.close();
    }
  },
});

export { expect } from '@playwright/test';

export async function signIn(person: Person): Promise<void> {
  await person.open('/');
  await person.type('Email', ADMIN.email);
  await person.type('Password', ADMIN.password);
  await person.click('button', 'Sign in');
  await person.finds('heading', 'Devices');
  await person.listens();
}
