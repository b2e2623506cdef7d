/** Roads: thousands of lanes and lines as one mesh in one draw call. */

import { Layer, project32 } from "@deck.gl/core";
import type { LayerProps, UpdateParameters } from "@deck.gl/core";
import { Mesh } from "./mesh";
import type { Ribbons } from "./ribbon";

const ribbon = {
  name: "ribbon",
  vs: `\
layout(std140) uniform ribbonUniforms {
  float thinnest;
} ribbon;
`,
  uniformTypes: { thinnest: "f32" },
} as const;

const VERTEX = `#version 300 es
#define SHADER_NAME roads
in vec2 places;
in vec2 across;
in vec4 colors;
out vec4 vColor;
void main() {
  float reach = max(length(across), 1e-6);
  vec3 corner = vec3(places + across * max(1.0, ribbon.thinnest / reach), 0.0);
  gl_Position = project_common_position_to_clipspace(vec4(corner - project.coordinateOrigin, 1.0));
  // what is thinner than can be drawn is fainter instead
  vColor = vec4(colors.rgb, colors.a * min(1.0, reach / ribbon.thinnest));
}
`;

const FRAGMENT = `#version 300 es
#define SHADER_NAME roads
precision mediump float;
in vec4 vColor;
out vec4 fragColor;
void main() {
  fragColor = vColor;
}
`;

export interface RibbonProps {
  ribbons: Ribbons;
  /** m, the least half width drawn. */
  thinnest: number;
}

export class RibbonLayer extends Layer<RibbonProps & LayerProps> {
  static layerName = "RibbonLayer";
  static defaultProps = { ribbons: { type: "object", value: null }, thinnest: 0 } as never;
  declare state: { mesh?: Mesh };

  getShaders(): object {
    return super.getShaders({ vs: VERTEX, fs: FRAGMENT, modules: [project32, ribbon] });
  }

  initializeState(): void {}

  updateState({ props, oldProps }: UpdateParameters<this>): void {
    if (!this.state.mesh) {
      const formats = { places: "float32x2", across: "float32x2", colors: "unorm8x4" } as const;
      this.setState({ mesh: new Mesh(this.context, formats, this.getShaders()) });
    }
    if (props.ribbons === oldProps.ribbons) return;
    const { places, across, colors, indices } = props.ribbons;
    this.state.mesh!.set({ places, across, colors });
    this.state.mesh!.setIndices(indices);
  }

  getModels(): Mesh["model"][] {
    return this.state.mesh ? [this.state.mesh.model] : [];
  }

  draw(): void {
    const { model } = this.state.mesh!;
    model.shaderInputs.setProps({ ribbon: { thinnest: this.props.thinnest } });
    this.state.mesh!.draw(this.props.ribbons.indices.length);
  }

  finalizeState(): void {
    this.state.mesh?.destroy();
  }
}
