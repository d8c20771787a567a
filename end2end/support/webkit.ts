// WebKit: GTK's MiniBrowser on a screen of its own, driven by WebKitWebDriver.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { Builder, Capabilities, Key, type WebDriver, type WebElement } from 'selenium-webdriver';
import type { Driver, Engine, Handle } from './engine.ts';

const program = '/usr/bin/WebKitWebDriver';
const screenProgram = '/usr/bin/Xvfb';
const KEYS = { Escape: Key.ESCAPE, Tab: Key.TAB, Enter: Key.ENTER, Space: Key.SPACE, ArrowDown: Key.ARROW_DOWN };
const START_MS = 60_000;

export const webkit: Engine = {
  name: 'WebKit',
  programs: [program, screenProgram],
  packages: 'webkit2gtk-driver xvfb',
  async launch(folder) {
    const started: ChildProcess[] = [];
    const kill = () => started.forEach((child) => child.kill());
    process.once('exit', kill);
    const stop = async () => {
      process.off('exit', kill);
      const ended = started.filter((child) => child.exitCode === null && child.signalCode === null).map((child) => once(child, 'exit'));
      kill();
      await Promise.all(ended);
    };
    try {
      const display = await startScreen(started);
      const port = await freePort();
      const environment = {
        PATH: process.env.PATH,
        DISPLAY: display,
        // Downloads go home, where no other folder is set for them.
        HOME: folder,
        XDG_RUNTIME_DIR: folder,
        // Without a desktop the accessibility bus does not answer.
        NO_AT_BRIDGE: '1',
        // Its sandbox cannot be made by root, as one is in a container. The pages are our own.
        ...(process.getuid?.() === 0 ? { WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1' } : {}),
      };
      started.push(spawn(program, [`--port=${port}`, '--host=127.0.0.1'], { env: environment, stdio: 'ignore' }));
      const page = await connect(port);
      return driver(page, async () => {
        await page.quit().catch(() => {});
        await stop();
      });
    } catch (error) {
      await stop();
      throw error;
    }
  },
};

/** A virtual screen; gives its name. */
async function startScreen(started: ChildProcess[]): Promise<string> {
  const screen = spawn(screenProgram, ['-displayfd', '3', '-screen', '0', '1400x1000x24', '-nolisten', 'tcp'], { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
  started.push(screen);
  return new Promise((done, failed) => {
    const late = setTimeout(() => failed(new Error('Xvfb did not start')), START_MS);
    screen.once('error', failed);
    screen.once('exit', () => failed(new Error('Xvfb ended immediately')));
    screen.stdio[3]!.once('data', (number: Buffer) => {
      clearTimeout(late);
      done(`:${String(number).trim()}`);
    });
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

async function connect(port: number): Promise<WebDriver> {
  const url = `http://127.0.0.1:${port}`;
  const end = Date.now() + START_MS;
  while (!(await fetch(`${url}/status`).then((answer) => answer.ok, () => false))) {
    if (Date.now() > end) throw new Error('WebKitWebDriver did not start');
    await new Promise((done) => setTimeout(done, 20));
  }
  // Debian has it in a folder of the processor's name.
  const browser = readdirSync('/usr/lib').map((folder) => `/usr/lib/${folder}/webkit2gtk-4.1/MiniBrowser`).find(existsSync);
  const capabilities = new Capabilities({ browserName: 'MiniBrowser', 'webkitgtk:browserOptions': { binary: browser, args: ['--automation'] } });
  return new Builder().usingServer(url).withCapabilities(capabilities).build();
}

async function driver(page: WebDriver, close: () => Promise<void>): Promise<Driver> {
  await page.manage().window().setRect({ x: 0, y: 0, width: 1280, height: 900 });
  const element = (found: WebElement): Handle => ({
    click: () => found.click(),
    type: (text) => found.sendKeys(text),
    upload: (path) => found.sendKeys(path),
  });
  return {
    version: `${(await page.getCapabilities()).getBrowserVersion()}`,
    goto: (url) => page.get(url),
    back: () => page.navigate().back(),
    run: (call, ...args) => page.executeScript(`return (${call})(...arguments)`, ...args),
    find: async (call, ...args) => (await page.executeScript<WebElement[]>(`return (${call})(...arguments)`, ...args)).map(element),
    press: (key) => page.actions().sendKeys(KEYS[key]).perform(),
    screenshot: async () => Buffer.from(await page.takeScreenshot(), 'base64'),
    close,
  };
}
