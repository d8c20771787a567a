// Starts the page: fetches the WASM beside this file and hands the server's HTML over to it.
import init, { hydrate } from "./muster.js";
await init();
hydrate();
