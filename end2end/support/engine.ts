// A browser that Playwright does not drive, and a person in front of it, who sees, presses and types.
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** An element of the page. */
export interface Handle {
  /** As a mouse does. */
  click(): Promise<void>;
  type(text: string): Promise<void>;
  /** For a file input. */
  upload(path: string): Promise<void>;
}

/** A browser with one page, driven by whatever protocol it has. */
export interface Driver {
  readonly version: string;
  goto(url: string): Promise<void>;
  back(): Promise<void>;
  /** Calls a function in the page. It must be self-contained: the test's variables do not exist there. */
  run<A extends unknown[], T>(call: (...args: A) => T, ...args: A): Promise<T>;
  /** The elements that a function in the page finds. */
  find<A extends unknown[]>(call: (...args: A) => Element[], ...args: A): Promise<Handle[]>;
  press(key: 'Escape' | 'Tab' | 'Enter' | 'Space' | 'ArrowDown'): Promise<void>;
  screenshot(): Promise<Buffer>;
  close(): Promise<void>;
}

export type Engine = {
  name: string;
  /** Without these there is no such browser here; and the Debian packages that have them. */
  programs: string[];
  packages: string;
  /** Starts it; what it downloads goes to the folder. */
  launch(folder: string): Promise<Driver>;
};

const SELECTORS = {
  button: 'button, input[type=submit]',
  checkbox: 'input[type=checkbox]',
  dialog: 'dialog[open]',
  file: 'input[type=file]',
  grid: '[role=grid]',
  heading: 'h1, h2, h3',
  link: 'a[href]',
  menuitem: '[role=menuitem]',
  row: '[role=grid] tbody tr',
  textbox: 'input[type=text], input[type=password], input[type=email], input[type=search]',
};
export type Role = keyof typeof SELECTORS;

const WAIT_MS = 60_000;
const LOOK_MS = 50;

/** What a person does, and waits for. */
export class Person {
  readonly driver: Driver;
  /** Where files that are saved end up. */
  readonly folder: string;
  private readonly base: string;

  constructor(driver: Driver, folder: string, base: string) {
    this.driver = driver;
    this.folder = folder;
    this.base = base;
  }

  /** Opens a page, and waits until it listens. */
  async open(path: string): Promise<void> {
    await this.driver.goto(this.base + path);
    await this.listens();
  }

  /** Waits until the page that is shown listens, and begins to note what it complains of. */
  async listens(): Promise<void> {
    await this.until('a page that listens', () =>
      this.driver.run(() => {
        if (!document.querySelector('body[data-hydrated]')) return false;
        const page = window as unknown as { complaints_?: string[] };
        if (page.complaints_) return true;
        const complaints: string[] = (page.complaints_ = []);
        addEventListener('error', (event) => complaints.push(`exception: ${event.message}`));
        addEventListener('unhandledrejection', (event) => complaints.push(`rejection: ${event.reason}`));
        addEventListener('securitypolicyviolation', (event) => complaints.push(`policy violation: ${event.violatedDirective} ${event.blockedURI}`));
        return true;
      }),
    );
  }

  async complaints(): Promise<string[]> {
    return this.driver.run(() => (window as unknown as { complaints_: string[] }).complaints_);
  }

  async click(role: Role, name: string): Promise<void> {
    await this.with(role, name, (element) => element.click());
  }

  async type(name: string, text: string): Promise<void> {
    await this.with('textbox', name, (element) => element.type(text));
  }

  async choose(name: string, path: string): Promise<void> {
    await this.with('file', name, (element) => element.upload(path));
  }

  /** **Actions**, and one of them. */
  async act(item: string): Promise<void> {
    await this.click('button', 'Actions');
    await this.click('menuitem', item);
  }

  async finds(role: Role, name: string): Promise<void> {
    await this.until(`a ${role} ${name}`, async () => (await this.all(role, name)).length > 0);
  }

  async findsNo(role: Role, name?: string): Promise<void> {
    await this.until(`no ${role} ${name ?? ''}`, async () => (await this.all(role, name)).length === 0);
  }

  /** Waits until text like this can be read: in the dialog that is open, or else on the page. */
  async reads(text: RegExp, ms = WAIT_MS): Promise<void> {
    await this.until(`text like ${text}`, async () => text.test(await this.text()), ms);
  }

  /** The text that can be read, with single spaces. */
  async text(): Promise<string> {
    return this.driver.run(() => {
      const dialogs = document.querySelectorAll<HTMLElement>('dialog[open]');
      return (dialogs[dialogs.length - 1] ?? document.body).innerText.replace(/\s+/g, ' ');
    });
  }

  async isDisabled(role: Role, name: string): Promise<boolean> {
    const [all, enabled] = [await this.all(role, name), await this.all(role, name, true)];
    return all.length === 1 && enabled.length === 0;
  }

  /** Whether the page asks before it is closed. Drivers answer the question itself, unseen. */
  async asksBeforeLeaving(): Promise<boolean> {
    return this.driver.run(() => !window.dispatchEvent(new Event('beforeunload', { cancelable: true })));
  }

  /** What has the focus. */
  async focused(): Promise<string> {
    return this.driver.run(() => (document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent ?? '').replace(/\s+/g, ' ').trim());
  }

  /** A file that was saved, once it is whole; it is taken away, so that the next one has its name. */
  async saved(name: string, isWhole: (text: string) => boolean): Promise<string> {
    const path = join(this.folder, name);
    let text = '';
    await this.until(`a whole file ${name}`, async () => existsSync(path) && isWhole((text = readFileSync(path, 'utf8'))));
    for (const file of readdirSync(this.folder).filter((file) => file.startsWith(name))) rmSync(join(this.folder, file));
    return text;
  }

  /** Polls until a condition holds. If it never does, fails with what there is instead. */
  async until(what: string, isSo: () => Promise<boolean> | boolean, ms = WAIT_MS): Promise<void> {
    const end = Date.now() + ms;
    let last: unknown = '';
    while (Date.now() < end) {
      try {
        if (await isSo()) return;
        last = '';
      } catch (error) {
        // The page may be changing just now.
        last = error;
      }
      await new Promise((done) => setTimeout(done, LOOK_MS));
    }
    const shown = await this.text().catch(String);
    throw new Error(`Waited ${ms} ms for ${what}. ${last}\nWhat can be read: ${shown.slice(0, 2_000)}`);
  }

  private async with(role: Role, name: string, act: (element: Handle) => Promise<void>): Promise<void> {
    await this.until(`one ${role} ${name} that is enabled`, async () => {
      const found = await this.all(role, name, true);
      if (found.length !== 1) throw new Error(`There are ${found.length}.`);
      await act(found[0]);
      return true;
    });
  }

  private all(role: Role, name?: string, isEnabled = false): Promise<Handle[]> {
    return this.driver.find(findAll, SELECTORS[role], name ?? null, isEnabled);
  }
}

/** Runs in the page: the elements of a kind that have this name. While a dialog is open, nothing else can be reached. */
function findAll(selector: string, name: string | null, isEnabled: boolean): Element[] {
  const dialogs = document.querySelectorAll('dialog[open]');
  const scope = selector.startsWith('dialog') ? document : (dialogs[dialogs.length - 1] ?? document);
  const nameOf = (element: Element): string => {
    const by = document.getElementById(element.getAttribute('aria-labelledby') ?? '');
    const named = by ?? (element as HTMLInputElement).labels?.[0] ?? element;
    return (element.getAttribute('aria-label') ?? named.textContent ?? '').replace(/\s+/g, ' ').trim();
  };
  return [...scope.querySelectorAll(selector)].filter((element) => {
    // A file input is behind a button, and not to be seen itself.
    const isThere = (element as HTMLInputElement).type === 'file' || element.getClientRects().length > 0;
    return isThere && (name === null || nameOf(element) === name) && !(isEnabled && element.matches(':disabled'));
  });
}
