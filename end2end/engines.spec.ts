// The main job in Firefox and in WebKit: what a fleet's operator does from signing in to a device that has come alive.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ENGINES, expect, signIn, test } from './support/engine-test.ts';
import type { Person } from './support/engine.ts';
import { MODEL, modelDefinition, tokens } from './support/portal.ts';

const DEVICES = 100_000;
const name = (at: number) => `Jet-${String(at).padStart(6, '0')}`;

/** A file of so many devices, with these rows in the place of its own. */
function fleet(changed: Record<number, string> = {}): string {
  return Array.from({ length: DEVICES }, (_, at) => changed[at] ?? `${name(at)},${MODEL},Jet No. ${at},Delivered in ${1990 + (at % 30)},Small\n`).join('');
}

for (const engine of ENGINES) {
  test.describe(engine.name, () => {
    test.use({ engine });

    test('a fleet is registered, a device comes alive, and gets a new token', async ({ person, muster, folder }) => {
      const put = (file: string, content: string | Buffer): string => {
        writeFileSync(join(folder, file), content);
        return join(folder, file);
      };
      await signIn(person);
      expect(await person.driver.run(() => performance.getEntriesByType('resource').filter((file) => file.name.endsWith('.wasm')).length), 'the WASM is fetched once').toBe(1);

      await test.step('upload a model', async () => {
        await person.click('link', 'Models');
        await person.choose('Model definition file', put('aircraft.json', modelDefinition()));
        await person.reads(new RegExp(`${MODEL} .*0 devices`));
      });

      await test.step('open the dialog, with the keyboard, too', async () => {
        await person.click('link', 'Devices');
        await person.reads(/Register the first devices/);
        await person.act('Register devices');
        await person.finds('dialog', 'Register devices');
        await person.until('the focus on the title', async () => (await person.focused()) === 'Register devices');
        await person.driver.press('Escape');
        await person.findsNo('dialog');
        expect(await person.focused(), 'the focus is where it was').toBe('Actions');
        await person.act('Register devices');
      });

      await test.step('what is dropped is one registration file, or the dialog says what is wrong', async () => {
        await drop(person, ['one.csv', 'two.csv'], `A1,${MODEL}`);
        await person.reads(/2 files were dropped/);
        await drop(person, [], 'some text');
        await person.reads(/That is not a file/);
        await drop(person, ['one.csv'], `A1,${MODEL}`);
        await person.reads(/one.csv: 1 device, no problems/);
      });

      await test.step('a file with problems is refused, with their places', async () => {
        const wrong = { 7: `${name(7)},${MODEL},,,Smal\n`, 50_000: `My jet,${MODEL}\n`, 99_999: `${name(3)},${MODEL}\n` };
        await person.choose('Registration file', put('wrong.csv', fleet(wrong)));
        await person.reads(/wrong.csv: 3 problems/);
        await person.reads(/`Smal`.*Did you mean Small\?/);
        await person.reads(/`My jet` isn't a valid device name.*Line 50,001, column 1/);
        await person.reads(/line 4/);
        expect(await person.isDisabled('button', 'Upload')).toBe(true);
      });

      const issued = await test.step('a right one is registered, and its tokens are saved', async () => {
        await person.choose('Registration file', put('right.csv', fleet()));
        await person.reads(/right.csv: 100,000 devices, no problems/);
        expect(await person.text(), 'what only Chromium can do').not.toMatch(/to disk/);
        await person.click('button', 'Upload');
        await person.finds('dialog', 'Registration status');
        await person.reads(/Registered 100,000 Failed 0 Already registered 0.*Save/, 60_000);
        expect(await person.asksBeforeLeaving(), 'tokens would be lost').toBe(true);
        await person.driver.back();
        await person.finds('dialog', 'Registration status');
        const issued = await save(person, DEVICES);
        expect([...issued.keys()]).toEqual(Array.from({ length: DEVICES }, (_, at) => name(at)));
        expect(await person.asksBeforeLeaving()).toBe(false);
        await person.click('button', 'Done');
        await person.findsNo('dialog');
        return issued;
      });

      await test.step('All Devices has them, and one comes alive without a reload', async () => {
        await person.finds('grid', 'All Devices');
        await person.reads(/100,000 devices/);
        await person.reads(new RegExp(`${name(0)} .*Registered`));
        expect((await muster.sendState(issued.get(name(0))!)).status).toBe(204);
        await person.reads(new RegExp(`${name(0)} .{0,200} Active`));
      });

      await test.step('it gets a new token', async () => {
        await person.click('checkbox', `Select ${name(0)}`);
        await person.reads(/1 selected/);
        await person.act('Generate token');
        await person.finds('dialog', 'Generate token');
        await person.click('button', 'Generate');
        await person.reads(/1 token /);
        const renewed = (await save(person, 1)).get(name(0))!;
        expect((await muster.sendState(renewed)).status).toBe(204);
        expect((await muster.sendState(issued.get(name(0))!)).status).toBe(401);
        await person.click('button', 'Done');
        await person.findsNo('dialog');
      });
      expect(await person.complaints()).toEqual([]);
    });

    test('a check that cannot start shows why, and starts when it is tried again', async ({ person, muster, folder }) => {
      await signIn(person);
      // The page loads the code of its dialogs when it is quiet; not that of the check.
      await person.until('the code of the dialogs', () =>
        person.driver.run(() => ['split_dialogs', 'chunk_'].every((part) => performance.getEntriesByType('resource').some((file) => file.name.includes(part)))),
      );
      await muster.stop();
      await person.act('Register devices');
      writeFileSync(join(folder, 'fleet.csv'), `A1,${MODEL}\n`);
      await person.choose('Registration file', join(folder, 'fleet.csv'));
      await person.reads(/fleet.csv: Can't reach Muster. Check the connection, then try again/);
      await muster.start();
      await person.click('button', 'Try again');
      await person.reads(/fleet.csv: 0 new · 1 will fail/);
    });
  });
}

/** Presses Save, and waits for the whole of tokens.csv. */
async function save(person: Person, rows: number): Promise<Map<string, string>> {
  await person.click('button', 'Save');
  return tokens(await person.saved('tokens.csv', (text) => text.split('\n').length === rows + 2));
}

/** Drops files, or text where there are none, where a registration file goes. */
async function drop(person: Person, files: string[], text: string): Promise<void> {
  await person.driver.run(
    (files, text) => {
      const data = new DataTransfer();
      for (const file of files) data.items.add(new File([text], file, { type: 'text/csv' }));
      if (files.length === 0) data.setData('text/plain', text);
      const zone = document.querySelector('dialog[open] .drop')!;
      for (const type of ['dragenter', 'dragover', 'drop']) zone.dispatchEvent(new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer: data }));
    },
    files,
    text,
  );
}
