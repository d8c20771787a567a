// Firefox, by WebDriver BiDi: it needs no driver program.
import puppeteer, { type ElementHandle } from 'puppeteer-core';
import type { Driver, Engine, Handle } from './engine.ts';

const program = '/usr/bin/firefox-esr';

export const firefox: Engine = {
  name: 'Firefox',
  programs: [program],
  packages: 'firefox-esr',
  async launch(folder) {
    const browser = await puppeteer.launch({
      browser: 'firefox',
      executablePath: program,
      defaultViewport: { width: 1280, height: 800 },
      extraPrefsFirefox: {
        // Downloads go to the folder without a question, and the list of downloads does not take the focus.
        'browser.download.folderList': 2,
        'browser.download.dir': folder,
        'browser.download.useDownloadDir': true,
        'browser.download.alwaysOpenPanel': false,
      },
    });
    try {
      const page = await browser.newPage();
      const element = (handle: ElementHandle): Handle => ({
        click: () => handle.click(),
        type: (text) => handle.type(text),
        upload: (path) => (handle as ElementHandle<HTMLInputElement>).uploadFile(path),
      });
      const driver: Driver = {
        version: await browser.version(),
        goto: async (url) => void (await page.goto(url)),
        back: async () => void (await page.goBack({ waitUntil: [] as never }).catch(() => null)),
        run: (call, ...args) => page.evaluate(call as never, ...(args as never[])),
        find: async (call, ...args) => {
          const list = await page.evaluateHandle(call as never, ...(args as never[]));
          const handles = [...(await list.getProperties()).values()].map((handle) => handle.asElement());
          return handles.filter((handle) => handle !== null).map((handle) => element(handle as ElementHandle));
        },
        press: (key) => page.keyboard.press(key),
        screenshot: async () => Buffer.from(await page.screenshot()),
        close: () => browser.close(),
      };
      return driver;
    } catch (error) {
      await browser.close();
      throw error;
    }
  },
};
