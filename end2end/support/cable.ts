// What lies between the browser and the server, and can be cut.
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/**
 * How it is cut. `refused`: connections break, and new ones are refused immediately. `silent`: nothing comes through, and
 * neither side notices, as when a cable is pulled; what was under way continues when it is back.
 */
export type Cut = 'refused' | 'silent';

export class Cable {
  url = '';
  private readonly target: string;
  private server?: Server;
  private isSilent = false;
  /** The two ends of each connection. */
  private readonly pairs = new Set<[Socket, Socket]>();

  constructor(target: string) {
    this.target = target;
  }

  async start(): Promise<void> {
    const server = createServer((near) => this.join(near));
    this.server = server;
    server.listen(this.url ? Number(new URL(this.url).port) : 0, '127.0.0.1');
    await once(server, 'listening');
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  async cut(how: Cut): Promise<void> {
    if (how === 'refused') return this.stop();
    this.isSilent = true;
    for (const [near, far] of this.pairs) for (const end of [near, far]) end.unpipe().pause();
  }

  async restore(): Promise<void> {
    if (!this.isSilent) return this.start();
    this.isSilent = false;
    for (const pair of this.pairs) flow(pair);
  }

  async stop(): Promise<void> {
    const server = this.server;
    this.server = undefined;
    if (!server) return;
    const closed = once(server, 'close');
    server.close();
    for (const [near, far] of this.pairs) for (const end of [near, far]) end.destroy();
    await closed;
  }

  private join(near: Socket): void {
    const { hostname, port } = new URL(this.target);
    const pair: [Socket, Socket] = [near, connect(Number(port), hostname)];
    this.pairs.add(pair);
    for (const end of pair) {
      end.on('error', () => {});
      end.on('close', () => {
        this.pairs.delete(pair);
        for (const other of pair) other.destroy();
      });
    }
    if (!this.isSilent) flow(pair);
  }
}

function flow([near, far]: [Socket, Socket]): void {
  near.pipe(far);
  far.pipe(near);
}
