"use strict";

// Short-time power spectra of one or two channels.
// Two real channels are transformed as one complex signal: |L|² + |R|² at bin k is (|Z(k)|² + |Z(n - k)|²) / 2.
class Spectrum {
  // size: samples of the window, a power of two. rows: of the result, which divides size / 2.
  constructor(size, rows) {
    this.size = size;
    this.rows = rows;
    this.real = new Float32Array(size);
    this.imaginary = new Float32Array(size);
    this.window = new Float32Array(size);
    this.cosine = new Float32Array(size / 2);
    this.sine = new Float32Array(size / 2);
    this.reversed = new Uint32Array(size);
    const bits = Math.log2(size);
    for (let i = 0; i < size; i += 1) {
      this.window[i] = 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / size);
      for (let bit = 0; bit < bits; bit += 1) this.reversed[i] |= ((i >> bit) & 1) << (bits - 1 - bit);
    }
    for (let i = 0; i < size / 2; i += 1) {
      this.cosine[i] = Math.cos((2 * Math.PI * i) / size);
      this.sine[i] = -Math.sin((2 * Math.PI * i) / size);
    }
    // A full-scale sine in both channels is 0 dB: its bin has (size / 4)² in each.
    this.scale = 1 / (size / 4) ** 2;
  }

  // Levels of the window centred on a sample: 0 for FLOOR dB and below, 255 for 0 dB, from low to high frequencies.
  // Each row is the strongest of its bins. channels: Float32Arrays, silent outside.
  levels(channels, centre, target) {
    const { size, real, imaginary, reversed } = this;
    const left = channels[0];
    const right = channels[channels.length - 1];
    const first = Math.round(centre) - size / 2;
    for (let i = 0; i < size; i += 1) {
      const at = first + i;
      const to = reversed[i];
      const inside = at >= 0 && at < left.length;
      real[to] = inside ? left[at] * this.window[i] : 0;
      imaginary[to] = inside ? right[at] * this.window[i] : 0;
    }
    this.transform();
    const perRow = size / 2 / this.rows;
    for (let row = 0; row < this.rows; row += 1) {
      let strongest = 0;
      for (let bin = row * perRow; bin < (row + 1) * perRow; bin += 1) {
        const mirrored = (size - bin) & (size - 1);
        const [a, b, c, d] = [real[bin], imaginary[bin], real[mirrored], imaginary[mirrored]];
        const power = a * a + b * b + c * c + d * d;
        if (power > strongest) strongest = power;
      }
      const decibels = 10 * Math.log10((strongest * this.scale) / 4 + 1e-20);
      target[row] = Math.max(0, Math.min(255, Math.round((1 - decibels / Spectrum.FLOOR) * 255)));
    }
    return target;
  }

  // Cooley and Tukey's, in place; the input is already in bit-reversed order.
  transform() {
    const { size, real, imaginary, cosine, sine } = this;
    for (let half = 1; half < size; half *= 2) {
      const stride = size / (2 * half);
      for (let start = 0; start < size; start += 2 * half) {
        for (let i = 0; i < half; i += 1) {
          const a = start + i;
          const b = a + half;
          const c = cosine[i * stride];
          const s = sine[i * stride];
          const re = real[b] * c - imaginary[b] * s;
          const im = real[b] * s + imaginary[b] * c;
          real[b] = real[a] - re;
          imaginary[b] = imaginary[a] - im;
          real[a] += re;
          imaginary[a] += im;
        }
      }
    }
  }
}
Spectrum.FLOOR = -110; // dB
