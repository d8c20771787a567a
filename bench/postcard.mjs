// What the server's answers in Postcard are made of.

/** Takes apart what Postcard wrote, field after field. */
export class Postcard {
  #at = 0;
  #from;

  constructor(from) {
    this.#from = from;
  }

  number() {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#from[this.#at++];
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  bytes() {
    const length = this.number();
    this.#at += length;
    return this.#from.subarray(this.#at - length, this.#at);
  }

  option(read) {
    return this.#from[this.#at++] === 0 ? null : read();
  }
}
