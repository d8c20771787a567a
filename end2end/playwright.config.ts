// How the browser tests run: Chromium, against the binary that ships. `engines.spec.ts` brings browsers of its own.
import { defineConfig } from '@playwright/test';
import { existsSync } from 'node:fs';

// The shell without windows takes two thirds of the time of the whole browser, which is what else Debian has.
const system = ['/usr/bin/chromium-headless-shell', '/usr/bin/chromium'].find((path) => existsSync(path));

export default defineConfig({
  testDir: '.',
  testMatch: '*.spec.ts',
  fullyParallel: true,
  forbidOnly: !!process.env.CI,
  retries: 0,
  workers: 2,
  // Waits end when what is waited for happens. These limits only end a test that would wait for ever, on the slowest machine.
  timeout: 240_000,
  expect: { timeout: 60_000 },
  reporter: process.stdout.isTTY ? 'line' : 'dot',
  outputDir: 'test-results',
  use: {
    browserName: 'chromium',
    viewport: { width: 1280, height: 800 },
    acceptDownloads: true,
    actionTimeout: 60_000,
    navigationTimeout: 60_000,
    // Recording traces takes a fifth of the time. To get one: --trace on.
    trace: 'off',
    screenshot: 'only-on-failure',
    launchOptions: {
      executablePath: system,
      // With scrollbars, as people at a desk have them.
      ignoreDefaultArgs: ['--hide-scrollbars'],
      // Root in a container has no sandbox, and a test browser has nobody to call.
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
    },
  },
});
