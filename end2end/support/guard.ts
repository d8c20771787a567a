// Fails a test whose page complains where nobody looks: the console, an exception, the policy, a foreign host.
import type { BrowserContext, ConsoleMessage } from '@playwright/test';

export class Guard {
  readonly complaints: string[] = [];
  private readonly expected: RegExp[] = [];

  /** Complaints like this are part of the test. */
  expect(...patterns: RegExp[]): void {
    this.expected.push(...patterns);
  }

  /** Complaints that nobody expected. */
  unexpected(): string[] {
    return this.complaints.filter((complaint) => !this.expected.some((pattern) => pattern.test(complaint)));
  }

  async watch(context: BrowserContext): Promise<void> {
    context.on('console', (message: ConsoleMessage) => {
      if (['error', 'warning', 'assert'].includes(message.type())) {
        this.complaints.push(`console ${message.type()}: ${message.text()} (${message.location().url})`);
      }
    });
    context.on('weberror', (error) => this.complaints.push(`exception: ${error.error().stack ?? error.error()}`));
    context.on('request', (request) => {
      const url = new URL(request.url());
      if (!['blob:', 'data:'].includes(url.protocol) && url.hostname !== '127.0.0.1') this.complaints.push(`foreign host: ${url}`);
    });
    await context.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (event) => {
        console.error(`policy violation: ${event.violatedDirective} ${event.blockedURI}`);
      });
    });
  }
}
