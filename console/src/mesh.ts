/** A model of plain triangles with buffers of its own, and no instances: a software renderer draws each instance like a call of its own. */

import type { LayerContext } from "@deck.gl/core";
import type { Buffer } from "@luma.gl/core";
import { Model } from "@luma.gl/engine";

export type Values = Float32Array | Uint8Array;

/** Formats by attribute, e.g. `{ places: "float32x2" }`. */
export type Formats = Record<string, "float32" | "float32x2" | "float32x3" | "float32x4" | "unorm8x4">;

export class Mesh {
  readonly model: Model;
  private buffers: Record<string, Buffer> = {};
  private indices: Buffer | null = null;

  constructor(
    private readonly context: LayerContext,
    formats: Formats,
    shaders: object,
  ) {
    this.model = new Model(context.device, {
      ...shaders,
      bufferLayout: Object.entries(formats).map(([name, format]) => ({ name, format })),
      topology: "triangle-list",
      vertexCount: 0,
    } as never);
  }

  /** New values; buffers grow where they must. */
  set(values: Record<string, Values>): void {
    for (const [name, data] of Object.entries(values)) {
      const old = this.buffers[name];
      if (old && old.byteLength >= data.byteLength) {
        old.write(data);
        continue;
      }
      old?.destroy();
      this.buffers[name] = this.context.device.createBuffer({ data, usage: 0x20 | 0x08 }); // vertex, copy to
      this.model.setAttributes({ [name]: this.buffers[name]! });
    }
  }

  /** New triangles. */
  setIndices(data: Uint32Array): void {
    this.indices?.destroy();
    this.indices = this.context.device.createBuffer({ data, usage: 0x10 | 0x08, indexType: "uint32" } as never); // index, copy to
    this.model.setIndexBuffer(this.indices);
  }

  /** Draws the first `corners` indices. */
  draw(corners: number): void {
    if (!corners) return;
    this.model.setVertexCount(corners);
    this.model.draw(this.context.renderPass);
  }

  destroy(): void {
    this.model.destroy();
    this.indices?.destroy();
    for (const buffer of Object.values(this.buffers)) buffer.destroy();
  }
}

/** Triangles of `count` rectangles of four corners each. */
export function quads(count: number): Uint32Array {
  const out = new Uint32Array(6 * count);
  for (let i = 0, at = 0; i < count; i++) {
    for (const corner of [0, 1, 2, 2, 1, 3]) out[at++] = 4 * i + corner;
  }
  return out;
}
