// A stand-in for the file dialog of the browser, which no test can answer: written bytes go to a file of the page's own.
import type { Page } from '@playwright/test';

/** What becomes of it: a file; nobody chooses one; or the disk is full after so many writes. */
export type Choice = { what: 'file' } | { what: 'cancelled' } | { what: 'full'; after: number };

declare global {
  interface Window {
    disk_: { bytes: number; writes: number; asked: unknown[] };
  }
}

/** From now on, a page asks for a file in vain, or gets one. */
export async function answerPicker(page: Page, choice: Choice): Promise<void> {
  await page.addInitScript((choice) => {
    const state = { bytes: 0, writes: 0, asked: [] as unknown[] };
    const picker = async (options: unknown) => {
      state.asked.push(options);
      if (choice.what === 'cancelled') throw new DOMException('The user aborted a request.', 'AbortError');
      const handle = await (await navigator.storage.getDirectory()).getFileHandle('tokens.csv', { create: true });
      return {
        createWritable: async (options?: FileSystemCreateWritableOptions) => {
          const stream = await handle.createWritable(options);
          const write = stream.write.bind(stream);
          stream.write = async (data: FileSystemWriteChunkType) => {
            state.writes += 1;
            if (choice.what === 'full' && state.writes > choice.after) throw new DOMException('No space is left.', 'QuotaExceededError');
            await write(data);
            if (data instanceof Blob) state.bytes += data.size;
          };
          return stream;
        },
      };
    };
    Object.assign(window, { disk_: state, showSaveFilePicker: picker });
  }, choice);
}

/** The file, as it is on the disk. */
export async function onDisk(page: Page): Promise<string> {
  return page.evaluate(async () => {
    const handle = await (await navigator.storage.getDirectory()).getFileHandle('tokens.csv');
    return (await handle.getFile()).text();
  });
}
