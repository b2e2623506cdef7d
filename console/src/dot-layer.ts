/** Discs and rings in one mesh: lights, units, warnings, messages, what a vehicle perceives. */

import { Layer, project32 } from "@deck.gl/core";
import type { LayerProps, UpdateParameters } from "@deck.gl/core";
import { Mesh, quads } from "./mesh";
import type { Rgba } from "./palette";

const dot = {
  name: "dot",
  vs: `\
layout(std140) uniform dotUniforms {
  float pixel;
} dot;
`,
  uniformTypes: { pixel: "f32" },
} as const;

const VERTEX = `#version 300 es
#define SHADER_NAME dots
in vec4 places;
in float strokes;
in vec4 colors;
out vec4 vColor;
out vec2 vSide;
flat out vec2 vPixels;
void main() {
  float pixels = max(places.z / dot.pixel, places.w);
  vSide = vec2((gl_VertexID & 1) == 0 ? -1.0 : 1.0, (gl_VertexID & 2) == 0 ? -1.0 : 1.0) * (1.0 + 1.0 / pixels);
  vec2 corner = places.xy + vSide * pixels * dot.pixel - project.coordinateOrigin.xy;
  gl_Position = project_common_position_to_clipspace(vec4(corner, 0.0, 1.0));
  vPixels = vec2(pixels, strokes);
  vColor = colors;
}
`;

const FRAGMENT = `#version 300 es
#define SHADER_NAME dots
precision highp float;
in vec4 vColor;
in vec2 vSide;
flat in vec2 vPixels;
out vec4 fragColor;
void main() {
  float inside = vPixels.x * (1.0 - length(vSide));
  float cover = clamp(inside + 0.5, 0.0, 1.0);
  if (vPixels.y > 0.0) cover *= clamp(vPixels.y - inside + 0.5, 0.0, 1.0);
  fragColor = vec4(vColor.rgb, vColor.a * cover);
}
`;

export interface Dot {
  x: number;
  y: number;
  radius: number; // m
  least?: number; // px, the least radius drawn
  stroke?: number; // px of a ring; without it a disc
  color: Rgba;
}

export interface DotProps {
  dots: readonly Dot[];
  /** m that a pixel covers. */
  pixel: number;
}

export class DotLayer extends Layer<DotProps & LayerProps> {
  static layerName = "DotLayer";
  static defaultProps = { dots: { type: "object", value: [] }, pixel: 1 } as never;
  declare state: { mesh?: Mesh; room?: number };

  getShaders(): object {
    return super.getShaders({ vs: VERTEX, fs: FRAGMENT, modules: [project32, dot] });
  }

  initializeState(): void {}

  updateState({ props, oldProps }: UpdateParameters<this>): void {
    if (!this.state.mesh) {
      const formats = { places: "float32x4", strokes: "float32", colors: "unorm8x4" } as const;
      this.setState({ mesh: new Mesh(this.context, formats, this.getShaders()), room: 0 });
    } else if (props.dots === oldProps.dots) return;
    const { dots } = props;
    const places = new Float32Array(16 * dots.length);
    const strokes = new Float32Array(4 * dots.length);
    const colors = new Uint8Array(16 * dots.length);
    dots.forEach(({ x, y, radius, least = 0, stroke = 0, color }, i) => {
      for (let corner = 4 * i; corner < 4 * i + 4; corner++) {
        places.set([x, y, radius, least], 4 * corner);
        colors.set(color, 4 * corner);
      }
      strokes.fill(stroke, 4 * i, 4 * i + 4);
    });
    const mesh = this.state.mesh!;
    mesh.set({ places, strokes, colors });
    if (dots.length > this.state.room!) {
      mesh.setIndices(quads(2 * dots.length));
      this.setState({ room: 2 * dots.length });
    }
  }

  getModels(): Mesh["model"][] {
    return this.state.mesh ? [this.state.mesh.model] : [];
  }

  draw(): void {
    this.state.mesh!.model.shaderInputs.setProps({ dot: { pixel: this.props.pixel } });
    this.state.mesh!.draw(6 * this.props.dots.length);
  }

  finalizeState(): void {
    this.state.mesh?.destroy();
  }
}
