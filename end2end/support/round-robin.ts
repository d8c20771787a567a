// A load balancer as people put before several servers: each request goes to the next of them.
import { once } from 'node:events';
import { Agent, createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How long a server that did not answer is passed over. */
const OUT_MS = 5_000;

type Target = {
  url: string;
  /** The paths that it was asked for. */
  asked: string[];
  outUntil: number;
};

export class RoundRobin {
  url = '';
  /** Requests that a server did not answer. */
  badGateways = 0;
  readonly targets: Target[];
  private next = 0;
  private readonly agent = new Agent({ keepAlive: true });
  private readonly server = createServer((asked, answer) => this.forward(asked, answer));

  constructor(urls: string[]) {
    this.targets = urls.map((url) => ({ url, asked: [], outUntil: 0 }));
  }

  async start(): Promise<void> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    this.url = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    this.agent.destroy();
    await closed;
  }

  private forward(asked: IncomingMessage, answer: ServerResponse, again = false): void {
    const target = this.turn();
    target.asked.push(asked.url!);
    const { hostname, port } = new URL(target.url);
    // The headers as they came: the server compares `Origin` with `Host`.
    const sent = request({ hostname, port, agent: this.agent, method: asked.method, path: asked.url, headers: asked.rawHeaders, setHost: false });
    sent.on('response', (got) => {
      answer.writeHead(got.statusCode!, got.rawHeaders);
      got.on('error', () => answer.destroy()).pipe(answer);
    });
    sent.on('error', () => {
      // The client closed the connection: the server is not at fault.
      if (answer.destroyed) return;
      target.outUntil = Date.now() + OUT_MS;
      if (answer.headersSent) return void answer.destroy();
      // Load balancers send a GET to the next server by default, since it changes nothing.
      if (asked.method === 'GET' && !again) return this.forward(asked, answer, true);
      this.badGateways += 1;
      answer.writeHead(502, { 'content-type': 'text/html' }).end('<html><body><h1>502 Bad Gateway</h1></body></html>');
    });
    answer.on('close', () => answer.writableFinished || sent.destroy());
    if (again) sent.end();
    else asked.on('error', () => sent.destroy()).pipe(sent);
  }

  private turn(): Target {
    const up = this.targets.filter((target) => target.outUntil < Date.now());
    const some = up.length > 0 ? up : this.targets;
    return some[this.next++ % some.length];
  }
}
