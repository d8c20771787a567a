// Starts the page: hands the server's HTML over to the WASM, which the page has begun to fetch.
import init, { hydrate } from "./muster.js";
await init({ module_or_path: musterWasm });
hydrate();
