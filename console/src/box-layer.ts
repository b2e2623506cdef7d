/** Road users as oriented boxes, 10,000 in one draw call; the graphics card moves them on between two frames. */

import { Layer, project32 } from "@deck.gl/core";
import type { DefaultProps, LayerProps, UpdateParameters } from "@deck.gl/core";
import { Geometry, Model } from "@luma.gl/engine";

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
in vec2 positions;
in vec2 instancePositions;
in vec4 instanceShape;
in vec4 instanceColors;
out vec4 vColor;
void main() {
  float heading = instanceShape.x;
  vec2 along = vec2(cos(heading), sin(heading));
  vec2 across = vec2(-along.y, along.x);
  vec2 size = max(instanceShape.zw, vec2(box.smallest, 0.6 * box.smallest));
  vec2 corner = 0.5 * size * positions;
  // the far end of a nose is narrower: a box that shows where it is going
  corner.y *= positions.x > 0.0 ? 0.72 : 1.0;
  vec2 place = instancePositions + along * (instanceShape.y * box.age + corner.x) + across * corner.y;
  geometry.worldPosition = vec3(place, 0.0);
  gl_Position = project_position_to_clipspace(vec3(place, 0.0), vec3(0.0), vec3(0.0), geometry.position);
  DECKGL_FILTER_GL_POSITION(gl_Position, geometry);
  vColor = instanceColors;
  DECKGL_FILTER_COLOR(vColor, geometry);
}
`;

const FRAGMENT = `#version 300 es
#define SHADER_NAME road-users
precision highp float;
in vec4 vColor;
out vec4 fragColor;
void main() {
  fragColor = vColor;
  DECKGL_FILTER_COLOR(fragColor, geometry);
}
`;

export interface BoxProps {
  /** s since the frame was true: speeds carry the boxes on by so much. */
  age: number;
  /** m, the least length drawn: far out, a car must still be a dot. */
  smallest: number;
}

const defaultProps: DefaultProps<BoxProps> = { age: 0, smallest: 0 };

/** `data` is `{length, attributes: {instancePositions (2 f32, m), instanceShape (4 f32: heading rad, speed m/s, length m, width m),
 * instanceColors (4 u8)}}`. */
export class BoxLayer extends Layer<BoxProps & LayerProps> {
  static layerName = "BoxLayer";
  static defaultProps = defaultProps as never;
  declare state: { model?: Model };

  getShaders(): object {
    return super.getShaders({ vs: VERTEX, fs: FRAGMENT, modules: [project32, box] });
  }

  initializeState(): void {
    this.getAttributeManager()!.addInstanced({
      instancePositions: { size: 2, type: "float32", accessor: "getPosition", noAlloc: true },
      instanceShape: { size: 4, type: "float32", accessor: "getShape", noAlloc: true },
      instanceColors: { size: 4, type: "unorm8", accessor: "getColor", noAlloc: true },
    });
  }

  updateState(change: UpdateParameters<this>): void {
    super.updateState(change);
    if (change.changeFlags.extensionsChanged || !this.state.model) {
      this.state.model?.destroy();
      this.setState({ model: this.makeModel() });
      this.getAttributeManager()!.invalidateAll();
    }
  }

  draw(): void {
    const model = this.state.model!;
    model.shaderInputs.setProps({ box: { age: this.props.age, smallest: this.props.smallest } });
    model.draw(this.context.renderPass);
  }

  private makeModel(): Model {
    return new Model(this.context.device, {
      ...this.getShaders(),
      id: this.props.id,
      bufferLayout: this.getAttributeManager()!.getBufferLayouts(),
      geometry: new Geometry({
        topology: "triangle-strip",
        attributes: {
          positions: { size: 2, value: new Float32Array([-1, -1, 1, -1, -1, 1, 1, 1]) },
        },
      }),
      isInstanced: true,
    } as never);
  }
}
