/** Road users as oriented boxes, 10,000 in one mesh; the graphics card moves them on between two frames. */

import { Layer, project32 } from "@deck.gl/core";
import type { LayerProps, UpdateParameters } from "@deck.gl/core";
import { Mesh, quads } from "./mesh";

const box = {
  name: "box",
  vs: `\
layout(std140) uniform boxUniforms {
  float age;
  float smallest;
} box;
`,
  uniformTypes: { age: "f32", smallest: "f32" },
} as const;

const VERTEX = `#version 300 es
#define SHADER_NAME road-users
in vec4 places;
in vec3 shapes;
in vec4 colors;
out vec4 vColor;
void main() {
  vec2 along = places.zw;
  vec2 size = max(shapes.yz, vec2(box.smallest, 0.6 * box.smallest));
  vec2 side = vec2((gl_VertexID & 1) == 0 ? -1.0 : 1.0, (gl_VertexID & 2) == 0 ? -1.0 : 1.0);
  vec2 corner = 0.5 * size * side;
  // the far end of a nose is narrower: a box that shows where it is going
  corner.y *= side.x > 0.0 ? 0.72 : 1.0;
  vec2 place = places.xy + along * (shapes.x * box.age + corner.x) + vec2(-along.y, along.x) * corner.y;
  gl_Position = project_common_position_to_clipspace(vec4(place - project.coordinateOrigin.xy, 0.0, 1.0));
  vColor = colors;
}
`;

const FRAGMENT = `#version 300 es
#define SHADER_NAME road-users
precision mediump float;
in vec4 vColor;
out vec4 fragColor;
void main() {
  fragColor = vColor;
}
`;

/** Four corners for each box, with the same values at all four. */
export interface Boxes {
  count: number;
  places: Float32Array; // x, y m; cos and sin of the heading
  shapes: Float32Array; // speed m/s, length m, width m
  colors: Uint8Array; // RGBA
}

export interface BoxProps {
  boxes: Boxes;
  /** s since the boxes were true: speeds carry them on by so much. */
  age: number;
  /** m, the least length drawn: far out, a car must still be a dot. */
  smallest: number;
}

export class BoxLayer extends Layer<BoxProps & LayerProps> {
  static layerName = "BoxLayer";
  static defaultProps = { boxes: { type: "object", value: null }, age: 0, smallest: 0 } as never;
  declare state: { mesh?: Mesh; room?: number };

  getShaders(): object {
    return super.getShaders({ vs: VERTEX, fs: FRAGMENT, modules: [project32, box] });
  }

  initializeState(): void {}

  updateState({ props, oldProps }: UpdateParameters<this>): void {
    if (!this.state.mesh) {
      const formats = { places: "float32x4", shapes: "float32x3", colors: "unorm8x4" } as const;
      this.setState({ mesh: new Mesh(this.context, formats, this.getShaders()), room: 0 });
    }
    if (props.boxes === oldProps.boxes) return;
    const { count, places, shapes, colors } = props.boxes;
    const mesh = this.state.mesh!;
    mesh.set({ places, shapes, colors });
    if (count > this.state.room!) {
      const room = 2 * count;
      mesh.setIndices(quads(room));
      this.setState({ room });
    }
  }

  getModels(): Mesh["model"][] {
    return this.state.mesh ? [this.state.mesh.model] : [];
  }

  draw(): void {
    const { age, smallest, boxes } = this.props;
    this.state.mesh!.model.shaderInputs.setProps({ box: { age, smallest } });
    this.state.mesh!.draw(6 * boxes.count);
  }

  finalizeState(): void {
    this.state.mesh?.destroy();
  }
}
